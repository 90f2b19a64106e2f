"""Whatever is sent to `/predict` and `/v2`, the answer is well-formed and never a 5xx.

Requests are asked of the ASGI application itself, in this process, because a socket would take most
of the time; `tests/clients` has schemathesis ask over HTTP.
"""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman import datatypes
from pointsman_service.api.front import Front
from pointsman_service.api.v2.encoding import BINARY
from tests import models
from tests.service.in_process import Surroundings, serving

pytestmark = pytest.mark.slow

MODELS: dict[str, Callable[[Path], Path]] = {
    "floats": models.affine,
    "strings": models.strings,
    "everything": lambda path: models.echoes(path, sorted(set(datatypes.NUMPY) - {"BF16"})),
    "bf16": lambda path: models.echo(path, "BF16"),
}
REQUESTS = {"floats": 9000, "strings": 6000, "everything": 3500, "bf16": 3000}
"""By model, fewer where a request takes long: more than 20 000 in all."""
PATHS = ["/predict", "/v2/models/m/infer", "/v2/models/m/versions/v1/infer"]
ACCEPTED = [BINARY, b"*/*", b"application/json;q=0.1", b";q=;,", b"\xff"]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, dict[bytes, bytes], bytes]
Ask = Callable[[str, Headers, bytes], Answer]

# No "timeout", because a deadline of a microsecond is rightly answered by a 504.
NAMES = st.sampled_from(
    [
        "inputs", "outputs", "name", "shape", "datatype", "data", "parameters", "id", "x", "y",
        "x_FP32", "binary_data", "binary_data_size", "binary_data_output", "classification",
        "priority", "non_finite", "",
    ]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, 2, 4, -1, 7, 255, 256, 2**31, 2**32, 2**63, 2**64, 2**200, 0.5, 1e39, -0.0, 1e308]
)
TEXTS = st.one_of(
    st.sampled_from(["FP32", "BYTES", "BF16", "INT64", "token", "null", "\0", "ä", "\ud83d\ude00"]),
    st.text(max_size=5),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(NAMES, each, max_size=4),
    max_leaves=8,
)


def tensor(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def good(model: str) -> list[dict[str, Any]]:
    """Requests of both protocols that this model answers."""
    values: dict[str, Any] = {"BYTES": ["a", "b"], "BOOL": [True, False]}
    if model == "floats":
        named, tensors = {"x": [[1, 2, 3, 4]]}, [tensor("x", "FP32", [1, 4], [1, 2, 3, 4])]
    elif model == "everything":
        kinds = sorted(set(datatypes.NUMPY) - {"BF16"})
        named = {f"x_{kind}": [values.get(kind, [1, 2])] for kind in kinds}
        tensors = [tensor(f"x_{kind}", kind, [1, 2], values.get(kind, [1, 2])) for kind in kinds]
    else:
        kind = "BYTES" if model == "strings" else "BF16"
        data = values.get(kind, [1, 2])
        named, tensors = {"x": [data]}, [tensor("x", kind, [1, 2], data)]
    return [{"inputs": named}, {"inputs": tensors, "id": "i", "parameters": {}, "outputs": []}]


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """A document in which up to two things are replaced, gone, or new."""
    copy = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(0, 2))):
        place, key = draw(places(copy))
        what = draw(st.integers(0, 3))
        if what == 0:
            del place[key]
        elif what == 1 and isinstance(place, dict):
            place[draw(NAMES)] = draw(VALUES)
        else:
            place[key] = draw(VALUES)
        if not copy:
            break
    return copy


@st.composite
def places(draw: st.DrawFn, document: Any) -> tuple[Any, Any]:
    """An object or a list somewhere in a document, and a key or an index of it."""
    place = document
    while True:
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        key = draw(st.sampled_from(keys))
        deeper = place[key]
        if not isinstance(deeper, dict | list) or not deeper or draw(st.booleans()):
            return place, key
        place = deeper


@st.composite
def bodies(draw: st.DrawFn, model: str) -> tuple[str, Headers, bytes]:
    """A path, headers and a body, all of them nearly right."""
    by_name, by_tensor = good(model)
    path = draw(st.sampled_from(PATHS))
    document = draw(mutated(by_name if path == "/predict" else by_tensor))
    headers, body = draw(forms(json.dumps(document).encode()))
    if draw(st.booleans()):
        headers.append((b"accept", draw(st.sampled_from(ACCEPTED))))
    return path, headers, body


@st.composite
def forms(draw: st.DrawFn, body: bytes) -> tuple[Headers, bytes]:
    """What becomes of a body on its way: it is damaged, gets more bytes, is packed, or nothing."""
    match draw(st.integers(0, 9)):
        case 0:
            return [], draw(st.binary(max_size=60))
        case 1:
            cut = draw(st.integers(0, len(body)))
            rest = body[cut + draw(st.integers(0, 3)) :]
            return [], body[:cut] + draw(st.binary(max_size=4)) + rest
        case 2 | 3:
            size = len(body)
            lengths = [b"%d" % size, b"0", b"-1", b"%d" % (size + 1), b"x"]
            header = (b"inference-header-content-length", draw(st.sampled_from(lengths)))
            return [header], body + draw(st.binary(max_size=40))
        case 4:
            coding = draw(st.sampled_from([b"gzip", b"deflate", b"br", b"identity", b"\xff"]))
            packed = gzip.compress(body) if draw(st.booleans()) else body
            return [(b"content-encoding", coding)], packed
    return [], body


@contextmanager
def asking(surroundings: Surroundings, model: str) -> Iterator[Ask]:
    """Yield a way to ask a service that serves a model, without a socket."""
    shelf = surroundings.shelf
    shelf.activate(shelf.put("v1", MODELS[model](surroundings.directory / "model.onnx")))
    with asyncio.Runner() as runner:
        context = serving(surroundings)
        service = runner.run(context.__aenter__())
        try:
            runner.run(service.until_serving("v1"))
            front = Front(service.service)
            yield lambda path, headers, body: runner.run(_asked(front, path, headers, body))
        finally:
            runner.run(context.__aexit__(None, None, None))


async def _asked(
    front: Callable[..., Awaitable[None]], path: str, headers: Headers, body: bytes
) -> Answer:
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [*headers, (b"content-length", b"%d" % len(body))],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await front(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def check(answer: Answer) -> None:
    """An answer says what it is, and a refusal why."""
    status, headers, body = answer
    assert status < 500, body
    assert int(headers[b"content-length"]) == len(body)
    assert headers[b"x-request-id"]
    assert headers[b"x-model-version"] == b"v1"
    if status != 200:
        assert headers[b"content-type"] == b"application/json"
        assert list(json.loads(body)) == ["error"]
    elif headers[b"content-type"] == b"application/json":
        json.loads(body)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_that_is_sent_breaks_the_service(surroundings: Surroundings, model: str) -> None:
    statuses: dict[int, int] = {}
    requests = REQUESTS[model]
    with asking(surroundings, model) as ask:

        @settings(
            max_examples=requests,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(bodies(model))
        def send(sent: tuple[str, Headers, bytes]) -> None:
            answer = ask(*sent)
            check(answer)
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1

        send()
    assert sum(statuses.values()) >= requests
    assert statuses[200] > requests // 50, f"most never came to the model: {statuses}"
    assert statuses[400] > requests // 50, f"hardly any was wrong: {statuses}"
