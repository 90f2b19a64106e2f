"""Traces: one span for every request, in the caller's trace."""

import builtins
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pointsman_service.answered import Answered
from pointsman_service.tracing import Tracing, TracingUnavailable
from tests.service.in_process import Surroundings, serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()


def spans(*requests: Answered) -> Any:
    """Return the spans that were exported for some requests."""
    exporter = InMemorySpanExporter()
    tracing = Tracing("m", exporter)
    for request in requests:
        tracing.answered(request)
    tracing.close()
    return exporter.get_finished_spans()


def answered(status: int = 200, headers: dict[bytes, bytes] | None = None) -> Answered:
    return Answered("POST", "/predict", status, "id-1", "v3", 0.25, headers or {})


def test_a_span_tells_of_its_request_and_took_as_long() -> None:
    (span,) = spans(answered())
    assert span.name == "POST /predict"
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "url.path": "/predict",
        "http.response.status_code": 200,
        "pointsman.request_id": "id-1",
        "pointsman.version": "v3",
    }
    assert span.end_time - span.start_time == 250_000_000
    assert span.resource.attributes["service.name"]


def test_a_span_belongs_to_the_callers_trace() -> None:
    (joined,) = spans(answered(headers={b"traceparent": PARENT}))
    assert f"{joined.context.trace_id:032x}" == TRACE
    for nonsense in (b"", b"nonsense", b"\xff"):
        (alone,) = spans(answered(headers={b"traceparent": nonsense}))
        assert alone.parent is None


def test_only_our_failures_are_errors() -> None:
    found = spans(answered(200), answered(400), answered(503))
    assert [span.status.is_ok for span in found] == [True, True, False]


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name=name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TracingUnavailable) as unavailable:
        Tracing("m")
    assert "pointsman-service[otel]" in unavailable.value.hint


@pytest.mark.anyio
async def test_a_service_tells_its_listeners_of_every_request(tmp_path: Path) -> None:
    surroundings = Surroundings(tmp_path)
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    heard: list[Answered] = []
    async with serving(surroundings) as service:
        await service.until_serving("v1")
        service.service.listeners.append(heard.append)
        await service.predict([[1, 2, 3, 4]], headers={"x-request-id": "mine"})
        await service.client.get("/nothing")
    assert [(each.path, each.status, each.version) for each in heard] == [
        ("/predict", 200, "v1"),
        ("/nothing", 404, "v1"),
    ]
    assert heard[0].identifier == "mine"
    assert heard[0].seconds > 0
