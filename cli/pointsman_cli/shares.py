"""Shares: which version gets how many of the requests, and how each has been answering."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pointsman.channel import Channel, Pointer
from pointsman.heartbeat import Heartbeat
from pointsman_cli.traffic import Reading, read
from pointsman_cli.units import duration, percent

_ALL = 100
_COLUMNS = ("version", "role", "share", "instances", "requests", "errors", "p50", "p99", "remarks")


def sentence(channel: Channel) -> str:
    """Say which version gets what: `gives v2 95 %, v3 5 % of the requests; v4 computes along`."""
    given = " and ".join(
        f"{pointer.version} {weight} %"
        for pointer, role, weight in _roles(channel)
        if role != "shadow"
    )
    shadow = channel.shadow
    along = f"; {shadow.version} computes along for {shadow.percent} %" if shadow else ""
    return f"gives {given} of the requests{along}"


def document(
    channel: Channel, beating: list[Heartbeat], *, waiting: bool = False
) -> list[dict[str, Any]]:
    """Return every version with its share and what it did, for `--json`.

    With `waiting`, also those that are in memory only to be gone back to.
    """
    return [
        {"role": role, "percent": weight}
        | reading.document()
        | {"shadow": msgspec.structs.asdict(reading.shadow) if reading.shadow else None}
        for role, weight, reading in _readings(channel, beating, waiting=waiting)
    ]


def rows(
    channel: Channel, beating: list[Heartbeat], *, waiting: bool = False
) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return the same as columns and rows."""
    return _COLUMNS, [
        [
            reading.version,
            role,
            f"{weight} %",
            str(reading.instances),
            str(reading.requests),
            str(reading.errors),
            duration(reading.p50_seconds),
            duration(reading.p99_seconds),
            _remarks(reading),
        ]
        for role, weight, reading in _readings(channel, beating, waiting=waiting)
    ]


def _readings(
    channel: Channel, beating: list[Heartbeat], *, waiting: bool
) -> Iterator[tuple[str, int, Reading]]:
    for pointer, role, weight in _roles(channel):
        yield role, weight, read(pointer.version, pointer.digest, beating)
    named = {pointer.digest for pointer in channel.named}
    idle = {
        each.digest: each.version
        for beat in beating
        for each in beat.servables
        if waiting and each.state == "ready" and each.digest not in named
    }
    for digest, version in idle.items():
        yield "waiting", 0, read(version, digest, beating)


def _roles(channel: Channel) -> Iterator[tuple[Pointer, str, int]]:
    canary, shadow = channel.canary, channel.shadow
    yield channel.stable, "stable", _ALL - (canary.weight if canary else 0)
    if canary is not None:
        yield canary, "canary", canary.weight
    if shadow is not None:
        yield shadow, "shadow", shadow.percent


def _remarks(reading: Reading) -> str:
    """Render what is worth a look: what was turned away, NaN, constants, a shadow's differences."""
    parts = [
        f"{reading.dropped} turned away" if reading.dropped else "",
        f"{reading.nonfinite} with NaN or infinity" if reading.nonfinite else "",
        f"constant on {reading.constant}" if reading.constant else "",
    ]
    if compared := reading.shadow:
        parts.append(f"{compared.requests} compared, {compared.dropped} left out")
        if compared.max_difference is not None:
            parts.append(f"largest difference {compared.max_difference:.3g}")
        if compared.top1_agreement is not None:
            parts.append(f"same best class {percent(compared.top1_agreement)}")
    return " · ".join(part for part in parts if part) or "-"
