"""`deploy --platform kubernetes` and its kin, by the real kubectl, with real services as pods."""

import os
from typing import Any

import pytest

from tests.cli.kubernetes.conftest import IMAGE, KEYS, NEXT
from tests.cli.workspace import Workspace
from tests.fakes.kubernetes.api import Api
from tests.fakes.kubernetes.cluster import Fate

pytestmark = pytest.mark.usefixtures("api")


def deploy(folder: Workspace, image: str = IMAGE, *options: str, code: int = 0) -> Any:
    return folder.json("deploy", "--image", image, *options, code=code)


def test_a_service_is_deployed_proven_shown_and_removed(folder: Workspace, api: Api) -> None:
    deployed = deploy(folder)
    assert deployed["verdict"] == "verified"
    assert (deployed["version"], deployed["golden_rows"]) == ("v1", 3)
    assert (deployed["image"], deployed["release"]) == (IMAGE, "1")
    assert "ready" in folder.run("status").err + folder.run("status").out
    assert "listening on" in folder.run("logs").out
    assert folder.json("destroy", "--yes")["destroyed"]
    assert not api.cluster.objects
    assert not api.cluster.pods
    assert not folder.json("destroy", "--yes")["destroyed"]


def test_a_second_release_replaces_the_first(folder: Workspace, api: Api) -> None:
    deploy(folder)
    assert deploy(folder, NEXT)["release"] == "2"
    assert [pod.image for pod in api.cluster.pods.values()] == [NEXT]


def test_an_image_goes_back_to_the_one_before_or_to_one_that_was_named(
    folder: Workspace, api: Api
) -> None:
    for image in (IMAGE, NEXT):
        deploy(folder, image)
    assert folder.json("rollback", "--image")["image"] == IMAGE
    assert [pod.image for pod in api.cluster.pods.values()] == [IMAGE]
    unknown = folder.run("rollback", "--image", "--to", "elsewhere/digits:9", code=1)
    assert "elsewhere/digits:9 is not among the revisions of digits" in unknown.err
    assert f"Kubernetes remembers: {NEXT}" in unknown.err


@pytest.mark.parametrize(
    ("fate", "cause"),
    [
        (Fate.CRASHING, "it ended with exit code 2: error: POINTSMAN_STORE is not set"),
        (Fate.OUT_OF_MEMORY, "it needs more memory than it may have (OOMKilled)"),
        (Fate.IMAGE_MISSING, "its image cannot be pulled: Back-off pulling image"),
    ],
)
def test_a_broken_release_says_why_and_leaves_the_old_one_serving(
    folder: Workspace, api: Api, fate: Fate, cause: str
) -> None:
    deploy(folder)
    api.cluster.fates[NEXT] = fate
    failed = folder.run("deploy", "--image", NEXT, code=10)
    assert cause in failed.err
    assert [pod.image for pod in api.cluster.pods.values() if pod.ready] == [IMAGE]


def test_a_broken_release_is_taken_back_if_asked_to(folder: Workspace, api: Api) -> None:
    deploy(folder)
    api.cluster.fates[NEXT] = Fate.CRASHING
    failed = deploy(folder, NEXT, "--auto-rollback", code=10)
    assert failed["verdict"] == "failed"
    assert failed["hint"] == f"{IMAGE} serves as before."
    assert folder.json("status")["deployment"]["image"] == IMAGE
    assert {pod.image for pod in api.cluster.pods.values()} == {IMAGE}


def test_after_several_broken_releases_going_back_leads_to_the_one_that_serves(
    folder: Workspace, api: Api
) -> None:
    deploy(folder)
    api.cluster.fates |= {NEXT: Fate.CRASHING, "worse:1": Fate.OUT_OF_MEMORY}
    failed = deploy(folder, NEXT, code=10)
    assert failed["hint"].startswith(f"{IMAGE} goes on serving.")
    deploy(folder, "worse:1", code=10)
    assert folder.json("rollback", "--image", "--dry-run")["image"] == IMAGE
    failed = deploy(folder, NEXT, "--auto-rollback", code=10)
    assert failed["hint"] == f"{IMAGE} serves as before."
    deploy(folder, "worse:1", code=10)
    assert folder.json("rollback", "--image")["image"] == IMAGE


def test_where_nothing_served_before_nothing_is_promised(folder: Workspace, api: Api) -> None:
    api.cluster.fates[IMAGE] = Fate.CRASHING
    assert deploy(folder, code=10)["hint"].startswith("Nothing serves now")


def test_an_image_for_another_processor_is_recognised(folder: Workspace, api: Api) -> None:
    api.cluster.fates[IMAGE] = Fate.CRASHING
    api.cluster.last_words = "exec /opt/pointsman/bin/python: exec format error"
    failed = folder.run("deploy", "--image", IMAGE, code=10)
    assert "its image is for another kind of processor" in failed.err


def test_what_has_no_room_yet_is_unverified_and_not_failed(folder: Workspace, api: Api) -> None:
    api.cluster.fates[IMAGE] = Fate.PENDING
    late = folder.run("deploy", "--image", IMAGE, "--timeout", "5", code=9)
    assert "cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory\n" in late.err


def test_a_dry_run_shows_what_would_be_applied_and_changes_nothing(
    folder: Workspace, api: Api
) -> None:
    shown = folder.run("deploy", "--image", IMAGE, "--dry-run").out
    assert "create the deployment digits" in shown
    assert "two versions fit side by side" in shown
    assert "kind: HorizontalPodAutoscaler" not in shown
    assert "kind: PodDisruptionBudget" in shown
    assert "AWS_SECRET_ACCESS_KEY: (hidden)" in shown
    assert not any(line.startswith(("PATCH", "DELETE")) for line in api.requests)


def test_no_secret_is_printed_or_stays_behind(folder: Workspace, api: Api) -> None:
    told = folder.run("deploy", "--image", IMAGE)
    folder.file.write_text(folder.file.read_text() + 'POINTSMAN_LOG_FORMAT = "json"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINTSMAN_RUNTIME_SESSION_TOKEN", "")
        again = folder.run("deploy", "--image", NEXT, "--json")
    secrets = [each for kind, each in api.cluster.objects if kind == "Secret"]
    assert len(secrets) == 1
    for value in _values(KEYS):
        assert value not in told.out + told.err + again.out + again.err


def test_a_cluster_that_does_not_let_one_write_is_found_out_before(
    folder: Workspace, api: Api
) -> None:
    api.allowed = False
    refused = folder.run("deploy", "--image", IMAGE, code=1)
    assert "the cluster does not let you create deployments.apps" in refused.err
    assert not api.cluster.objects


def test_a_cluster_that_does_not_answer_is_named(
    folder: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    refused = folder.run("deploy", "--image", IMAGE, code=1)
    assert "kubectl knows of no cluster: set KUBECONFIG" in refused.err
    assert "Traceback" not in refused.err


def test_without_kubectl_its_page_is_named(
    folder: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    refused = folder.run("deploy", "--image", IMAGE, code=1)
    assert "kubectl is not installed, or not on PATH" in refused.err
    assert "https://kubernetes.io/docs/tasks/tools/" in refused.err


def _values(names: tuple[str, ...]) -> list[str]:
    return [os.environ[f"POINTSMAN_RUNTIME_{name.removeprefix('AWS_')}"] for name in names]
