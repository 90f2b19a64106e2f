"""How large a machine is, and what it costs: presets, memory, and Fly's list prices.

Prices are those of Fly's pricing page of August 2026 (superfly/docs,
`snippets/RegionPricingSelector.jsx`): a rate per CPU and per GB of memory beyond what the CPUs
include, in Ashburn, and a factor per region. They are an orientation, not a bill.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRICES_OF = "August 2026"
_MONTH_SECONDS = 30 * 24 * 3600
_PER_CPU_SECOND = {"shared": 0.00000075, "performance": 0.00001196}
_PER_GB_SECOND = 0.00000193
_PER_GB_STOPPED = 0.15
"""A month of a stopped machine's root filesystem."""
_INCLUDED_MB = {"shared": 256, "performance": 2048}
_MOST_MB = {"shared": 2048, "performance": 8192}
_CPUS = {"shared": (1, 2, 4, 6, 8), "performance": (1, 2, 4, 6, 8, 10, 12, 14, 16)}
_FACTORS = {
    "ams": 1.0385, "arn": 1.0385, "cdg": 1.1346, "dfw": 1.25, "ewr": 1.0, "fra": 1.1538,
    "gru": 1.6154, "iad": 1.0, "jnb": 1.3029, "lax": 1.1995, "lhr": 1.1346, "nrt": 1.3077,
    "ord": 1.25, "sin": 1.2692, "sjc": 1.1923, "syd": 1.2692, "yyz": 1.1154,
}  # fmt: skip
PRESETS = {
    f"{'shared-cpu' if kind == 'shared' else kind}-{cpus}x": (kind, cpus)
    for kind, counts in _CPUS.items()
    for cpus in counts
}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(gb|gib|g|mb|mib|m)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Size:
    """A machine's CPUs and memory."""

    kind: str = "shared"
    cpus: int = 1
    memory_mb: int = 256

    def __str__(self) -> str:
        name = "shared-cpu" if self.kind == "shared" else self.kind
        memory = f"{self.memory_mb / 1024:g} GB" if self.memory_mb >= 1024 else ""  # noqa: PLR2004
        return f"{name}-{self.cpus}x with {memory or f'{self.memory_mb} MB'}"

    @property
    def memory_bytes(self) -> int:
        """The memory, in bytes."""
        return self.memory_mb << 20

    @property
    def most_mb(self) -> int:
        """The memory that this many CPUs may have at most."""
        return _MOST_MB[self.kind] * self.cpus


class SizeInvalid(ValueError):
    """A `[[vm]]` that Fly has no machine for; the text says what there is."""


def size(table: Mapping[str, Any]) -> Size:
    """Read a `[[vm]]` table; raises `SizeInvalid`."""
    name = table.get("size", "shared-cpu-1x")
    if name not in PRESETS:
        raise SizeInvalid(f"there is no size {name!r}: it is one of {', '.join(PRESETS)}")
    kind, cpus = PRESETS[name]
    kind, cpus = table.get("cpu_kind", kind), table.get("cpus", cpus)
    if kind not in _CPUS or cpus not in _CPUS[kind]:
        raise SizeInvalid(f"there is no machine with {cpus} CPUs of the kind {kind!r}")
    given = table.get("memory", table.get("memory_mb", _INCLUDED_MB[kind] * cpus))
    return Size(kind, cpus, _megabytes(given))


def monthly(size: Size, region: str) -> float:
    """Return US dollars for a machine that runs for 30 days; an unknown region counts as iad."""
    extra_gb = max(0, size.memory_mb - _INCLUDED_MB[size.kind] * size.cpus) / 1024
    rate = size.cpus * _PER_CPU_SECOND[size.kind] + extra_gb * _PER_GB_SECOND
    return rate * _MONTH_SECONDS * _FACTORS.get(region, 1.0)


def cost(size: Size, region: str, most: int, least: int) -> str:
    """Say in a sentence what between `least` and `most` running machines cost in a month."""
    each = monthly(size, region)
    amount = f"${each * most:.2f}"
    if least < most:
        amount = f"${each * least:.2f} to {amount}"
    where = f" in {region}" if region else ""
    return (
        f"{amount} a month for {most} machines of {size}{where}, by Fly's list prices of "
        f"{PRICES_OF}; traffic, and ${_PER_GB_STOPPED} per GB of a stopped machine's image, come "
        "on top"
    )


def _megabytes(given: object) -> int:
    found = _MEMORY.fullmatch(str(given).strip())
    if not found:
        raise SizeInvalid(f"memory cannot be {given!r}: write it like 512mb or 2gb")
    unit = (found[2] or "mb").lower()
    return round(float(found[1]) * (1024 if unit.startswith("g") else 1))
