"""What the tests of provisioning share: an administrator, the real dynamic provider, a stack."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pointsman_infra import settings
from pointsman_infra.automation import backend
from pointsman_infra.automation.stack import Stack
from pointsman_infra.settings import Settings
from tests import models
from tests.fakes.pulumi_engine import Clouds, FakePulumi
from tests.fakes.pulumi_engine import plugin as dynamic
from tests.infra import sdk_warnings
from tests.servers.seaweedfs import SeaweedFS

MakeStack = Callable[..., Stack]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bear with what Pulumi's SDK warns of by itself."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for mark in sdk_warnings.BEARABLE:
                item.add_marker(mark)


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    yield
    sdk_warnings.sweep()


@pytest.fixture(scope="session")
def plugin(s3_server: SeaweedFS) -> Iterator[dynamic.Plugin]:
    """The real provider of dynamic resources, with an administrator's key in its environment."""
    with dynamic.running(s3_server.environment) as running:
        yield running


@pytest.fixture
def administrator(s3_server: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> SeaweedFS:
    """The server, with its administrator's key in this process's environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def compatible(s3_server: SeaweedFS, tmp_path: Path) -> Settings:
    """Settings of a stack on the server: its own bucket, principals, and one declared model."""
    model = models.affine(tmp_path / "model.onnx")
    return settings.read(
        {
            "provider": "compatible",
            "bucket": f"models-{uuid4().hex[:12]}",
            "endpoint": s3_server.endpoint,
            "iam_endpoint": s3_server.endpoint,
            "region": "us-east-1",
            "models": [{"model": "digits", "version": "v1", "path": str(model)}],
        }
    )


@pytest.fixture
def make_stack(plugin: dynamic.Plugin, tmp_path: Path) -> MakeStack:
    """Make a stack on the engine for tests, with its state in the default place."""

    def make(clouds: Clouds | None = None, name: str = "production") -> Stack:
        state = tmp_path / ".pointsman" / "infra"
        place = backend.find("", os.environ, tmp_path, state)
        backend.prepare(place, state, os.environ)
        return Stack(name, state, place, FakePulumi(clouds, plugin))

    return make


@pytest.fixture(autouse=True)
def _no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own login, and whatever `pulumi` is told by the environment."""
    for name in list(os.environ):
        if name.startswith(("PULUMI_", "CLOUDFLARE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
