"""What keeping and serving models costs: a small table with its date, and nothing else.

Prices are of the cheapest public tier without free allowances, in US dollars. Sources:
aws.amazon.com/s3/pricing (eu and us regions), developers.cloudflare.com/r2/pricing,
docs.railway.com/reference/pricing (buckets).
"""

from dataclasses import dataclass

from pointsman_infra.settings import Provider

AS_OF = "2026-08-21"
_POLL_SECONDS = 2
_BEAT_SECONDS = 30
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


def monthly(prices: Prices, usage: Usage) -> dict[str, float]:
    """Return dollars per month by what they are for, to the cent."""
    reads = usage.instances * _MONTH_SECONDS / _POLL_SECONDS / 1e6
    writes = usage.instances * _MONTH_SECONDS / _BEAT_SECONDS / 1e6
    parts = {
        "storage": usage.stored_gb * prices.stored_gb,
        "polling": reads * prices.million_reads,
        "heartbeats": writes * prices.million_writes,
        "egress": usage.downloads * usage.model_gb * prices.egress_gb,
    }
    rounded = {name: round(value, 2) for name, value in parts.items()}
    return rounded | {"total": round(sum(parts.values()), 2)}
