"""`upload-model` that ends early: by Ctrl-C or by SIGKILL, on a real S3, in a real process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pointsman.publishing import Progress
from pointsman.registry import Registry
from pointsman.stores import open_store, uploads
from tests import models
from tests.servers import faulty, seaweedfs
from tests.servers.faulty import Fault

MODEL = "digits"
LARGE = 40 << 20
_DEADLINE_SECONDS = 180.0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of two small files and a large one, which is sent last."""
    directory = tmp_path_factory.mktemp("export")
    models.heavy(directory / "model.onnx", size=LARGE)
    (directory / "config.json").write_text("{}")
    (directory / "tokenizer.json").write_text("[]")
    return directory


@contextmanager
def uploading(
    s3_server: seaweedfs.SeaweedFS, url: str, source: Path
) -> Iterator[tuple["subprocess.Popen[str]", faulty.Proxy]]:
    """Run the command, and yield when parts of the large file are on their way, and stay there."""
    with faulty.in_front_of(s3_server.endpoint) as proxy:
        proxy.plan(Fault.HELD, at=1, always=True, only="partNumber=")
        command = [str(Path(sys.executable).parent / "pointsman"), "upload-model", "v1"]
        process = subprocess.Popen(
            [*command, str(source), "--model", MODEL, "--store", f"{url}?endpoint={proxy.url}"],
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            deadline = time.monotonic() + _DEADLINE_SECONDS
            while not dangling(url):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process, proxy
        finally:
            process.kill()
            process.wait()
            process.communicate()


def dangling(url: str) -> list[uploads.Upload]:
    return uploads.abandoned(open_store(url), "models/", timedelta(0))


def test_ctrl_c_ends_it_with_130_and_leaves_no_parts_behind(
    s3_server: seaweedfs.SeaweedFS, s3_url: str, source: Path
) -> None:
    with uploading(s3_server, s3_url, source) as (process, proxy):
        process.send_signal(signal.SIGINT)
        proxy.let_go.set()
        _, story = process.communicate(timeout=_DEADLINE_SECONDS)

    assert process.returncode == 130
    assert "interrupted" in story
    assert "Traceback" not in story
    assert dangling(s3_url) == []
    assert Registry(open_store(s3_url)).models() == []


def test_after_sigkill_the_next_upload_sends_only_what_is_missing(
    s3_server: seaweedfs.SeaweedFS, s3_url: str, source: Path
) -> None:
    with uploading(s3_server, s3_url, source) as (process, _):
        process.kill()
    left = dangling(s3_url)
    assert len(left) == 1
    assert left[0].key.startswith(f"models/{MODEL}/blobs/")

    store = open_store(s3_url)
    there = {info.key for info in store.scan(f"models/{MODEL}/blobs/")}
    assert len(there) == 2  # the small ones
    before = {key: store.head(key).modified for key in there}
    sent: dict[str, int] = {}

    def count(path: str, number: int) -> None:
        sent[path] = sent.get(path, 0) + number

    published = Registry(store).publish(MODEL, "v1", source, progress=Progress(sent=count))

    assert published.created
    assert sent == {file.path: file.size for file in published.version.manifest.files}
    assert {key: store.head(key).modified for key in there} == before

    # Whoever was killed was killed just now, so that it counts as under way; later it does not.
    assert uploads.abandoned(store, "models/") == []
    assert dangling(s3_url) == left
    uploads.abort(store, left)
    assert dangling(s3_url) == []
    uploads.abort(store, left)
