"""How much memory this process holds, and giving back what a dropped session leaves behind."""

import ctypes
import gc
import os
from functools import cache
from pathlib import Path
from typing import Any

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


def resident_bytes() -> int:
    """Return the resident set size; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def settle() -> None:
    """Collect garbage, and take what is alive out of the collector's future work.

    Without this, a full collection walks every loaded module in the middle of some request. Call
    it after many modules were imported and not more often: what is frozen while it is garbage, or
    becomes part of a cycle later, is never freed.
    """
    gc.collect()
    gc.freeze()
    trim()


def few_arenas() -> None:
    """Let glibc keep two heaps instead of eight per core; call it before threads are started.

    A heap that a thread once used is never given back as a whole, and every session that is
    loaded starts threads.
    """
    if (libc := _libc()) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """Return freed memory to the system: ONNX Runtime's arenas leave it with glibc.

    Takes 4 to 8 ms; call it off the event loop.
    """
    if (libc := _libc()) is not None:
        libc.malloc_trim(0)


@cache
def _libc() -> Any:
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "malloc_trim") else None
    except OSError:
        return None
