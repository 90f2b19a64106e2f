"""What the pages are written in: Markdown as GitHub reads it."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]*`)")
# What would begin a tag, emphasis or a link, if it were not said to be a letter.
_MARKS = re.compile(r"([\\<*\[\]])")


def prose(text: str) -> str:
    """Return plain text so that it is read as it stands; what is in backticks stays code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else _MARKS.sub(r"\\\1", part) for part in parts)


def code(text: str) -> str:
    """Return text as code, or nothing for nothing."""
    return f"`{text}`" if text else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown of one line."""
    lines = (map(_cell, line) for line in (head, ["---"] * len(head), *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(*blocks: str) -> str:
    """Return blocks, with an empty line between each, as a page."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def anchors(text: str) -> set[str]:
    """Return what the headings of a page can be linked by, as GitHub names them."""
    names: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", without_code_blocks(text), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        again = (f"{name}-{number}" for number in range(1, len(names) + 1))
        names.add(name if name not in names else next(each for each in again if each not in names))
    return names


def without_code_blocks(text: str) -> str:
    """Return what of a page is read as Markdown."""
    return re.sub(r"^(```+)[^\n]*\n.*?^\1 *$", "", text, flags=re.MULTILINE | re.DOTALL)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
