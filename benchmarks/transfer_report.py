"""What `benchmarks.transfer` found, as a table to read and a plot to look at."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

Rows = list[dict[str, Any]]

_COLOURS = {
    "pointsman": "#1b6ac9",
    "s5cmd": "#8a8f98",
    "rclone": "#aab0b8",
    "aws-crt": "#c4c9cf",
    "boto3": "#dcdfe3",
    "plain copy": "#f0d9a8",
}
_WIDTH, _BAR, _GAP, _LEFT, _RIGHT = 720, 16, 14, 90, 60


def table(rows: Rows) -> list[str]:
    """Return the lines of a Markdown table."""
    if not rows:
        return ["not measured here"]
    columns = list(rows[0])
    cells = [[str("-" if row[key] is None else row[key]) for key in columns] for row in rows]
    line = "| {} |".format
    return [
        line(" | ".join(columns)),
        line(" | ".join("---" for _ in columns)),
        *(line(" | ".join(row)) for row in cells),
    ]


def plot(answers: dict[str, Rows]) -> str:
    """Return an SVG of bars, one group for each kind of transfer and size; longer is faster."""
    groups = list(_groups(answers))
    scale = max((row["mb_per_second"] for _, rows in groups for row in rows), default=1)
    parts: list[str] = []
    y = _GAP
    for title, rows in groups:
        y += _BAR
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 6
        for row in rows:
            parts += _bar(row, y, (_WIDTH - _LEFT - _RIGHT) / scale)
            y += _BAR + 2
        y += _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" '
        f'fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _groups(answers: dict[str, Rows]) -> Iterator[tuple[str, Rows]]:
    for name, rows in answers.items():
        for size in dict.fromkeys(row["mb"] for row in rows):
            yield f"{name}, {size} MB", [row for row in rows if row["mb"] == size]


def _bar(row: dict[str, Any], y: int, scale: float) -> Sequence[str]:
    tool, speed = row["tool"], row["mb_per_second"]
    return (
        f'<text x="{_LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(tool)}</text>',
        (
            f'<rect x="{_LEFT}" y="{y}" width="{speed * scale:.1f}" height="{_BAR}" '
            f'fill="{_COLOURS.get(tool, "#999")}"/>'
        ),
        f'<text x="{_LEFT + speed * scale + 4:.1f}" y="{y + 12}">{speed} MB/s</text>',
    )
