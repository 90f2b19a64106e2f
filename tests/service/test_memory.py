"""What the process holds in memory."""

import gc
from pathlib import Path

import pytest

from pointsman_service.runtime import memory


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_the_resident_size_grows_with_what_is_held() -> None:
    before = memory.resident_bytes()
    ballast = bytearray(b"x") * (64 << 20)
    assert memory.resident_bytes() - before > 32 << 20
    del ballast


def test_what_is_alive_when_memory_settles_is_no_longer_looked_through() -> None:
    gc.unfreeze()
    try:
        memory.settle()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_trimming_is_harmless() -> None:
    memory.trim()
