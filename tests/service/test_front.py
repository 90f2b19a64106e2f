"""Routes, statuses and headers, asked inside this process."""

import asyncio
import logging
import threading
from typing import Any

import httpx
import numpy as np
import pytest

from pointsman_service.api.front import Front
from pointsman_service.runtime import threads
from tests import models
from tests.service.fake_model import Feed, doubled, fails_always
from tests.service.in_process import InProcess, Surroundings, replace_model, serving
from tests.service.patience import until

pytestmark = pytest.mark.anyio

ROW = [[1, 2, 3, 4]]


async def test_a_prediction_names_the_version_that_computed_it(served: InProcess) -> None:
    response = await served.predict(ROW)
    assert response.status_code == 200
    body = response.json()
    assert body["outputs"] == {"y": [[2.0, 4.0, 6.0, 8.0]]}
    assert (body["model"]["name"], body["model"]["version"]) == ("m", "v1")
    assert response.headers["x-model-version"] == "v1"
    assert response.headers["x-model-digest"] == body["model"]["digest"]
    assert response.headers["content-type"] == "application/json"


async def test_inputs_may_be_named(served: InProcess) -> None:
    assert (await served.predict({"x": ROW})).json() == (await served.predict(ROW)).json()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[" * 5000, "the body is not JSON"),
        (b"[]", 'the body must be an object with "inputs"'),
        (b"null", 'the body must be an object with "inputs"'),
        (b"{}", 'the body must be an object with "inputs"'),
        (b'{"inputs": null}', "'x' has the shape [], and the model takes [-1, 4]"),
        (b'{"inputs": {}}', "the input 'x' is missing"),
        (b'{"inputs": [[1, 2]]}', "'x' has the shape [1, 2], and the model takes [-1, 4]"),
    ],
)
async def test_a_callers_mistake_is_a_400_that_explains(
    served: InProcess, body: bytes, error: str
) -> None:
    response = await served.client.post("/predict", content=body)
    assert response.status_code == 400
    assert error in response.json()["error"]
    assert response.headers["x-model-version"] == "v1"


async def test_before_a_version_is_ready_predictions_are_to_be_tried_later(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings) as service:
        response = await service.predict(ROW)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json() == {"error": "no version is ready yet"}
        assert "x-model-version" not in response.headers
        assert response.headers["x-request-id"]


async def test_an_input_that_the_model_cannot_compute_is_a_400(
    surroundings: Surroundings,
) -> None:
    model = models.gather(surroundings.directory / "gather.onnx")
    surroundings.shelf.activate(surroundings.shelf.put("v1", model))
    async with serving(surroundings) as service:
        await service.until_serving("v1")
        assert (await service.predict([[3]])).json()["outputs"] == {"y": [[3.0]]}
        response = await service.predict([[99]])
        assert response.status_code == 400
        assert "the model cannot compute this input" in response.json()["error"]


async def test_a_broken_model_is_a_500_that_is_logged_with_the_requests_id(
    served: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    replace_model(served, fails_always)
    response = await served.predict(ROW, headers={"x-request-id": "abc-1"})
    assert response.status_code == 500
    assert "fails even on its own sample" in response.json()["error"]
    assert "request abc-1" in caplog.text


async def test_an_error_of_ours_is_a_500_that_gives_nothing_away(
    served: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_feed: Feed) -> Any:
        raise ZeroDivisionError("secret")

    replace_model(served, breaks)
    response = await served.predict(ROW, headers={"x-request-id": "abc-2"})
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "request abc-2" in caplog.text
    stable = served.service.router.stable
    assert stable is not None
    assert (stable.statistics.errors, stable.in_flight) == (1, 0)


async def test_an_output_that_cannot_be_written_counts_as_an_error(served: InProcess) -> None:
    replace_model(served, lambda _feed: {"y": np.ones(1, np.complex64)})
    assert (await served.predict(ROW)).status_code == 500
    stable = served.service.router.stable
    assert stable is not None
    assert (stable.statistics.requests, stable.statistics.errors) == (0, 1)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("PUT", "/predict", "POST"),
        ("OPTIONS", "/predict", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/livez", "GET"),
        ("PATCH", "/metrics", "GET"),
        ("POST", "/openapi.json", "GET"),
    ],
)
async def test_another_method_is_a_405_that_names_the_right_one(
    served: InProcess, method: str, path: str, allowed: str
) -> None:
    response = await served.client.request(method, path)
    assert response.status_code == 405
    assert allowed in response.headers["allow"]
    assert response.headers["x-request-id"]
    if method != "HEAD":
        assert response.json()["error"]


@pytest.mark.parametrize("path", ["/", "/predict/", "/v1/predict", "/docsy", "/%00", "//predict"])
async def test_a_path_that_is_not_there_is_a_404(served: InProcess, path: str) -> None:
    response = await served.client.request("GET", httpx.URL("http://service", path=path))
    assert response.status_code == 404
    assert response.json()["error"]
    assert response.headers["x-request-id"]
    assert response.headers["x-model-version"] == "v1"


@pytest.mark.parametrize("path", ["/health", "/livez", "/metrics", "/docs", "/redoc"])
async def test_what_can_be_read_can_be_asked_for_its_head(served: InProcess, path: str) -> None:
    response = await served.client.head(path)
    assert response.status_code == 200
    assert response.headers["x-model-version"] == "v1"


async def test_the_documentation_is_there_and_typed_by_the_version(served: InProcess) -> None:
    described = (await served.client.get("/openapi.json")).json()
    assert described["info"]["version"] == "v1"
    assert (await served.client.get("/docs")).headers["content-type"].startswith("text/html")


async def test_a_decent_request_id_is_kept_and_others_are_replaced(served: InProcess) -> None:
    async def answered(given: bytes) -> str:
        response = await served.client.get("/livez", headers={b"x-request-id": given})
        return str(response.headers["x-request-id"])

    assert await answered(b"trace-1/~") == "trace-1/~"
    for strange in (b"", b"a b", b"x" * 129, b"\xff"):
        assert len(await answered(strange)) == 16
    first = (await served.client.get("/livez")).headers["x-request-id"]
    second = (await served.client.get("/livez")).headers["x-request-id"]
    assert first != second


async def test_every_answer_says_while_draining_that_the_connection_ends(
    served: InProcess,
) -> None:
    assert "connection" not in (await served.client.get("/livez")).headers
    served.service.drain()
    for path in ("/livez", "/health", "/nothing", "/openapi.json"):
        assert (await served.client.get(path)).headers["connection"] == "close"


@pytest.mark.parametrize("encoding", ["br", "zstd", "identity, gzip"])
async def test_a_body_in_an_unknown_encoding_is_refused(served: InProcess, encoding: str) -> None:
    response = await served.predict(ROW, headers={"content-encoding": encoding})
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "gzip, deflate"
    plain = await served.predict(ROW, headers={"content-encoding": "identity"})
    assert plain.status_code == 200


async def test_an_answer_names_the_version_that_was_asked_and_not_the_one_that_came_since(
    served: InProcess,
) -> None:
    let_go = threading.Event()

    def waits(feed: Feed) -> Any:
        assert let_go.wait(150)
        return doubled(feed)

    replace_model(served, waits, slow=True)
    asking = asyncio.create_task(served.predict(ROW))
    await until(lambda: served.service.manager.residents.in_flight)
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 3.0))
    await served.until_serving("v2")
    let_go.set()
    response = await asking
    assert response.status_code == 200
    assert response.headers["x-model-version"] == response.json()["model"]["version"] == "v1"


async def test_a_request_that_the_end_overtakes_is_told_so(served: InProcess) -> None:
    let_go = threading.Event()

    def waits(feed: Feed) -> Any:
        assert let_go.wait(150)
        return doubled(feed)

    replace_model(served, waits, slow=True)
    sent: list[Any] = []
    front = Front(served.service)
    asking = asyncio.create_task(front(*exchange(b'{"inputs": [[1, 2, 3, 4]]}', sent)))
    await until(lambda: served.service.manager.residents.in_flight)
    asking.cancel()
    await asking
    let_go.set()
    assert sent[0]["status"] == 503
    assert served.service.abandoned == 1


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_nobodys_error(
    served: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    sent: list[Any] = []
    await Front(served.service)(*exchange(b'{"inputs"', sent, leaves=True))
    stable = served.service.router.stable
    assert stable is not None
    assert (stable.statistics.errors, stable.statistics.rejected, stable.in_flight) == (0, 0, 0)
    assert caplog.text == ""


async def test_large_bodies_and_answers_leave_the_event_loop_free(served: InProcess) -> None:
    rows = [[float(row)] * 4 for row in range(20_000)]
    let_go = threading.Event()
    for _ in range(threads.available()):  # nobody is free to read it
        served.service.executor.submit(let_go.wait, 150)
    asking = asyncio.create_task(served.predict(rows))
    await until(lambda: served.service.manager.residents.in_flight)
    assert (await served.client.get("/livez")).status_code == 200
    assert not asking.done()
    let_go.set()
    outputs = (await asking).json()["outputs"]["y"]
    assert outputs[-1] == [39_998.0] * 4


async def test_requests_side_by_side_get_their_own_answers(served: InProcess) -> None:
    async def ask(number: int) -> None:
        response = await served.predict([[number] * 4])
        assert response.json()["outputs"]["y"] == [[2.0 * number] * 4]

    await asyncio.gather(*(ask(number) for number in range(50)))
    await until(lambda: served.service.manager.residents.in_flight == 0)


def exchange(body: bytes, sent: list[Any], *, leaves: bool = False) -> tuple[Any, Any, Any]:
    """A prediction as an ASGI server puts it, from a client that may leave half-way."""
    messages = [{"type": "http.request", "body": body, "more_body": leaves}]
    messages += [{"type": "http.disconnect"}] * leaves
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    return scope, receive, send
