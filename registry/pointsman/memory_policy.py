"""How a version gets into memory that may be short: beside the one that serves, or after it.

Pure rules, shared by the service, which follows them, and the command, which foretells them from
heartbeats. What a version needs is what validation measured, less what a process holds without any
model; what unloading frees is taken to be no more than the files that were loaded.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from pointsman.manifest import Manifest

BASELINE_BYTES = 72 << 20
"""Interpreter, numpy and ONNX Runtime: validation peaks at 77 MB with a model of 200 bytes."""
MARGIN_BYTES = 16 << 20
"""What stays free for requests."""


class Strategy(StrEnum):
    """How a version is loaded, from the one that costs nothing to the one that is none."""

    SIDE_BY_SIDE = "side by side"
    IDLE_FIRST = "idle first"
    """Unload what is only kept to go back to; nobody notices, but going back takes longer."""
    DRAIN_FIRST = "drain first"
    """Unload what serves: until the new version is ready, nothing answers here."""
    REFUSE = "refuse"


class Choice(msgspec.Struct, frozen=True):
    """A strategy, and the numbers that led to it in one sentence."""

    strategy: Strategy
    reason: str


def needed_bytes(manifest: Manifest) -> int:
    """Return how much memory loading and running a version takes at most, beyond a service's."""
    return max(manifest.measured.peak_rss_bytes - BASELINE_BYTES, freed_bytes([manifest]))


def freed_bytes(unloaded: Iterable[Manifest]) -> int:
    """Return how much memory unloading these versions gives back at least."""
    return sum(
        file.size
        for each in unloaded
        for file in each.files
        if each.golden is None or file.path != each.golden.path
    )


def choose(
    wanted: Manifest,
    available_bytes: int | None,
    serving: Iterable[Manifest] = (),
    idle: Iterable[Manifest] = (),
) -> Choice:
    """Choose how to load `wanted` where `available_bytes` are left (None: nobody knows).

    `serving` are the versions that answer requests, `idle` those that are resident and do not.
    """
    serving, idle = [*serving], [*idle]
    need = needed_bytes(wanted)
    if available_bytes is None:
        return Choice(Strategy.SIDE_BY_SIDE, "how much memory is left is not known here")
    numbers = f"{wanted.version} needs {_mb(need)}, {_mb(available_bytes)} are free"
    room = available_bytes - MARGIN_BYTES
    if need <= room:
        return Choice(Strategy.SIDE_BY_SIDE, numbers)
    room += freed_bytes(idle)
    if need <= room:
        return Choice(Strategy.IDLE_FIRST, f"{numbers}: {_names(idle)} is unloaded first")
    room += freed_bytes(serving)
    if need <= room:
        return Choice(
            Strategy.DRAIN_FIRST,
            f"{numbers}: {_names([*serving, *idle])} is unloaded first, "
            "and nothing answers until it is loaded",
        )
    held = [*serving, *idle]
    unloading = f", and unloading {_names(held)} frees {_mb(freed_bytes(held))}" if held else ""
    return Choice(Strategy.REFUSE, f"{numbers}{unloading}: {_mb(need - room)} are missing")


def _names(manifests: Iterable[Manifest]) -> str:
    return " and ".join(each.version for each in manifests)


def _mb(count: int) -> str:
    return f"{max(count, 0) / 1e6:.0f} MB"
