"""What is counted of a version's requests."""

import pytest

from pointsman_service.statistics import BUCKETS, Histogram, Phase, Statistics


def test_a_duration_falls_into_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram()
    histogram.observe((0.0, BUCKETS[0], 0.003, BUCKETS[-1]))
    histogram.observe((1000.0,))
    assert histogram.counts[0] == 2
    assert histogram.counts[BUCKETS.index(0.005)] == 1
    assert histogram.counts[-2:] == [1, 1]
    assert histogram.sum == pytest.approx(0.0001 + 0.003 + 10 + 1000)


def test_an_answer_counts_its_rows_and_every_phase() -> None:
    statistics = Statistics()
    statistics.answered(3, queue=0.1, compute=0.2, total=0.4)
    statistics.answered(2, queue=0.1, compute=0.2, total=0.4)
    assert (statistics.requests, statistics.rows) == (2, 5)
    assert {phase: sum(statistics.phases[phase].counts) for phase in Phase} == dict.fromkeys(
        Phase, 2
    )
    assert statistics.phases[Phase.TOTAL].sum == pytest.approx(0.8)


def test_quantiles_are_those_of_recent_totals() -> None:
    statistics = Statistics()
    assert statistics.quantiles() is None
    for total in range(100):
        statistics.answered(1, 0, 0, total)
    assert statistics.quantiles() == (50, 99)
    for _ in range(2048):
        statistics.answered(1, 0, 0, 7.0)
    assert statistics.quantiles() == (7.0, 7.0)


def test_one_answer_is_its_own_median() -> None:
    statistics = Statistics()
    statistics.answered(1, 0, 0, 0.5)
    assert statistics.quantiles() == (0.5, 0.5)


def test_the_99th_percentile_of_the_last_requests_knows_nothing_of_earlier_ones() -> None:
    statistics = Statistics()
    assert statistics.p99_of_last(10) is None
    for total in (5.0, 9.0, *[1.0] * 300):
        statistics.answered(1, 0.0, 0.0, total)
    assert statistics.p99_of_last(300) == 1.0
    assert statistics.p99_of_last(301) == 1.0
    assert statistics.p99_of_last(10**6) == 1.0
    statistics.answered(1, 0.0, 0.0, 7.0)
    assert statistics.p99_of_last(10) == 7.0
