"""Who a process is, by what its platform tells."""

import pytest

from pointsman.names import instance_name
from pointsman_service.instance import Identity, identify

FLY = {
    "FLY_MACHINE_ID": "148e21ea7e9d08",
    "FLY_REGION": "ams",
    "FLY_IMAGE_REF": "registry.example/app:1",
}
RAILWAY = {"RAILWAY_REPLICA_ID": "b3c1-77", "RAILWAY_REPLICA_REGION": "europe-west4"}
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "digits-5d4f8-x2x"}


@pytest.mark.parametrize(
    ("environment", "identity"),
    [
        (FLY, Identity("148e21ea7e9d08", "fly", "ams", "registry.example/app:1")),
        (RAILWAY, Identity("b3c1-77", "railway", "europe-west4")),
        (KUBERNETES, Identity("digits-5d4f8-x2x", "kubernetes")),
    ],
)
def test_platforms_tell_who_an_instance_is(environment: dict[str, str], identity: Identity) -> None:
    assert identify(environment) == identity


@pytest.mark.parametrize("environment", [{}, FLY, RAILWAY, KUBERNETES])
def test_a_name_that_was_given_wins(environment: dict[str, str]) -> None:
    assert identify(environment, "mine").instance == "mine"


def test_without_a_platform_every_start_is_another_instance() -> None:
    first, second = identify({}), identify({"POINTSMAN_PLATFORM": "local"})
    assert first.instance != second.instance
    assert (first.platform, second.platform) == ("", "local")


@pytest.mark.parametrize("strange", ["a/b:c", "-leading", "über", "x" * 500, "..", "a..b"])
def test_whatever_a_platform_calls_an_instance_can_name_a_heartbeat(strange: str) -> None:
    assert instance_name(identify({"FLY_MACHINE_ID": strange}).instance)
