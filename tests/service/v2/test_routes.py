"""What each route does, asked inside this process; how it says it is in `golden/`."""

import asyncio
import gzip
import threading
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

from tests import models
from tests.service.fake_model import Feed, doubled
from tests.service.in_process import InProcess, Surroundings, replace_model, serving
from tests.service.patience import until
from tests.service.v2.requests import request, tensor, with_blobs

pytestmark = pytest.mark.anyio

ROW = request(tensor("FP32", [1, 4], [1, 2, 3, 4]))
DOUBLED = [2.0, 4.0, 6.0, 8.0]


async def infer(served: InProcess, body: bytes = ROW, **options: Any) -> httpx.Response:
    return await served.client.post("/v2/models/m/infer", content=body, **options)


async def activated(served: InProcess, version: str, factor: float) -> None:
    """Let another version be served, after the one that was."""
    served.surroundings.shelf.activate(served.surroundings.shelf.affine(version, factor))
    await served.until_serving(version)


async def test_an_inference_names_the_version_that_computed_it(served: InProcess) -> None:
    response = await infer(served)
    body = response.json()
    assert body["outputs"][0]["data"] == DOUBLED
    assert (body["model_name"], body["model_version"]) == ("m", "v1")
    assert response.headers["x-model-version"] == "v1"
    assert response.headers["x-model-digest"] == body["parameters"]["digest"]


async def test_every_answer_has_an_id_of_its_own_or_the_callers(served: InProcess) -> None:
    named = request(tensor("FP32", [1, 4], DOUBLED), id="mine")
    assert (await infer(served, named)).json()["id"] == "mine"
    first, second = [(await infer(served)).json()["id"] for _ in range(2)]
    assert first
    assert first != second


async def test_tensors_go_both_ways_as_bytes(served: InProcess) -> None:
    document = request(
        tensor("FP32", [1, 4], binary_data_size=16), parameters={"binary_data_output": True}
    )
    headers, body = with_blobs(document, np.arange(4, dtype=np.float32).tobytes())
    response = await infer(served, body, headers=headers)
    assert response.headers["content-type"] == "application/octet-stream"
    size = int(response.headers["inference-header-content-length"])
    assert np.frombuffer(response.content[size:], np.float32).tolist() == [0, 2, 4, 6]


async def test_a_version_in_the_path_is_asked_for_as_long_as_it_is_here(served: InProcess) -> None:
    await activated(served, "v2", 3.0)
    for version, factor in (("v1", 2.0), ("v2", 3.0), ("1", 2.0), ("2", 3.0)):
        base = f"/v2/models/m/versions/{version}"
        response = await served.client.post(f"{base}/infer", content=ROW)
        assert response.json()["outputs"][0]["data"][0] == factor
        assert (await served.client.get(f"{base}/ready")).status_code == 200
        assert (await served.client.get(base)).json()["versions"] == ["v1", "v2"]
    assert (await infer(served)).json()["model_version"] == "v2"


@pytest.mark.parametrize("path", ["", "/ready", "/infer", "/stats", "/config"])
async def test_what_is_not_here_is_a_404_that_says_what_is(served: InProcess, path: str) -> None:
    for base in ("/v2/models/other", "/v2/models/m/versions/v9"):
        method = "POST" if path == "/infer" else "GET"
        response = await served.client.request(method, base + path, content=ROW)
        assert response.status_code == 404
        assert "Request for unknown model" in response.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2x", "/v2/x", "/v2/health", "/v2/models/", "/v2/models/m/", "/v2/models/m/x",
        "/v2/models/m/infer/", "/v2/models/m/versions", "/v2/models/m/versions/",
        "/v2/models//infer", "/v2/models/m/versions/v1/ready/x", "/v2//models",
    ],
)  # fmt: skip
async def test_a_path_that_is_not_there_is_a_404(served: InProcess, path: str) -> None:
    response = await served.client.get(path)
    assert response.status_code == 404
    assert list(response.json()) == ["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v2/health/live"), ("GET", "/v2/models/m/infer"), ("PUT", "/v2")]
)
async def test_another_method_is_a_405(served: InProcess, method: str, path: str) -> None:
    response = await served.client.request(method, path)
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/json"


async def test_readiness_is_that_of_the_service(surroundings: Surroundings) -> None:
    paths = "/v2/health/ready", "/v2/models/m/ready", "/v2/models/m"
    async with serving(surroundings) as service:
        assert (await service.client.get("/v2/health/live")).json() == {"live": True}
        for path in paths:
            response = await service.client.get(path)
            assert (response.status_code, list(response.json())) == (503, ["error"])
        surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
        await service.until_serving("v1")
        for path in paths:
            assert (await service.client.get(path)).status_code == 200
        service.service.drain()
        for path in paths[:2]:
            assert (await service.client.get(path)).status_code == 503
        assert (await infer(service)).status_code == 200, "what still arrives is answered"


async def test_bodies_may_be_compressed(served: InProcess) -> None:
    for coding, packed in (("gzip", gzip.compress(ROW)), ("deflate", zlib.compress(ROW))):
        response = await infer(served, packed, headers={"content-encoding": coding})
        assert response.json()["outputs"][0]["data"] == DOUBLED


async def test_answers_are_compressed_for_those_who_ask(served: InProcess) -> None:
    rows = request(tensor("FP32", [500, 4], [[1, 2, 3, 4]] * 500))
    for accepted, coding in (("gzip", "gzip"), ("deflate, br", "deflate"), ("br", None)):
        response = await infer(served, rows, headers={"accept-encoding": accepted})
        assert response.headers.get("content-encoding") == coding
        assert response.json()["outputs"][0]["data"] == DOUBLED * 500


async def test_an_input_that_the_model_cannot_compute_is_a_400(surroundings: Surroundings) -> None:
    model = models.gather(surroundings.directory / "gather.onnx")
    surroundings.shelf.activate(surroundings.shelf.put("v1", model))
    async with serving(surroundings) as service:
        await service.until_serving("v1")
        index = {"name": "index", "datatype": "INT64", "shape": [1, 1], "data": [99]}
        response = await infer(service, request(index))
        assert response.status_code == 400
        assert "the model cannot compute this input" in response.json()["error"]


async def test_a_timeout_ends_a_request_that_waits_for_longer(served: InProcess) -> None:
    let_go = threading.Event()

    def waits(feed: Feed) -> Any:
        assert let_go.wait(150)
        return doubled(feed)

    replace_model(served, waits, slow=True)
    asking = asyncio.create_task(infer(served))
    await until(lambda: served.service.manager.residents.in_flight)
    hurried = request(tensor("FP32", [1, 4], DOUBLED), parameters={"timeout": 10_000})
    response = await infer(served, hurried)
    assert response.status_code == 504
    assert "deadline" in response.json()["error"]
    let_go.set()
    assert (await asking).status_code == 200
