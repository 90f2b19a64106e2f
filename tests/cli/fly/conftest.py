"""What the tests of Fly share: a flyctl on PATH, a project for it, and models that serve."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import pointsman
from tests.cli.conftest import Sources
from tests.cli.fly.bench import APP, RUNTIME_SECRET, TOKEN, Bench
from tests.cli.workspace import MODEL, Workspace
from tests.registry.versions import store_version
from tests.servers.seaweedfs import SeaweedFS

FLY_TOML = f"""
app = "{APP}"
primary_region = "fra"
kill_signal = "SIGTERM"
kill_timeout = "30s"

[deploy]
  strategy = "bluegreen"
  wait_timeout = "20s"

[http_service]
  internal_port = 8000
  force_https = true
  auto_stop_machines = "stop"
  auto_start_machines = true
  min_machines_running = 1

  [[http_service.checks]]
    path = "/health"
    interval = "15s"
    timeout = "5s"

[[vm]]
  size = "shared-cpu-2x"
  memory = "1gb"
"""


class Project(Workspace):
    """A folder with a pointsman.toml and a fly.toml."""

    @property
    def fly_toml(self) -> Path:
        """Fly's own file."""
        return self.folder / "fly.toml"

    def rewrite(self, old: str, new: str) -> None:
        """Change a line of fly.toml."""
        text = self.fly_toml.read_text()
        assert old in text
        self.fly_toml.write_text(text.replace(old, new))

    def deploy(self, tag: str = "one", *arguments: str, code: int = 0) -> str:
        """Deploy the image of that tag; return what was said."""
        said = self.run("deploy", "-p", "fly", "--image", f"digits:{tag}", *arguments, code=code)
        return said.err


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A flyctl that is logged in, first on PATH."""
    bench = Bench(tmp_path)
    programs = [str(bench.path), str(bench.engine.programs), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    monkeypatch.setenv("FLY_API_TOKEN", TOKEN)
    yield bench
    bench.close()


@pytest.fixture
def empty(tmp_path: Path, bench: Bench, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose store, on a real S3 server, is empty; the service gets a key of its own."""
    project = Project(tmp_path / "project")
    project.file.write_text(f'model = "{MODEL}"\nstore = "{s3_url}"\n')
    project.fly_toml.write_text(FLY_TOML)
    monkeypatch.setenv("POINTSMAN_RUNTIME_ACCESS_KEY_ID", "runtime-key")
    monkeypatch.setenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY", RUNTIME_SECRET)
    return project


@pytest.fixture
def project(empty: Project, s3_url: str) -> Project:
    """A project with an active version, which no service here ever loads."""
    registry = pointsman.open(s3_url)
    store_version(registry.store, "v1")
    registry.activate(MODEL, "v1")
    return empty


@pytest.fixture
def serving(
    empty: Project,
    bench: Bench,
    s3_url: str,
    s3_server: SeaweedFS,
    sources: Sources,
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    """A project whose machines are real processes of the service, with a model to serve."""
    registry = pointsman.open(s3_url)
    registry.publish(MODEL, "v1", sources.root / "v1")
    registry.activate(MODEL, "v1")
    keys = s3_server.environment
    monkeypatch.setenv("POINTSMAN_RUNTIME_ACCESS_KEY_ID", keys["AWS_ACCESS_KEY_ID"])
    monkeypatch.setenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY", keys["AWS_SECRET_ACCESS_KEY"])
    bench.turn(real=True)
    empty.rewrite('wait_timeout = "20s"', 'wait_timeout = "240s"')  # of a machine under load
    return empty
