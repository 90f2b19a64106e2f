"""How many CPUs a cgroup grants."""

import os
from pathlib import Path

import pytest

from pointsman_service.runtime import threads

CORES = len(os.sched_getaffinity(0))
MANY = 1_000_000


def version_2(root: Path, text: str) -> Path:
    (root / "cpu.max").write_text(text)
    return root


def version_1(root: Path, quota: str, period: str = "100000") -> Path:
    (root / "cpu").mkdir()
    (root / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (root / "cpu" / "cpu.cfs_period_us").write_text(period + "\n")
    return root


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("50000 100000\n", 1),
        ("100000 100000\n", 1),
        ("100001 100000\n", min(2, CORES)),
        (f"{MANY}00000 100000\n", CORES),
        ("max 100000\n", CORES),
        ("", CORES),
        ("nonsense\n", CORES),
        ("100000 0\n", CORES),
        ("many 100000\n", CORES),
    ],
)
def test_a_version_2_cgroups_quota_is_rounded_up(tmp_path: Path, text: str, cpus: int) -> None:
    assert threads.available(version_2(tmp_path, text)) == cpus


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [("20000", 1), ("150000", min(2, CORES)), ("-1", CORES), ("", CORES)],
)
def test_a_version_1_cgroups_quota_is_rounded_up(tmp_path: Path, quota: str, cpus: int) -> None:
    assert threads.available(version_1(tmp_path, quota)) == cpus


def test_without_a_cgroup_the_cores_of_this_process_count(tmp_path: Path) -> None:
    assert threads.available(tmp_path / "nothing") == CORES


def test_this_machine_grants_at_least_one() -> None:
    assert 1 <= threads.available() <= CORES
