"""OpenTelemetry traces: one span for every request, joined to the caller's trace.

Where spans go, and what else there is to say, is told by OpenTelemetry's own variables
(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, …). Needs the extra
`pointsman-service[otel]`. Attributes are those of the HTTP semantic conventions.
"""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pointsman.errors import PointsmanError
from pointsman_service.answered import Answered

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_NANOSECONDS = 1_000_000_000
_SERVER_ERROR = 500


class TracingUnavailable(PointsmanError):
    """Traces are asked for, and the packages for them are not installed."""


class Tracing:
    """Turns answered requests into spans, and exports them in the background."""

    def __init__(self, service_name: str, exporter: "SpanExporter | None" = None) -> None:
        """Export by OTLP over HTTP unless there is an `exporter`.

        Raises `TracingUnavailable` without the extra's packages.
        """
        try:
            from opentelemetry import trace
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise TracingUnavailable(
                f"traces are asked for, and there is no {error.name}",
                "Install pointsman-service[otel], or leave POINTSMAN_TRACES out.",
            ) from error
        os.environ.setdefault("OTEL_SERVICE_NAME", service_name)
        self._provider = TracerProvider(resource=Resource.create())
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _exporter()))
        self._tracer = self._provider.get_tracer("pointsman")
        self._propagator = TraceContextTextMapPropagator()
        self._kind = trace.SpanKind.SERVER
        self._failed = trace.Status(trace.StatusCode.ERROR)

    def answered(self, answered: Answered) -> None:
        """Make a span of a request that was answered just now."""
        ended = time.time_ns()
        carrier = {
            name: answered.headers[name.encode()].decode("latin-1")
            for name in ("traceparent", "tracestate")
            if name.encode() in answered.headers
        }
        span = self._tracer.start_span(
            f"{answered.method} {answered.path}",
            self._propagator.extract(carrier),
            self._kind,
            {
                "http.request.method": answered.method,
                "url.path": answered.path,
                "http.response.status_code": answered.status,
                "pointsman.request_id": answered.identifier,
                "pointsman.version": answered.version,
            },
            start_time=ended - int(answered.seconds * _NANOSECONDS),
        )
        if answered.status >= _SERVER_ERROR:
            span.set_status(self._failed)
        span.end(ended)

    def close(self) -> None:
        """Export what is left; takes as long as the exporter does."""
        self._provider.shutdown()


def _exporter() -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    make: Callable[[], SpanExporter] = OTLPSpanExporter
    return make()
