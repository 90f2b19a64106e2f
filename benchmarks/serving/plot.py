"""Bars and lines as SVG, by hand: a plotting library would be the largest dependency here."""

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.serving.measuring import Results, Row

_WIDTH, _BAR, _LABEL, _TITLE = 760, 16, 250, 30
_OURS, _OTHERS, _INK = "#1769aa", "#b8c4ce", "#222"


def bars(results: Results) -> str:
    """Draw the throughput of every contestant, by model and connections."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in results.rows:
        groups.setdefault((row.model, row.connections), []).append(row)
    parts: list[str] = []
    top = 10
    for (model, connections), rows in groups.items():
        parts.append(
            _text(8, top + 14, f"{model}, {connections} connections: requests/s", bold=True)
        )
        top += _TITLE
        parts += _group(rows, top)
        top += len(rows) * (_BAR + 4) + 14
    return _document(top, parts)


def line(title: str, values: Sequence[float], unit: str) -> str:
    """Draw values in their order."""
    height, left, bottom = 260, 60, 220
    most = max(values) * 1.1
    step = (_WIDTH - left - 20) / max(len(values) - 1, 1)
    points = " ".join(
        f"{left + number * step:.1f},{bottom - value / most * 170:.1f}"
        for number, value in enumerate(values)
    )
    parts = [
        _text(8, 24, title, bold=True),
        f'<polyline points="{points}" fill="none" stroke="{_OURS}" stroke-width="1.5"/>',
        f'<line x1="{left}" y1="{bottom}" x2="{_WIDTH - 20}" y2="{bottom}" stroke="{_INK}"/>',
        _text(8, bottom, f"0 {unit}"),
        _text(8, bottom - 170, f"{most:.0f} {unit}"),
        _text(left, bottom + 20, "0"),
        _text(_WIDTH - 60, bottom + 20, str(len(values))),
    ]
    return _document(height, parts)


def _group(rows: Sequence[Row], top: int) -> Iterator[str]:
    most = max(row.per_second for row in rows) or 1.0
    for number, row in enumerate(sorted(rows, key=lambda row: -row.per_second)):
        y = top + number * (_BAR + 4)
        width = max(1.0, row.per_second / most * (_WIDTH - _LABEL - 80))
        colour = _OURS if row.name.startswith("pointsman") else _OTHERS
        yield _text(8, y + 12, row.name)
        yield f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
        yield _text(_LABEL + width + 6, y + 12, f"{row.per_second:,.0f}")


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}"{weight}>{escape(text)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" '
        'font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"
