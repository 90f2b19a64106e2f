"""Links between the pages: each leads to a file of the project, and to a heading that is there."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docs.reference.markdown import anchors, without_code_blocks

_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")


def pages(root: Path) -> list[Path]:
    """Return every page that the project's readers are given."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]


def dead(paths: Iterable[Path], root: Path) -> Iterator[str]:
    """Yield a sentence for every link of the pages that leads nowhere within `root`."""
    for path in paths:
        for target in targets(path.read_text(encoding="utf-8")):
            if reason := _reason(target, path, root):
                yield f"{path.relative_to(root)} links to {target}, {reason}"


def targets(text: str) -> list[str]:
    """Return what a page links to, without what is on other people's servers."""
    prose = re.sub(r"`[^`\n]+`(?!\]\()", "", without_code_blocks(text))
    return [target for target in _LINK.findall(prose) if not _ELSEWHERE.match(target)]


def _reason(target: str, path: Path, root: Path) -> str:
    """Say why a link leads nowhere; "" where it leads somewhere."""
    name, _, anchor = target.partition("#")
    there = (path.parent / name).resolve() if name else path
    if not there.is_relative_to(root):
        return "which is outside the project"
    if not there.exists():
        return "where nothing is"
    if anchor and anchor not in anchors(there.read_text(encoding="utf-8")):
        return "where no heading is called that"
    return ""
