"""A model of 3 GB from the publisher's disk to a session, in a fraction of that memory."""

import resource
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from pointsman.cache import Cache
from pointsman.registry import Registry
from pointsman.session import Session
from pointsman.stores import open_store
from tests import models
from tests.registry.processes import finish, start

MODEL = "giant"
SIZE = 3 << 30
MOST_MEMORY = 300 << 20


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def publish(url: str, source: Path, answer: Connection) -> None:
    Registry(open_store(url)).publish(MODEL, "v1", source)
    answer.send(peak_bytes())


def pull(url: str, cache: Path, answer: Connection) -> None:
    registry = Registry(open_store(url))
    Cache(cache).fetch(registry.store, registry.version(MODEL, "v1"))
    answer.send(peak_bytes())


@pytest.mark.slow
def test_three_gigabytes_of_external_weights_are_published_pulled_and_served(
    s3_url: str, tmp_path: Path
) -> None:
    source = models.sparse_external_data(tmp_path / "export" / "model.onnx", SIZE)
    here, there = Pipe(duplex=False)

    assert finish([start(publish, s3_url, source, there)]) == [0]
    assert here.recv() < MOST_MEMORY

    assert finish([start(pull, s3_url, tmp_path / "cache", there)]) == [0]
    assert here.recv() < MOST_MEMORY

    version = Registry(open_store(s3_url)).version(MODEL, "v1")
    assert version.manifest.size > SIZE
    directory = Cache(tmp_path / "cache").fetch(open_store("memory-is-not-asked"), version)
    outputs = Session(directory / "model.onnx").run({"index": np.array([[5]], np.int64)})
    assert outputs["y"].tolist() == [[models.SPARSE_VALUE]]
    assert (directory / "model.onnx.data").stat().st_size == SIZE
