"""Rollouts on real services under load: shares, shadows, and climbing by what is reported."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests import models
from tests.cli.workspace import MODEL, Workspace, until
from tests.end_to_end.clients import Clients
from tests.end_to_end.fleet import NAMES, Fleet, states

QUICK = ("--every", "1s", "--min-requests", "30", "--max-p99", "1000x")


def answered(clients: dict[str, Clients]) -> Counter[str]:
    """How many answers came from which version, once a hundred more have come everywhere."""
    before = sum((each.answers for each in clients.values()), Counter[str]())
    for each in clients.values():
        each.until_answered(100)
    return sum((each.answers for each in clients.values()), Counter[str]()) - before


def failures(clients: dict[str, Clients]) -> list[str]:
    return [failure for each in clients.values() for failure in each.failures]


def test_a_canary_gets_its_share_everywhere_and_no_request_is_lost_until_it_is_promoted(
    workspace: Workspace, fleet: Fleet
) -> None:
    with fleet.of(*NAMES):
        with fleet.asked() as clients:
            started = workspace.json("rollout", "start", "v2", "--weight", "50")
            shared = answered(clients)
            none = workspace.json("rollout", "set", "0")
            alone = answered(clients)
            promoted = workspace.json("rollout", "promote")
            after = answered(clients)
            back = workspace.run("rollback")
        assert failures(clients) == []
    assert states(started) == states(none) == states(promoted) == dict.fromkeys(NAMES, "serving")
    assert started["failed_requests"] == 0
    # 300 coins: fewer than 90 heads, or more than 210, come once in a million million times.
    assert 0.3 < shared["v2"] / shared.total() < 0.7
    # What was on its way when the weight fell may still have been the canary's.
    assert alone["v2"] <= 9
    assert after["v1"] <= 9
    assert "✓ 3/3 on v1 in " in back.err
    assert "0 failed requests · was v2" in back.err


def test_an_aborted_canary_leaves_what_was_stable(workspace: Workspace, fleet: Fleet) -> None:
    with fleet.of("one", "two"):
        workspace.run("rollout", "start", "v2", "--weight", "100")
        assert fleet.answers() == {"one": 3.0, "two": 3.0}
        result = workspace.run("rollback")
        assert fleet.answers() == {"one": 2.0, "two": 2.0}
    assert "✓ 2/2 on v1 in " in result.err
    assert "was v2 at 100 %" in result.err


def test_a_shadow_answers_nobody_and_is_compared(workspace: Workspace, fleet: Fleet) -> None:
    with fleet.of("one"):
        with fleet.asked() as clients:
            workspace.run("rollout", "shadow", "v2", "--percent", "100")
            assert answered(clients).keys() == {"v1"}

            def compared() -> bool:
                versions = workspace.json("rollout", "status")["versions"]
                shadow = next(each for each in versions if each["role"] == "shadow")
                found.update(shadow["shadow"] or {})
                return bool(found.get("requests", 0) > 20)

            found: dict[str, Any] = {}
            until(compared, "some answers were compared")
            workspace.run("rollout", "shadow", "--off")
        assert failures(clients) == []
    assert found["max_difference"] > 0.5, "tripled is not doubled"


@pytest.mark.slow
def test_an_automatic_rollout_climbs_under_load(workspace: Workspace, fleet: Fleet) -> None:
    with fleet.of("one", "two"):
        with fleet.asked() as clients:
            document = workspace.json("rollout", "auto", "v2", "--steps", "30,100", *QUICK)
            assert answered(clients).keys() <= {"v1", "v2"}
        assert failures(clients) == []
        assert fleet.answers() == {"one": 3.0, "two": 3.0}
    assert (document["outcome"], document["to"]) == ("promoted", "v2")
    [step] = document["steps"]
    assert step["requests"] >= 30
    assert step["errors"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "complaint"),
    [(float("nan"), "held NaN or infinity"), (0.0, "are always the same")],
    ids=["not a number", "constant"],
)
def test_an_automatic_rollout_returns_when_outputs_make_no_sense(
    workspace: Workspace, fleet: Fleet, tmp_path: Path, factor: float, complaint: str
) -> None:
    senseless = models.affine(tmp_path / "v3" / "model.onnx", factor)
    workspace.registry.publish(MODEL, "v3", senseless)
    with fleet.of("one", "two"):
        with fleet.asked() as clients:
            document = workspace.json("rollout", "auto", "v3", "--steps", "50,100", *QUICK, code=3)
        assert complaint in document["error"]
        assert "The rollout was ended: 2/2 on v1" in document["hint"]
        assert fleet.answers() == {"one": 2.0, "two": 2.0}
        assert all("v3" in failure for failure in failures(clients)), "v1 answered all the same"
    channel = workspace.registry.channel(MODEL, "production")
    assert (channel.stable.version, channel.canary) == ("v1", None)
    assert complaint in channel.history[-1].why
