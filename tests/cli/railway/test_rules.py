"""Small rules: images, plans, names, steps and secrets."""

from pathlib import Path

import pytest

from pointsman_cli.configuration import load
from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway import images, plans, progress
from pointsman_cli.platforms.railway.api.deployments import Step
from pointsman_cli.platforms.railway.api.secrets import Secrets
from pointsman_cli.platforms.railway.names import names

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("wanted", "image", "digest", "same"),
    [
        ("me/digits:v1", "me/digits:v1", A, True),
        ("me/digits:v1", "me/digits:v0", A, False),
        (f"me/digits@{A}", f"me/digits@{A}", "", True),
        (f"me/digits:v1@{A}", "me/digits:v1", A, True),
        (f"me/digits:v1@{A}", "me/digits:v1", B, False),
        ("me/digits:v1", "", "", True),
    ],
)
def test_what_runs_is_what_was_asked_for_as_far_as_it_is_told(
    wanted: str, image: str, digest: str, *, same: bool
) -> None:
    assert images.is_same(wanted, image, digest) is same


@pytest.mark.parametrize(
    "image", ["me/digits", "ghcr.io/me/digits:v1", "reg.example:5000/a/b-c_d:1.0", f"a/b@{A}"]
)
def test_names_of_images_are_taken(image: str) -> None:
    assert images.checked(image) == image


@pytest.mark.parametrize(
    "image", ["", "me/Digits", "me/digits:", "a b", "me/digits@sha256:12", "-x", "127.0.0.1:5000/a"]
)
def test_what_cannot_be_pulled_is_refused(image: str) -> None:
    with pytest.raises(UsageError):
        images.checked(image)


@pytest.mark.parametrize(
    ("megabytes", "replicas", "plan", "verdict"),
    [
        (100, 1, "free", "enough"),
        (300, 1, "free", "tight"),
        (600, 1, "free", "too little"),
        (9_000, 6, "hobby", "too little"),
        (600, 1, "", ""),
    ],
)
def test_memory_is_judged_by_what_the_plan_gives_each_instance(
    megabytes: int, replicas: int, plan: str, verdict: str
) -> None:
    assert plans.memory(megabytes * 1_000_000, replicas, plan).partition(":")[0] == verdict


def test_a_month_costs_the_memory_of_all_instances() -> None:
    line = plans.cost(500_000_000, 2, "hobby")
    assert line.startswith("about $10.00 for 1.0 GB of memory and $20 per vCPU in use a month")
    assert line.endswith("hobby costs $5, and usage up to that is included")
    assert plans.cost(None, 1, "").startswith("$10 per GB of memory")


@pytest.mark.parametrize(
    ("channel", "environment", "service"),
    [
        ("production", "", "digits"),
        ("production", "staging", "digits-staging"),
        ("staging", "staging", "digits-staging"),
        ("beta", "", "digits-beta"),
        ("beta", "staging", "digits-beta-staging"),
    ],
)
def test_a_service_is_called_after_what_differs_from_production(
    tmp_path: Path, channel: str, environment: str, service: str
) -> None:
    overlay = f"[env.{environment}]\n" if environment else ""
    (tmp_path / "pointsman.toml").write_text(f'model = "digits"\n{overlay}')
    project = load({"env": environment or None}, {}, tmp_path)
    found = names(project, "digits", channel, {"RAILWAY_PROJECT_ID": "p"})
    assert (found.service, found.environment, found.project_id) == (service, environment, "p")


def test_the_step_that_is_being_done_is_the_one_that_is_shown() -> None:
    steps = [
        Step("BUILD_IMAGE", completed_at="2026"),
        Step("PRE_DEPLOY_COMMAND", skipped=True),
        Step("HEALTHCHECK", attempt=3, max_attempts=11),
        Step("CONFIGURE_NETWORK", completed_at="2026"),
    ]
    step = progress.current(steps)
    assert step is not None
    assert progress.sentence(step) == "health check, attempt 3 of 11"
    assert progress.current([]) is None
    assert progress.sentence(Step("NEW_THING", detail="x")) == "new thing: x"


def test_secrets_are_concealed_the_longer_first_and_short_values_are_none() -> None:
    secrets = Secrets(["abcdef", "abcdefgh", "true", ""])
    assert secrets.concealed("abcdefgh abcdef true") == "••• ••• true"
