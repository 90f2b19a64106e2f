"""What every test gets: an environment of its own, and stores to work with."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.servers import seaweedfs

_LEAKING = ("AWS_", "FLY_", "GITHUB_", "POINTSMAN_", "RAILWAY_")

# No database: a failure prints what repeats it, and nothing is left in the working tree.
settings.register_profile("pointsman", database=None, deadline=None, print_blob=True)
settings.load_profile("pointsman")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the developer's shell or CI says about stores and platforms."""
    for name in list(os.environ):
        if name.startswith(_LEAKING) or name == "PORT":
            monkeypatch.delenv(name)


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


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """The URL of an empty `file://` store."""
    return (tmp_path / "store").as_uri()


@pytest.fixture(params=["file", "s3"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store of either kind: a test that asks for it runs with both."""
    return str(request.getfixturevalue(f"{request.param}_url"))
