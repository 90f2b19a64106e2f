"""What every test gets: an environment of its own, and stores to work with."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import gcs, seaweedfs

_LEAKING = ("AWS_", "FLY_", "GOOGLE_", "STORAGE_EMULATOR_", "GITHUB_", "POINTSMAN_", "RAILWAY_")

# No database: a failure prints what repeats it, and nothing is left in the working tree. In CI
# every run tries the same examples: what fails there fails for a change, and not by chance.
settings.register_profile(
    "pointsman",
    database=None,
    deadline=None,
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("pointsman")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Spread tests over workers in a way of our own."""
    from tests.scheduling import scheduling

    return scheduling(config, log)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the developer's shell or CI says about stores and platforms."""
    for name in list(os.environ):
        if name.startswith(_LEAKING) or name == "PORT":
            monkeypatch.delenv(name)
    # Nobody's profile, and no search for a cloud machine's metadata service.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent/aws")


@pytest.fixture(autouse=True, scope="session")
def _no_proxy() -> Iterator[None]:
    """Servers of tests are on this machine; a proxy would not find them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def s3_server(_no_proxy: None) -> Iterator[seaweedfs.SeaweedFS]:
    """A SeaweedFS for the whole session; where none runs, its tests are skipped, but not in CI."""
    try:
        with seaweedfs.running() as server:
            yield server
    except seaweedfs.CannotRun as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs an S3 server: {error}")
        print(f"skipping the tests that need an S3 server: {error}", file=sys.__stderr__)
        pytest.skip(str(error))


@pytest.fixture
def s3_url(s3_server: seaweedfs.SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty `s3://` store; the environment holds its endpoint and keys."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.bucket}/{uuid4().hex}"


@pytest.fixture(scope="session")
def moto_server(_no_proxy: None) -> Iterator[str]:
    """The endpoint of moto's S3, another implementation than SeaweedFS, for the session."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_url(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty `s3://` store in moto."""
    variables = {
        "AWS_ENDPOINT_URL_S3": moto_server,
        "AWS_ACCESS_KEY_ID": "moto",
        "AWS_SECRET_ACCESS_KEY": "moto",
        "AWS_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seaweedfs.SeaweedFS(moto_server).make_bucket()
    return f"s3://models/{uuid4().hex}"


@pytest.fixture
def gcs_server(_no_proxy: None) -> Iterator[gcs.GoogleDouble]:
    """A stand-in for Google Cloud Storage with one empty bucket."""
    with gcs.running() as server:
        yield server


@pytest.fixture
def gcs_url(gcs_server: gcs.GoogleDouble, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty `gs://` store; the environment holds its address and a token."""
    for name, value in gcs_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"gs://{gcs_server.bucket}/{uuid4().hex}"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """The URL of an empty `file://` store."""
    return (tmp_path / "store").as_uri()


@pytest.fixture(params=["file", "s3"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store of either kind: a test that asks for it runs with both."""
    return str(request.getfixturevalue(f"{request.param}_url"))
