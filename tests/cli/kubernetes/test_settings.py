"""`[kubernetes]`: what it may hold, and what is said of what it may not."""

import pytest

from pointsman_cli.platforms.kubernetes import checks
from pointsman_cli.platforms.kubernetes.release import object_name
from pointsman_cli.tables import KubernetesSettings
from tests.cli.workspace import Workspace


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("replica = 2", "there is no key kubernetes.replica"),
        ("replicas = 0", "kubernetes.replicas: expected `int` >= 1"),
        ('memory = "lots"', "kubernetes.memory is no quantity"),
        ('name = "Digits"', "kubernetes.name is no name that Kubernetes takes"),
        ('namespace = "a/b"', "kubernetes.namespace is no name that Kubernetes takes"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(
    workspace: Workspace, line: str, message: str
) -> None:
    workspace.file.write_text(f'model = "digits"\n[kubernetes]\n{line}\n')
    assert message in workspace.run("history", code=2).err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (KubernetesSettings(replicas=4, max_replicas=3), "max_replicas (3) is below replicas (4)"),
        (KubernetesSettings(tls_secret="t"), "tls_secret is for an Ingress"),  # noqa: S106 — a name
    ],
)
def test_what_contradicts_itself_is_found(table: KubernetesSettings, message: str) -> None:
    (finding,) = checks.settings(table)
    assert (finding.severity, message in finding.message) == ("error", True)
    assert finding.remediation


def test_the_defaults_are_consistent() -> None:
    (finding,) = checks.settings(KubernetesSettings())
    assert finding.severity == "ok"


@pytest.mark.parametrize(
    ("model", "channel", "name"),
    [
        ("digits", "production", "digits"),
        ("digits", "staging", "digits-staging"),
        ("My_Model.v2", "production", "my-model-v2"),
        ("3d", "production", "m-3d"),
        ("m" * 60, "production", "m" * 52),
    ],
)
def test_objects_are_called_after_model_and_channel(model: str, channel: str, name: str) -> None:
    assert object_name("", model, channel) == name


def test_a_name_that_was_given_is_taken() -> None:
    assert object_name("scorer", "digits", "production") == "scorer"
