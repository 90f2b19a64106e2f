"""Railway's plans: what each allows a service, and what a service costs per month.

Facts: https://docs.railway.com/pricing/plans. Railway charges for what is used, by the minute.
"""

from dataclasses import dataclass

from pointsman_cli.units import size

DOLLARS_PER_GB = 10.0
DOLLARS_PER_CPU = 20.0
DOLLARS_PER_EGRESS_GB = 0.05
_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's limits for one service; `dollars` is its price, which usage is counted against."""

    memory_bytes: int
    replicas: int
    dollars: int = 0
    small: bool = False
    """Whether restarts are limited."""


PLANS = {
    "free": Plan(_GB // 2, 1, small=True),
    "trial": Plan(_GB, 1, small=True),
    "hobby": Plan(48 * _GB, 6, 5),
    "pro": Plan(1000 * _GB, 42, 20),
}


def cost(memory_bytes: int | None, replicas: int, plan: str) -> str:
    """Say in one line what it comes to; None where nobody measured what the model needs."""
    if memory_bytes is None:
        memory = f"${DOLLARS_PER_GB:.0f} per GB of memory"
    else:
        used = memory_bytes * replicas
        memory = f"about ${used / _GB * DOLLARS_PER_GB:.2f} for {size(used)} of memory"
    line = (
        f"{memory} and ${DOLLARS_PER_CPU:.0f} per vCPU in use a month, charged by the minute; "
        f"${DOLLARS_PER_EGRESS_GB:.2f} per GB sent"
    )
    known = PLANS.get(plan)
    if known and known.dollars:
        line += f"; {plan} costs ${known.dollars}, and usage up to that is included"
    return line


def memory(memory_bytes: int | None, replicas: int, plan: str) -> str:
    """Say whether the model fits into what the plan gives a service; "" where that is unknown."""
    known = PLANS.get(plan)
    if memory_bytes is None or known is None:
        return ""
    share = known.memory_bytes // replicas
    sentence = f"was measured to need {size(memory_bytes)}; {plan} gives an instance {size(share)}"
    if memory_bytes > share:
        return f"too little: the model {sentence}"
    if 2 * memory_bytes > share:
        return f"tight: the model {sentence}, so a switch loads the new version after the old left"
    return f"enough: the model {sentence}"
