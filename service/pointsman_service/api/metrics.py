"""`GET /metrics`: what the service counts, in Prometheus' text format.

The counts are plain integers kept elsewhere; the client library only writes them down, and is
imported by the first scrape.
"""

import asyncio
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from pointsman_service import health
from pointsman_service.api.messages import Request, Response
from pointsman_service.runtime import memory
from pointsman_service.service import Service
from pointsman_service.statistics import BUCKETS, Histogram, Phase

if TYPE_CHECKING:
    from prometheus_client.core import Metric


_COUNTED = {
    "requests": "Requests answered",
    "rows": "Rows answered",
    "runs": "Runs of the model, which several requests may share",
    "rejected": "Requests refused as the caller's mistake",
    "dropped": "Requests given up: the queue was full, the deadline passed, the caller left",
    "errors": "Requests failed",
}


class ServiceCollector:
    """Reads the service's counts when asked; a `prometheus_client` collector."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator["Metric"]:
        """Yield every metric with its present value."""
        yield from self._requests()
        yield from self._durations()
        yield from self._looks()
        yield from self._shadow()
        yield from self._state()

    def _requests(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily

        for member, text in _COUNTED.items():
            family = CounterMetricFamily(
                f"pointsman_{member}", f"{text}, by version.", labels=["model", "version"]
            )
            for servable in self._service.manager.residents:
                manifest = servable.version.manifest
                count = getattr(servable.statistics, member)
                family.add_metric([manifest.model, manifest.version], count)
            yield family

    def _durations(self) -> Iterator["Metric"]:
        from prometheus_client.core import HistogramMetricFamily

        for phase in Phase:
            family = HistogramMetricFamily(
                f"pointsman_{phase}_seconds",
                f"Seconds per request: {phase}.",
                labels=["model", "version"],
            )
            for servable in self._service.manager.residents:
                manifest = servable.version.manifest
                histogram = servable.statistics.phases[phase]
                family.add_metric(
                    [manifest.model, manifest.version], _cumulative(histogram), histogram.sum
                )
            yield family

    def _looks(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily

        texts = {
            "looked_at": "Answers that were looked at",
            "nonfinite": "Of these, such with NaN or infinity",
        }
        for name, text in texts.items():
            family = CounterMetricFamily(
                f"pointsman_{name}", f"{text}, by version.", labels=["model", "version"]
            )
            for servable in self._service.manager.residents:
                manifest, looks = servable.version.manifest, servable.looks
                count = looks.looked if name == "looked_at" else looks.nonfinite
                family.add_metric([manifest.model, manifest.version], count)
            yield family

    def _shadow(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        mirror = self._service.manager.mirror
        if mirror.servable is None:
            return
        comparison, manifest = mirror.comparison, mirror.servable.version.manifest
        where = [manifest.model, manifest.version]
        for name in ("requests", "dropped"):
            family = CounterMetricFamily(
                f"pointsman_shadow_{name}", f"A shadow's: {name}.", labels=["model", "version"]
            )
            family.add_metric(where, getattr(comparison, name))
            yield family
        for name in ("max_difference", "top1_agreement"):
            value = getattr(comparison, name)
            gauge = GaugeMetricFamily(
                f"pointsman_shadow_{name}",
                f"A shadow's {name.replace('_', ' ')} with what was answered.",
                labels=["model", "version"],
            )
            if value is not None:
                gauge.add_metric(where, value)
            yield gauge

    def _state(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        service = self._service
        counters = service.manager.counters
        for name in ("loads", "failed_loads", "switches", "rollbacks", "returns"):
            words = name.replace("_", " ")
            yield CounterMetricFamily(
                f"pointsman_{name}", f"Versions: {words}.", value=getattr(counters, name)
            )
        ready = health.judge(service).ready
        generation = service.manager.observed_generation
        resident = memory.resident_bytes()
        yield GaugeMetricFamily("pointsman_ready", "1 when a version answers.", value=ready)
        yield GaugeMetricFamily("pointsman_generation", "The channel's.", value=generation)
        yield GaugeMetricFamily("pointsman_resident_bytes", "Memory held.", value=resident)
        in_flight = service.manager.residents.in_flight
        yield GaugeMetricFamily("pointsman_in_flight", "Requests being answered.", value=in_flight)


async def metrics(service: Service, _request: Request) -> Response:
    """Answer a scrape."""
    # Only the import happens in a thread: what is counted changes on the event loop.
    client = await asyncio.to_thread(_client)
    registry = client.CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(service))
    body = client.exposition.generate_latest(registry)
    return Response(200, body, client.exposition.CONTENT_TYPE_LATEST.encode())


@cache
def _client() -> ModuleType:
    import prometheus_client

    memory.settle()
    return prometheus_client


def _cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    total = 0
    buckets = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), histogram.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
