"""How much memory is left, as cgroups of both versions and the host tell."""

from pathlib import Path

import pytest

from pointsman_service.runtime import headroom, memory
from pointsman_service.runtime.headroom import Headroom

NO_LIMIT_BY_VERSION_1 = 9223372036854771712


def machine(root: Path, listing: str, total: int = 1000, available: int = 800) -> Path:
    """A machine with `available` of `total` KiB, and a process in the cgroups of `listing`."""
    meminfo = f"MemTotal: {total} kB\nMemFree: 1 kB\nMemAvailable: {available} kB\n"
    write(root / "proc/meminfo", meminfo)
    write(root / "proc/self/cgroup", listing)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version_2(root: Path, limit: str, usage: int, inactive: int, place: str = "") -> None:
    directory = root / "sys/fs/cgroup" / place
    write(directory / "memory.max", f"{limit}\n")
    write(directory / "memory.current", f"{usage}\n")
    write(directory / "memory.stat", f"anon 5\nfile 9\ninactive_file {inactive}\n")


def version_1(root: Path, limit: int, usage: int, inactive: int, place: str = "") -> None:
    directory = root / "sys/fs/cgroup/memory" / place
    write(directory / "memory.limit_in_bytes", f"{limit}\n")
    write(directory / "memory.usage_in_bytes", f"{usage}\n")
    write(directory / "memory.stat", f"inactive_file 1\ntotal_inactive_file {inactive}\n")


def test_without_a_cgroup_the_host_decides(tmp_path: Path) -> None:
    assert headroom.measure(root=machine(tmp_path, "")) == Headroom(1000 << 10, 800 << 10)


def test_version_2_counts_inactive_files_as_free(tmp_path: Path) -> None:
    version_2(machine(tmp_path, "0::/\n"), "500000", usage=300000, inactive=100000)
    assert headroom.measure(root=tmp_path) == Headroom(500000, 300000)


def test_version_1_counts_inactive_files_as_free(tmp_path: Path) -> None:
    root = machine(tmp_path, "4:memory:/docker/abc\n0::/\n")
    version_1(root, 500000, usage=300000, inactive=100000)
    assert headroom.measure(root=root) == Headroom(500000, 300000), "the path is the host's"


@pytest.mark.parametrize("version", [1, 2])
def test_a_cgroup_without_a_limit_leaves_it_to_the_host(tmp_path: Path, version: int) -> None:
    root = machine(tmp_path, "0::/\n" if version == 2 else "4:memory:/\n")
    if version == 2:
        version_2(root, "max", usage=300000, inactive=0)
    else:
        version_1(root, NO_LIMIT_BY_VERSION_1, usage=300000, inactive=0)
    assert headroom.measure(root=root) == Headroom(1000 << 10, 800 << 10)


def test_the_tightest_of_nested_cgroups_decides(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/slice/app\n")
    version_2(root, "900000", usage=100000, inactive=0, place="slice/app")
    version_2(root, "600000", usage=550000, inactive=0, place="slice")
    assert headroom.measure(root=root) == Headroom(600000, 50000)


def test_what_is_overdrawn_leaves_nothing(tmp_path: Path) -> None:
    version_2(machine(tmp_path, "0::/\n"), "1000", usage=2000, inactive=0)
    assert headroom.measure(root=tmp_path) == Headroom(1000, 0)


def test_a_limit_of_ones_own_counts_what_this_process_holds(tmp_path: Path) -> None:
    root = machine(tmp_path, "", total=1 << 40, available=1 << 40)
    limit = memory.resident_bytes() + (1 << 30)
    measured = headroom.measure(limit, root)
    assert measured is not None
    assert measured.limit == limit
    assert abs(measured.available - (1 << 30)) < 64 << 20


def test_where_nothing_tells_nothing_is_known(tmp_path: Path) -> None:
    assert headroom.measure(root=tmp_path) is None


def test_this_machine_tells() -> None:
    measured = headroom.measure()
    assert measured is None or 0 <= measured.available <= measured.limit
