"""What the manager counts, and how long it waits."""

import msgspec


class Counters(msgspec.Struct):
    """What the manager has done since the start; `returns` are switches back by itself."""

    loads: int = 0
    failed_loads: int = 0
    switches: int = 0
    rollbacks: int = 0
    returns: int = 0


class Timing(msgspec.Struct, frozen=True):
    """Seconds until a store is asked again, until a fault may be cured, and of the bake window."""

    retry: float = 2.0
    cure: float = 30.0
    bake: float = 0.0
