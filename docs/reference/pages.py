"""Which pages are written from the code, and whether they are what the code makes today."""

from collections.abc import Callable
from pathlib import Path

from docs.reference import commands, settings

ROOT = Path(__file__).parents[2]
PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "commands.md": commands.written,
    ROOT / "docs" / "settings.md": settings.written,
}


def write() -> list[Path]:
    """Write the pages; return those that have changed."""
    changed = stale()
    for path in changed:
        path.write_text(PAGES[path](), encoding="utf-8")
    return changed


def stale() -> list[Path]:
    """Return the pages that are not what the code makes."""
    return [path for path, written in PAGES.items() if _read(path) != written()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
