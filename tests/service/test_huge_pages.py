"""Memory that is filled is moved to huge pages, and nothing else is changed about it."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman_service.runtime import huge_pages

HUGE = 2 << 20
BYTES = 16 * HUGE
SMAPS = Path("/proc/self/smaps_rollup")


@pytest.fixture
def ballast() -> NDArray[np.uint8]:
    """Sixteen huge pages' worth of memory, nothing in it yet."""
    # numpy would ask for huge pages by itself.
    memory = memoryview(ctypes.create_string_buffer(BYTES + HUGE)).cast("B")
    return np.frombuffer(memory, np.uint8)


def filled(array: NDArray[np.uint8]) -> None:
    array[:] = np.arange(len(array), dtype=np.uint8)


def in_huge_pages() -> int:
    """How many bytes of this process are, by the kernel's own count."""
    for line in SMAPS.read_text().splitlines():
        if line.startswith("AnonHugePages:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the kernel does not tell")


def known_here() -> bool:
    """Tell whether this kernel collapses a page of its own that is as filled as can be."""
    if not huge_pages._SIZE.exists() or int(huge_pages._SIZE.read_text()) != HUGE:
        return False
    own = ctypes.create_string_buffer(b"x" * 2 * HUGE)
    start = -(-ctypes.addressof(own) // HUGE) * HUGE
    madvise = ctypes.CDLL(None).madvise
    arguments = (ctypes.c_void_p(start), ctypes.c_size_t(HUGE), huge_pages._MADV_COLLAPSE)
    return bool(madvise(*arguments) == 0)


needs_kernel = pytest.mark.skipif(not known_here(), reason="this kernel has no MADV_COLLAPSE")


@needs_kernel
def test_what_is_filled_is_gathered_and_stays_what_it_was(ballast: NDArray[np.uint8]) -> None:
    filled(ballast)
    before = in_huge_pages()
    gathered = huge_pages.gather()
    # How many free ones there are is the system's business.
    assert gathered >= HUGE
    assert in_huge_pages() > before
    assert (ballast == np.arange(len(ballast), dtype=np.uint8)).all()


@needs_kernel
def test_memory_of_which_little_is_used_gets_no_more(ballast: NDArray[np.uint8]) -> None:
    huge_pages.gather()
    before = in_huge_pages()
    ballast[:: HUGE // 4] = 1
    huge_pages.gather()
    assert in_huge_pages() < before + BYTES // 2


@needs_kernel
def test_it_ends_as_soon_as_it_may_not_go_on(ballast: NDArray[np.uint8]) -> None:
    filled(ballast)
    asked = iter([True, True, False, True])
    assert huge_pages.gather(lambda: next(asked)) <= 2 * HUGE
    assert list(asked) == [True]


def test_where_the_system_has_none_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huge_pages, "_SIZE", tmp_path / "missing")
    assert huge_pages.gather() == 0


def test_what_a_kernel_refuses_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, ballast: NDArray[np.uint8]
) -> None:
    filled(ballast)
    monkeypatch.setattr(huge_pages, "_MADV_COLLAPSE", 9999)
    start = -(-ballast.ctypes.data // HUGE) * HUGE
    rest = iter([start, start + HUGE])
    monkeypatch.setattr(huge_pages, "_filled", lambda _size: rest)
    assert huge_pages.gather() == 0
    assert next(rest) == start + HUGE
