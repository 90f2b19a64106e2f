"""Proving a deployment from outside: what counts as proof, and what as its opposite."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman import golden
from pointsman.channel import Pointer
from pointsman_cli import replay
from pointsman_cli.configuration import load
from pointsman_cli.context import Context
from pointsman_cli.errors import DeploymentFailed, Unverified
from pointsman_cli.output import Output
from pointsman_cli.platforms.base import Way
from pointsman_cli.verification import verify
from tests import models
from tests.cli.scripted_service import ScriptedService, healthy, serving
from tests.cli.workspace import MODEL, Workspace

PATIENCE = 30.0


def context(workspace: Workspace) -> Context:
    here = Context(Output(), {})
    here.project = load({}, {}, workspace.folder)
    return here


@pytest.fixture
def active(published: Workspace) -> Pointer:
    """v1 is active, at the first generation."""
    return published.registry.activate(MODEL, "v1").stable


def test_a_service_that_serves_and_reproduces_is_proven(
    published: Workspace, active: Pointer
) -> None:
    loading: dict[str, Any] = {"status": "loading", "loading": {"step": "fetching"}}
    script = ScriptedService(active.digest, health=[loading, healthy(1, active.digest)])
    with serving(script) as service:
        proof = verify(context(published), [Way(service.url)], PATIENCE)
    assert (proof.version, proof.digest, proof.generation) == ("v1", active.digest, 1)
    assert (proof.golden_rows, service.requests) == (3, [3])


def test_wrong_answers_are_no_proof(published: Workspace, active: Pointer) -> None:
    script = ScriptedService(active.digest, 2.1, health=[healthy(1, active.digest)])
    with serving(script) as service, pytest.raises(DeploymentFailed) as caught:
        verify(context(published), [Way(service.url)], PATIENCE)
    assert "does not reproduce the golden set: output 'y' differs at" in caught.value.message


def test_answers_of_another_version_are_no_proof(published: Workspace, active: Pointer) -> None:
    script = ScriptedService("sha256:" + "9" * 64, health=[healthy(1, active.digest)])
    with serving(script) as service, pytest.raises(DeploymentFailed) as caught:
        verify(context(published), [Way(service.url)], PATIENCE)
    assert "was answered for by unknown, and not by the v1" in caught.value.message


@pytest.mark.parametrize(
    "health",
    [
        {"status": "failed", "generation": 1, "reason": "no room"},
        {"status": "degraded", "generation": 1, "digest": "another", "reason": "no room"},
    ],
)
def test_a_refusal_is_noticed_at_once(
    published: Workspace, active: Pointer, health: dict[str, Any]
) -> None:
    script = ScriptedService(active.digest, health=[health])
    with serving(script) as service, pytest.raises(DeploymentFailed) as caught:
        verify(context(published), [Way(service.url)], PATIENCE)
    assert caught.value.message == "the service refuses v1: no room"


def test_a_service_that_never_gets_ready_is_not_confirmed(
    published: Workspace, active: Pointer
) -> None:
    health: dict[str, Any] = {"status": "loading", "reason": "the store does not answer"}
    script = ScriptedService(active.digest, health=[health])
    with serving(script) as service, pytest.raises(Unverified) as caught:
        verify(context(published), [Way(service.url)], 0.01)
    assert caught.value.message.endswith("does not serve v1 yet: the store does not answer")


def test_nobody_at_all_is_not_confirmed(published: Workspace, active: Pointer) -> None:
    with pytest.raises(Unverified, match=f"does not serve {active.version} yet: it does not"):
        verify(context(published), [Way("http://127.0.0.1:9")], 0.01)


def test_a_channel_that_moves_meanwhile_is_followed(published: Workspace, active: Pointer) -> None:
    moved = published.registry.activate(MODEL, "v2").stable
    here = context(published)
    published.registry.rollback(MODEL)
    ahead: dict[str, Any] = {"status": "degraded", "generation": 4, "digest": moved.digest}
    script = ScriptedService(moved.digest, 3.0, health=[ahead, healthy(4, moved.digest)])
    published.registry.activate(MODEL, "v2")
    with serving(script) as service:
        assert verify(here, [Way(service.url)], PATIENCE).version == "v2"
    assert active.version == "v1"


def test_a_version_without_a_golden_set_is_proven_by_its_health(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.registry.publish(MODEL, "v1", models.affine(tmp_path / "model.onnx"))
    digest = workspace.registry.activate(MODEL, "v1").stable.digest
    with serving(ScriptedService(digest, health=[healthy(1, digest)])) as service:
        proof = verify(context(workspace), [Way(service.url)], PATIENCE)
    assert (proof.golden_rows, service.requests) == (0, [])


def test_what_json_has_no_words_for_is_left_out_and_said(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.full((2, 4), np.nan, np.float32)
    golden.save(tmp_path / "golden.npz", {"x": x}, {"y": x})
    model = models.affine(tmp_path / "model.onnx")
    workspace.registry.publish(MODEL, "v1", model, golden=tmp_path / "golden.npz")
    digest = workspace.registry.activate(MODEL, "v1").stable.digest
    with serving(ScriptedService(digest, health=[healthy(1, digest)])) as service:
        assert verify(context(workspace), [Way(service.url)], PATIENCE).golden_rows == 0
    assert "JSON has no words for" in capsys.readouterr().err


def test_a_large_golden_set_is_asked_for_in_parts(published: Workspace) -> None:
    manifest = published.registry.version(MODEL, "v1").manifest
    x = np.arange(40, dtype=np.float32).reshape(10, 4)
    examples = golden.Golden({"x": x}, {"y": 2 * x}, 0.0, 0.0)
    split = replay.parts(examples, manifest, values_per_request=16)
    assert [part.rows for part in split] == [4, 4, 2]
    assert np.array_equal(np.concatenate([part.outputs["y"] for part in split]), 2 * x)
    assert replay.parts(examples, manifest, values_per_request=40) == [examples]
