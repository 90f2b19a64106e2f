"""Quantities of memory, as Kubernetes writes them."""

import pytest

from pointsman_cli.platforms.kubernetes.quantity import bytes_of


@pytest.mark.parametrize(
    ("quantity", "count"),
    [
        ("0", 0),
        ("512", 512),
        ("1Ki", 1024),
        ("128974848", 128974848),
        ("129M", 129_000_000),
        ("1.5Gi", 1_610_612_736),
        ("2T", 2_000_000_000_000),
        ("128974848000m", 128_974_848),
        ("1500m", 2),
    ],
)
def test_a_quantity_is_so_many_bytes(quantity: str, count: int) -> None:
    assert bytes_of(quantity) == count
