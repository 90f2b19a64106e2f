"""The protocol over real connections: chunks, packed bodies, and paths as clients write them."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.servers import service_process
from tests.service.shelf import Shelf
from tests.service.v2.requests import request, tensor, with_blobs

LIMIT = 20_000
ROW = request(tensor("FP32", [1, 4], [1, 2, 3, 4]))
INFER = "/v2/models/m/infer"
DOUBLED = [2.0, 4.0, 6.0, 8.0]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a process that serves `v1`, which doubles."""
    directory: Path = tmp_path_factory.mktemp("v2_over_http")
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    limits = {"POINTSMAN_MAX_BODY_BYTES": str(LIMIT)}
    with service_process.running(directory / "service", url, **limits) as process:
        process.until_healthy(version="v1")
        with httpx.Client(base_url=process.url, timeout=120) as each:
            yield each
        assert "Traceback" not in process.log


def in_chunks(body: bytes, size: int = 7) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def doubled(response: httpx.Response) -> bool:
    return bool(response.json()["outputs"][0]["data"] == DOUBLED)


def test_a_body_may_come_in_chunks_without_a_length(client: httpx.Client) -> None:
    assert doubled(client.post(INFER, content=in_chunks(ROW)))
    packed = {"content-encoding": "gzip"}
    assert doubled(client.post(INFER, content=in_chunks(gzip.compress(ROW)), headers=packed))
    document = request(tensor("FP32", [1, 4], binary_data_size=16))
    headers, body = with_blobs(document, np.arange(1, 5, dtype=np.float32).tobytes())
    assert doubled(client.post(INFER, content=in_chunks(body), headers=[*headers.items()]))


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/%6d/infer",
        "/v2/models/m/infer?test_1=1&test_2=2",
        "/v2/models/m/versions/v1/infer",
        "/v2/models/m/versions/%761/infer?x",
    ],
)
def test_a_path_may_be_written_in_several_ways(client: httpx.Client, path: str) -> None:
    assert doubled(client.post(path, content=ROW))
    assert doubled(client.post(INFER, content=ROW)), "the connection is still good"


def test_a_body_may_unpack_to_the_limit_and_no_further(client: httpx.Client) -> None:
    packed = {"content-encoding": "gzip"}
    within = client.post(INFER, content=gzip.compress(ROW.ljust(LIMIT)), headers=packed)
    assert doubled(within)
    beyond = client.post(INFER, content=gzip.compress(ROW.ljust(LIMIT + 1)), headers=packed)
    assert beyond.status_code == 413
    assert "unpacks to more" in beyond.json()["error"]
    plain = client.post(INFER, content=ROW.ljust(LIMIT + 1))
    assert plain.status_code == 413
    assert plain.headers["content-type"] == "application/json"
    assert doubled(client.post(INFER, content=ROW))


def test_an_answer_may_be_packed(client: httpx.Client) -> None:
    rows = request(tensor("FP32", [300, 4], [[1, 2, 3, 4]] * 300))
    response = client.post(INFER, content=rows, headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < len(response.content)
    assert response.json()["outputs"][0]["data"] == DOUBLED * 300


def test_binary_answers_are_left_alone_for_clients_that_accept_just_anything(
    client: httpx.Client,
) -> None:
    document = request(
        tensor("FP32", [300, 4], [[1, 2, 3, 4]] * 300), parameters={"binary_data_output": True}
    )
    response = client.post(INFER, content=document)
    assert "," in response.request.headers["accept-encoding"]
    assert "content-encoding" not in response.headers
    size = int(response.headers["inference-header-content-length"])
    assert np.frombuffer(response.content[size:], np.float32).tolist() == DOUBLED * 300
