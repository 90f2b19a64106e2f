"""How many threads an inference may use: what the cgroup grants, not what the host has.

ONNX Runtime sizes its pool by the host's cores, and inside a small quota that means throttling.
"""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available(root: Path = _CGROUP) -> int:
    """Return the CPU quota rounded up, and never more than the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(root)
    return max(1, min(cores or 1, math.ceil(quota) if quota else cores or 1))


def _quota(root: Path) -> float | None:
    """Return CPUs by cgroup v2 (`cpu.max`) or v1 (`cpu.cfs_*`); None where there is no limit."""
    for read in (_version_2, _version_1):
        try:
            limit, period = read(root)
            return None if limit in {"max", "-1"} else int(limit) / int(period)
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return None


def _version_2(root: Path) -> tuple[str, str]:
    limit, period = (root / "cpu.max").read_text().split()
    return limit, period


def _version_1(root: Path) -> tuple[str, str]:
    quota, period = (root / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period"))
    return quota.read_text().strip(), period.read_text().strip()
