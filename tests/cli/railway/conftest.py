"""What tests of the platform railway share: its fake servers, and a folder to deploy from."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import pointsman
from pointsman_cli.platforms.railway.api import budget
from pointsman_cli.platforms.railway.api import client as conversation
from tests.cli.conftest import Sources
from tests.cli.workspace import MODEL, Workspace
from tests.fakes.railway import server
from tests.fakes.railway.server import Railway
from tests.fakes.railway.world import Image
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedFS

IMAGE = "ghcr.io/acme/digits:v1"
NEXT_IMAGE = "ghcr.io/acme/digits:v2"


@pytest.fixture(scope="session")
def _s3_environment(s3_server: SeaweedFS) -> Iterator[SeaweedFS]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        yield s3_server


@pytest.fixture(scope="session")
def shipped_store(_s3_environment: SeaweedFS, sources: Sources) -> str:
    """The URL of an S3 store with v1 active in production, and v2 in channel other."""
    url = f"s3://models/{uuid4().hex}"
    registry = pointsman.open(url)
    for version in ("v1", "v2"):
        registry.publish(MODEL, version, sources.root / version)
    registry.activate(MODEL, "v1")
    registry.activate(MODEL, "v2", "other")
    return url


@pytest.fixture
def railway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Railway]:
    """A fake Railway, reached by an account's token; it is looked at without pauses."""
    monkeypatch.setattr(budget, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(budget, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(conversation, "RETRY_SECONDS", 0.001)
    with server.running(tmp_path / "railway") as fake:
        monkeypatch.setenv("POINTSMAN_RAILWAY_URL", fake.url)
        monkeypatch.setenv("RAILWAY_API_TOKEN", server.ACCOUNT_TOKEN)
        yield fake
        assert [(each.operation, each.invalid) for each in fake.asked if each.invalid] == []


@pytest.fixture
def folder(workspace: Workspace) -> Workspace:
    """A folder with a Dockerfile and a railway.json, whose store nobody else reaches."""
    (workspace.folder / "Dockerfile").write_text("FROM scratch\nCOPY service /service\n")
    (workspace.folder / "service").mkdir()
    (workspace.folder / "service" / "app.py").write_text("print()\n")
    (workspace.folder / "railway.json").write_text(SETTINGS)
    return workspace


@pytest.fixture
def shipping(
    folder: Workspace,
    railway: Railway,
    shipped_store: str,
    s3_server: SeaweedFS,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The same folder with a store on S3 whose version v1 is active, and two images to run."""
    folder.file.write_text(f'model = "{MODEL}"\nstore = "{shipped_store}"\nplatform = "railway"\n')
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POINTSMAN_RUNTIME_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY", SECRET_KEY)
    railway.world.images |= {
        IMAGE: Image("sha256:" + "a" * 64),
        NEXT_IMAGE: Image("sha256:" + "b" * 64),
    }
    return folder


SETTINGS = """{
  "build": {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"},
  "deploy": {
    "healthcheckPath": "/health",
    "healthcheckTimeout": 300,
    "restartPolicyType": "ON_FAILURE",
    "restartPolicyMaxRetries": 10,
    "overlapSeconds": 5,
    "drainingSeconds": 30
  }
}
"""
