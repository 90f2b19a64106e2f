"""What a scrape finds."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointsman.channel import Pointer
from tests.service.in_process import InProcess, Surroundings, serving
from tests.service.patience import until

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, str], float]


async def scrape(service: InProcess) -> Samples:
    """Return every sample by name and version; no sample may come twice."""
    response = await service.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    samples: Samples = {}
    for family in text_string_to_metric_families(response.text):
        assert family.documentation
        assert family.name.startswith("pointsman_")
        for sample in family.samples:
            if "le" not in sample.labels:
                key = (sample.name, sample.labels.get("version", ""))
                assert key not in samples
                samples[key] = sample.value
    return samples


async def test_requests_rows_and_mistakes_are_counted_by_version(served: InProcess) -> None:
    await served.predict([[1, 2, 3, 4], [5, 6, 7, 8]])
    await served.predict([[1, 2, 3, 4]])
    await served.predict([["a", "b", "c", "d"]])
    samples = await scrape(served)
    assert samples["pointsman_requests_total", "v1"] == 2
    assert samples["pointsman_rows_total", "v1"] == 3
    assert samples["pointsman_rejected_total", "v1"] == 1
    assert samples["pointsman_errors_total", "v1"] == 0
    for phase in ("queue", "compute", "total"):
        assert samples[f"pointsman_{phase}_seconds_count", "v1"] == 2
    assert samples["pointsman_ready", ""] == 1
    assert samples["pointsman_generation", ""] == 1
    assert samples["pointsman_in_flight", ""] == 0
    assert samples["pointsman_resident_bytes", ""] > 0


async def test_buckets_are_cumulative_and_end_with_all_requests(served: InProcess) -> None:
    for _ in range(3):
        await served.predict([[1, 2, 3, 4]])
    text = (await served.client.get("/metrics")).text
    counts = re.findall(r'pointsman_total_seconds_bucket\{le="([^"]+)".*\} (\S+)', text)
    values = [float(value) for _, value in counts]
    assert values == sorted(values)
    assert (counts[-1][0], values[-1]) == ("+Inf", 3)


async def test_loads_switches_and_rollbacks_are_counted(served: InProcess) -> None:
    shelf = served.surroundings.shelf
    shelf.activate(shelf.affine("v2", 3.0))
    await served.until_serving("v2")
    shelf.rollback()
    await served.until_serving("v1")
    shelf.activate(shelf.affine("v3", 4.0, golden_factor=5.0))
    await until(lambda: served.service.manager.refusal)
    samples = await scrape(served)
    assert samples["pointsman_loads_total", ""] == 2
    assert samples["pointsman_switches_total", ""] == 2
    assert samples["pointsman_rollbacks_total", ""] == 1
    assert samples["pointsman_failed_loads_total", ""] == 1


async def test_a_version_that_drains_still_counts_as_in_flight(served: InProcess) -> None:
    shelf = served.surroundings.shelf
    with served.service.router.claim():
        for version, factor in (("v2", 3.0), ("v3", 4.0)):
            shelf.activate(shelf.affine(version, factor))
            await served.until_serving(version)
        samples = await scrape(served)
        assert samples["pointsman_in_flight", ""] == 1
        assert samples["pointsman_requests_total", "v1"] == 0


async def test_counts_of_a_version_go_on_when_it_comes_back(served: InProcess) -> None:
    shelf = served.surroundings.shelf
    await served.predict([[1, 2, 3, 4]])
    assert served.service.router.stable is not None
    v1 = served.service.router.stable
    for version, factor in (("v2", 3.0), ("v3", 4.0)):
        shelf.activate(shelf.affine(version, factor))
        await served.until_serving(version)
    await until(lambda: v1.state == "unloaded")
    assert (await scrape(served))["pointsman_requests_total", "v1"] == 1
    shelf.activate(Pointer(version="v1", digest=v1.version.digest))
    await served.until_serving("v1")
    await served.predict([[1, 2, 3, 4]])
    assert (await scrape(served))["pointsman_requests_total", "v1"] == 2


async def test_without_a_version_there_is_something_to_scrape_too(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings) as service:
        samples = await scrape(service)
        assert samples["pointsman_ready", ""] == 0
        assert samples["pointsman_loads_total", ""] == 0
