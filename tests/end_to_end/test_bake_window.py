"""The bake window on real services: a version that turns out bad is left, and told of."""

from pathlib import Path

import pytest

from tests import models
from tests.cli.workspace import MODEL, Workspace, until
from tests.end_to_end.fleet import NAMES, Fleet, states

pytestmark = pytest.mark.slow


def test_every_instance_leaves_a_version_that_answers_nonsense_and_status_says_why(
    workspace: Workspace, fleet: Fleet, tmp_path: Path
) -> None:
    """The switch itself succeeds: only answers show that the version is no good."""
    nonsense = models.affine(tmp_path / "v3" / "model.onnx", float("nan"))
    workspace.registry.publish(MODEL, "v3", nonsense)
    with fleet.of(*NAMES, POINTSMAN_BAKE_SECONDS="60"):
        with fleet.asked() as clients:
            for each in clients.values():
                each.until_answered(30)
            document = workspace.json("activate", "v3")
            assert states(document) == dict.fromkeys(NAMES, "serving")
            until(lambda: set(fleet.answers().values()) == {2.0}, "everybody went back to v1")
            assert all("v3" in failure for each in clients.values() for failure in each.failures), (
                "v1 answered all the same"
            )

        def returned() -> list[str]:
            found = workspace.json("status")["instances"]
            return [each["instance"] for each in found if each.get("refused")]

        until(lambda: len(returned()) == len(NAMES), "everybody reports it")
        told = workspace.run("status").err
        assert all(f"! {name}: " in told for name in NAMES)
        assert "NaN" in told or "infinity" in told

        result = workspace.run("rollback")
        assert "✓ 3/3 on v1 in " in result.err
    assert workspace.registry.channel(MODEL, "production").stable.version == "v1"


def test_a_version_that_was_left_is_tried_again_when_it_is_activated_again(
    workspace: Workspace, fleet: Fleet, tmp_path: Path
) -> None:
    constant = models.affine(tmp_path / "v3" / "model.onnx", 0.0)
    workspace.registry.publish(MODEL, "v3", constant)
    with fleet.of("one", POINTSMAN_BAKE_SECONDS="60"):
        with fleet.asked() as clients:
            clients["one"].until_answered(60)
            workspace.run("activate", "v3")
            until(lambda: workspace.json("status")["instances"][0].get("refused"), "it was left")
        assert fleet.answers() == {"one": 2.0}
        result = workspace.run("activate", "v3")
        assert "v3 is refused: a new generation lets it be tried again" in result.err
        assert "✓ 1/1 on v3 in " in result.err
        assert fleet.answers() == {"one": 0.0}
