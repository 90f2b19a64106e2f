"""What a deployment would do, in sentences, with what it would cost: pure."""

from collections.abc import Collection
from dataclasses import dataclass

from pointsman_cli.platforms.base import Plan
from pointsman_cli.platforms.fly import sizes
from pointsman_cli.platforms.fly.configuration import FlyFile
from pointsman_cli.units import counted

_FIRST_MACHINES = 2
"""flyctl makes two on a first deployment, unless there is a volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How things stand, and what is wanted."""

    file: FlyFile
    image: str
    repository: str
    secrets: Collection[str]
    machines: int
    """Those that there are."""
    organization: str = ""
    """Where the app would be made; "" where there is one."""
    memory: str = ""


def plan(facts: Facts) -> Plan:
    """Return the steps, in order."""
    file = facts.file
    steps = [f"make the app {file.app} in {facts.organization}"] if facts.organization else []
    steps.append(f"push {facts.image} to {facts.repository}")
    if names := sorted(facts.secrets):
        steps.append(f"stage {counted(len(names), 'secret')}: {', '.join(names)}")
    count = facts.machines or (1 if file.mounts else _FIRST_MACHINES)
    machines = counted(count, "machine")
    onto = f"onto {machines}" if facts.machines else f"making {machines}"
    wait = f"waiting up to {file.wait_seconds:g} s for each"
    steps.append(f"release it by {file.strategy}, {onto}, {wait}")
    steps.append("prove image, release and checks of every machine, then the golden set")
    return Plan(steps=steps, image=facts.image, memory=facts.memory, cost=cost(file, count))


def cost(file: FlyFile, count: int) -> str:
    """Say what so many machines cost in a month, at most and at least."""
    sleeps = any(each.stop != "off" for each in file.services)
    least = min(file.least, count) if sleeps else count
    return sizes.cost(smallest(file), file.region, count, least)


def smallest(file: FlyFile) -> sizes.Size:
    """Return the size of the smallest machine; raises `SizeInvalid` where there is none such."""
    found = [sizes.size(table) for table in file.machines] or [sizes.Size()]
    return min(found, key=lambda each: each.memory_mb)
