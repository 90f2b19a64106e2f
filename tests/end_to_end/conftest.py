"""What the end-to-end tests share: a shelf of versions in a directory."""

from pathlib import Path

import pytest

from tests.service.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, file_url: str) -> Shelf:
    """An empty `file://` store, and a quick way to put versions into it."""
    return Shelf.at(file_url, tmp_path / "models")
