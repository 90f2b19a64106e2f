"""A cluster that the real `kubectl` talks to, and a folder whose store its pods can reach."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Sources
from tests.cli.workspace import Workspace
from tests.fakes.kubernetes.api import Api, serving
from tests.fakes.kubernetes.cluster import Cluster
from tests.fakes.kubernetes.pods import Pod
from tests.fakes.kubernetes.resources import Document
from tests.servers.service_process import ServiceProcess

IMAGE = "registry.example/digits:1"
NEXT = "registry.example/digits:2"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The API of a cluster whose ready pods are real processes; `kubectl` is pointed at it."""
    numbers = itertools.count(1)

    def start(environment: Document) -> Pod:
        directory = tmp_path / "pods" / str(next(numbers))
        store, model = environment["POINTSMAN_STORE"], environment["POINTSMAN_MODEL"]
        # Nothing else of this machine: a pod has what its objects say.
        inherited = {"PATH": os.environ["PATH"]}
        service = ServiceProcess(directory, store, model, environment, inherited)
        service.launch()

        def answers() -> bool:
            return service.listens() and service.health()[0] == httpx.codes.OK

        return Pod(
            answers=answers, log=lambda: service.log, end=service.kill, where=lambda: service.url
        )

    with serving(Cluster(start)) as api:
        configuration = tmp_path / "kubeconfig"
        configuration.write_text(api.configuration())
        monkeypatch.setenv("KUBECONFIG", str(configuration))
        monkeypatch.setenv("HOME", str(tmp_path))  # where kubectl caches what it discovers
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        yield api


@pytest.fixture
def folder(
    workspace: Workspace,
    sources: Sources,
    s3_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """A folder with v1 published and active in a store that pods can reach."""
    for key in KEYS:
        monkeypatch.setenv(f"POINTSMAN_RUNTIME_{key.removeprefix('AWS_')}", os.environ[key])
    workspace.file.write_text(
        f'model = "digits"\nstore = "{s3_url}"\nplatform = "kubernetes"\n'
        "[kubernetes]\nreplicas = 1\nmax_replicas = 1\n"
        '[kubernetes.variables]\nPOINTSMAN_POLL_SECONDS = "0.1"\n'
    )
    for version in ("v1", "v2"):
        workspace.run(
            "upload-model", version, sources.model(version), "--golden", sources.golden(version)
        )
    workspace.run("activate", "v1", "--no-wait")
    return workspace
