"""A version that must not serve here, and what that was for."""

from datetime import UTC, datetime

import msgspec

from pointsman.channel import Pointer
from pointsman.errors import CacheUnusable, NotFound, PointsmanError
from pointsman_service.serving.room import NoRoom, NoRoomEvenAlone


class Refusal(msgspec.Struct, frozen=True):
    """A version, for which generation it was refused, and why.

    `curable` means that the fault may lie around the version and not in it: a full disk, a file
    that is missing from the store. Such a version is tried again, though rarely.
    """

    generation: int
    pointer: Pointer
    reason: str
    since: datetime
    curable: bool

    def concerns(self, generation: int, pointer: Pointer) -> bool:
        """Tell whether it is about `pointer` in this generation."""
        return (self.generation, self.pointer.digest) == (generation, pointer.digest)

    def holds(self, generation: int, pointer: Pointer) -> bool:
        """Tell whether it stands in the way of `pointer` for as long as the generation lasts."""
        return not self.curable and self.concerns(generation, pointer)


def of(generation: int, pointer: Pointer, reason: str, *, curable: bool = False) -> Refusal:
    """Refuse a version from now on."""
    return Refusal(generation, pointer, reason, datetime.now(UTC), curable)


def because(generation: int, pointer: Pointer, error: BaseException) -> Refusal:
    """Refuse a version for what went wrong while it was loaded."""
    around = isinstance(error, NotFound | CacheUnusable | NoRoom | OSError)
    foreseen = isinstance(error, PointsmanError | OSError)
    reason = str(error) if foreseen else f"{type(error).__name__}: {error}"
    curable = around and not isinstance(error, NoRoomEvenAlone)
    return of(generation, pointer, reason, curable=curable)
