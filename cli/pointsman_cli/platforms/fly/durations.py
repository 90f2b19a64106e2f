"""Durations as fly.toml and flyctl write them: `30s`, `1m21s`, `1h30m`, `500ms`."""

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def seconds(value: object, unit: float = 1.0) -> float | None:
    """Return a duration in seconds; None for what is none.

    A bare number counts in `unit` seconds, which differs from key to key: `kill_timeout` counts
    seconds, checks of `http_service` count nanoseconds (flyctl's internal/appconfig/patches.go).
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * unit
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text == "0":
        return 0.0
    if not _WHOLE.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[name] for number, name in _PART.findall(text))
