"""The whole life of a stack, typed as a user would; by the real engine wherever there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman_cli.errors import Exit
from pointsman_infra import administrator as administration
from tests.fakes.pulumi_engine import FakePulumi, relay
from tests.fakes.pulumi_engine.plugin import Plugin
from tests.infra.typing_it import Run, declare, new_project, runner
from tests.servers.seaweedfs import REGION, SeaweedFS

_REAL = shutil.which("pulumi")
_SENTENCE = (
    "there is no `pulumi` on PATH, so the real engine is not tried: "
    "install it with `curl -fsSL https://get.pulumi.com | sh`"
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(
    params=[
        "ours",
        pytest.param("real", marks=pytest.mark.skipif(_REAL is None, reason=_SENTENCE)),
    ]
)
def project(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    plugin: Plugin,
    s3_server: SeaweedFS,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A project, with either engine behind it."""
    directory = new_project(tmp_path / "project", s3_server, monkeypatch)
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    if request.param == "real":
        yield directory
        return
    with relay.installed(tmp_path / "p", FakePulumi(plugin=plugin)) as binaries:
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        yield directory


def test_the_whole_life_of_a_stack(run: Run, project: Path, s3_server: SeaweedFS) -> None:
    up = run("infra", "up", "--json")
    assert up.code == Exit.DONE, up.err
    handed = up.document["outputs"]
    assert set(run("infra", "up", "--json").document["summary"]) == {"same"}, "a no-op"

    declare(project, "v1")
    assert run("infra", "up").code == Exit.DONE
    assert run("upload-model", "v1", "model.onnx", "--json").document["created"] is False
    assert run("infra", "drift").code == Exit.DONE

    root = administration.open_with(handed["store"], s3_server.environment)
    root.delete("models/digits/versions/v1.json")
    assert run("infra", "drift").code == Exit.DRIFT
    assert run("infra", "up", "--refresh").code == Exit.DONE
    assert run("models", "show", "v1", "--json").document["model"] == "digits"

    assert run("infra", "rotate").code == Exit.DONE
    assert run("infra", "doctor").code == Exit.DONE
    assert run("infra", "rotate", "--finish").code == Exit.DONE
    assert run("infra", "doctor").code == Exit.DONE

    assert run("infra", "destroy").code == Exit.FAILED
    assert run("infra", "destroy", "--force", handed["bucket"]).code == Exit.DONE
    assert not administration.buckets(s3_server.endpoint, REGION).exists(handed["bucket"])
