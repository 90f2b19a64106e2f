"""Numbers and moments as people read them."""

import unicodedata

_DURATIONS = (
    # Limits lie where rounding would reach the next unit: never "1000 ms", never "60 min" of 2 h.
    (0.0009995, 1e-6, "µs", 0),
    (0.9995, 1e-3, "ms", 0),
    (9.95, 1, "s", 1),
    (119.5, 1, "s", 0),
    (7_170, 60, "min", 0),
    (171_000, 3_600, "h", 0),
)
_LEAST_SECONDS = 5e-7
_SIZES = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def size(count: float) -> str:
    """Render bytes: `4.4 kB`."""
    for unit in _SIZES[:-1]:
        digits = 0 if unit == "B" else 1
        if round(count, digits) < _THOUSAND:
            return f"{count:.{digits}f} {unit}"
        count /= _THOUSAND
    return f"{count:.1f} {_SIZES[-1]}"


def duration(seconds: float | None) -> str:
    """Render seconds: `340 µs`, `12 ms`, `1.4 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return "-"
    if seconds < _LEAST_SECONDS:
        return "0 s"
    for below, divisor, unit, digits in _DURATIONS:
        if seconds < below:
            return f"{seconds / divisor:.{digits}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def moment(timestamp: str) -> str:
    """Render a document's time, which is UTC, to the second: `2026-11-22 20:13:06`."""
    return timestamp.replace("T", " ")[:19]


def counted(count: int, noun: str) -> str:
    """Render `1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def clean(text: str) -> str:
    """Make control characters visible: what others wrote must not steer a terminal."""
    return "".join(
        repr(character)[1:-1]
        if unicodedata.category(character) == "Cc" and character not in "\n\t"
        else character
        for character in text
    )


def percent(share: float) -> str:
    """Render a share: `1 %`, `0.5 %`, `97.3 %`."""
    return f"{round(100 * share, 1):g} %"
