"""The estimate is arithmetic over a dated table."""

from datetime import date

import pytest

from pointsman_infra import prices
from pointsman_infra.prices import Prices, Usage
from pointsman_infra.settings import Provider


def test_an_estimate_is_the_sum_of_its_parts() -> None:
    table = Prices(stored_gb=1, million_writes=10, million_reads=1, egress_gb=0.5)
    usage = Usage(stored_gb=2, instances=1, downloads=4, model_gb=3)
    estimate = prices.monthly(table, usage)
    assert estimate["storage"] == 2
    assert estimate["egress"] == 6
    assert estimate["polling"] == 1.3, "1.296 million polls in thirty days"
    assert estimate["heartbeats"] == 0.86, "86,400 heartbeats"
    assert estimate["total"] == 10.16


def test_nothing_costs_nothing() -> None:
    usage = Usage(stored_gb=0, instances=0, downloads=0, model_gb=1)
    assert prices.monthly(prices.TABLE[Provider.AWS], usage)["total"] == 0


def test_egress_of_r2_is_free_and_the_table_has_a_date() -> None:
    assert prices.TABLE[Provider.R2].egress_gb == 0
    assert date.fromisoformat(prices.AS_OF) >= date(2026, 1, 1)


def test_looking_less_often_costs_less() -> None:
    table = Prices(stored_gb=1, million_writes=10, million_reads=1, egress_gb=0.5)
    assert prices.following(table, 1) == pytest.approx((1.296, 0.864))
    half = prices.following(table, 2, poll_seconds=20, beat_seconds=60)
    assert half == pytest.approx((0.2592, 0.864))
