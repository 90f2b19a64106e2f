"""Reading a rollout: done, going on, or stuck, and then why."""

from typing import Any

import pytest

from pointsman_cli.platforms.kubernetes.observation import observe

REVISION = "deployment.kubernetes.io/revision"


def deployment(revision: int = 2, **status: int) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "generation": 2, "annotations": {REVISION: str(revision)}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "new"}]}}},
        "status": {"observedGeneration": 2} | status,
    }


def replica_set(revision: int, image: str) -> dict[str, Any]:
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": f"d-{revision}", "annotations": {REVISION: str(revision)}},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
    }


def pod(revision: int, conditions: tuple[Any, ...] = (), **container: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": f"d-{revision}-x", "ownerReferences": [{"name": f"d-{revision}"}]},
        "spec": {"containers": [{"image": "new"}]},
        "status": {"conditions": list(conditions), "containerStatuses": [container]},
    }


def seen(*pods: dict[str, Any], **status: int) -> Any:
    return observe([deployment(**status), replica_set(1, "old"), replica_set(2, "new"), *pods])


def test_nothing_deployed_is_nothing() -> None:
    assert observe([]) is None


def test_the_way_back_leads_to_what_serves_and_not_to_what_failed_since() -> None:
    sets = [replica_set(1, "old"), replica_set(2, "bad"), replica_set(3, "worse")]
    stuck = observe([deployment(4), *sets, replica_set(4, "new"), pod(1, ready=True)])
    assert stuck is not None
    assert (stuck.way_back(), stuck.way_back("bad"), stuck.way_back("none")) == (1, 2, 0)
    dead = observe([deployment(4), *sets, replica_set(4, "new")])
    assert dead is not None
    assert dead.way_back() == 3


def test_a_rollout_is_over_when_all_pods_are_new_and_ready() -> None:
    done = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    assert seen(**done).settled


@pytest.mark.parametrize(
    "status",
    [
        {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 1},
        {"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3},
        {"replicas": 2, "updatedReplicas": 1, "availableReplicas": 2},
        {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1},
        {},
    ],
)
def test_a_rollout_goes_on_while_anything_is_missing(status: dict[str, int]) -> None:
    assert not seen(**status).settled


def test_only_pods_of_the_newest_revision_are_looked_at() -> None:
    crashed: dict[str, Any] = {"restartCount": 1, "lastState": {"terminated": {"exitCode": 1}}}
    found = seen(pod(1, **crashed), pod(2, ready=True))
    assert found.troubles == []
    assert (found.ready, found.older) == (1, 1)
    assert found.images == {1: "old", 2: "new"}


@pytest.mark.parametrize(
    ("container", "reason", "ended"),
    [
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}},
            "its image cannot be pulled: not found",
            False,
        ),
        (
            {"state": {"waiting": {"reason": "CreateContainerConfigError"}}},
            "its container cannot be configured: CreateContainerConfigError",
            False,
        ),
        (
            {
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
            },
            "it ended with exit code 2",
            True,
        ),
        (
            {"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
            "it needs more memory than it may have (OOMKilled)",
            True,
        ),
    ],
)
def test_what_time_does_not_cure_is_trouble(
    container: dict[str, Any], reason: str, ended: object
) -> None:
    (trouble,) = seen(pod(2, **container)).troubles
    assert (trouble.pod, trouble.reason, trouble.ended) == ("d-2-x", reason, ended)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ContainerCreating", "PodInitializing"])
def test_what_may_pass_is_no_trouble_yet(reason: str) -> None:
    found = seen(pod(2, state={"waiting": {"reason": reason}}))
    assert found.troubles == []
    assert found.pods[0].state == reason


def test_a_pod_that_once_failed_and_is_ready_now_is_no_trouble() -> None:
    healed: dict[str, Any] = {"ready": True, "lastState": {"terminated": {"exitCode": 1}}}
    assert seen(pod(2, **healed)).troubles == []


def test_a_pod_for_which_there_is_no_room_says_so() -> None:
    crowded = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: no memory"}
    assert seen(pod(2, (crowded,))).pods[0].state == "cannot be scheduled: 0/1 nodes: no memory"
