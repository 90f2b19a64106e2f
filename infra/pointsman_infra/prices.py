"""What keeping and serving models costs: a small table with its date, and nothing else.

Prices are of the cheapest public tier without free allowances, in US dollars. Sources:
aws.amazon.com/s3/pricing (eu and us regions), developers.cloudflare.com/r2/pricing,
docs.railway.com/reference/pricing (buckets), cloud.google.com/storage/pricing (one US region),
tigrisdata.com/pricing.
"""

from dataclasses import dataclass

from pointsman_infra.settings import Provider

AS_OF = "2026-08-21"
POLL_SECONDS = 2.0
BEAT_SECONDS = 30.0
"""How often an instance looks at its channel, and reports, unless it is told otherwise."""
_MONTH_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per gigabyte and month, per million requests, and per gigabyte sent out."""

    stored_gb: float
    million_writes: float
    million_reads: float
    egress_gb: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What is kept, and how it is used in a month."""

    stored_gb: float
    instances: int
    downloads: int
    model_gb: float


TABLE = {
    Provider.AWS: Prices(0.023, 5.00, 0.40, 0.09, "S3 Standard; egress to the internet"),
    Provider.R2: Prices(0.015, 4.50, 0.36, 0.0, "R2 Standard; egress is free"),
}
RAILWAY = Prices(0.015, 0.0, 0.0, 0.0, "Railway Buckets; requests are free")
STORES = {
    "s3": TABLE[Provider.AWS],
    "r2": TABLE[Provider.R2],
    "gs": Prices(0.020, 5.00, 0.40, 0.12, "Google Cloud Storage Standard, one US region"),
    "tigris": Prices(0.020, 5.00, 0.50, 0.0, "Tigris Standard; egress is free"),
    "railway": RAILWAY,
}
"""All of them, by the name of the store."""


def following(
    prices: Prices,
    instances: int,
    poll_seconds: float = POLL_SECONDS,
    beat_seconds: float = BEAT_SECONDS,
) -> tuple[float, float]:
    """Return dollars per month for instances that look at a channel, and for their reports.

    A look is one GET, whether anything changed or not; a report is one PUT.
    """
    reads = instances * _MONTH_SECONDS / poll_seconds / 1e6
    writes = instances * _MONTH_SECONDS / beat_seconds / 1e6
    return reads * prices.million_reads, writes * prices.million_writes


def monthly(prices: Prices, usage: Usage) -> dict[str, float]:
    """Return dollars per month by what they are for, to the cent."""
    polling, heartbeats = following(prices, usage.instances)
    parts = {
        "storage": usage.stored_gb * prices.stored_gb,
        "polling": polling,
        "heartbeats": heartbeats,
        "egress": usage.downloads * usage.model_gb * prices.egress_gb,
    }
    rounded = {name: round(value, 2) for name, value in parts.items()}
    return rounded | {"total": round(sum(parts.values()), 2)}
