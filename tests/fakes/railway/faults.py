"""What can go wrong at Railway, one request after the other."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What happens to one request."""

    LIMITED = "429 with Retry-After"
    LOST = "done, and then 504"
    UNANSWERED = "504, and nothing was done"
    NOT_YET = "ServiceInstance not found"
    TROUBLE = "Problem processing request"


@dataclass
class Faults:
    """What is going to go wrong: `ahead` per operation, the rest for as long as it is set."""

    ahead: dict[str, list[Fault]] = field(default_factory=dict)
    retry_after: str = "0.01"
    forgotten: set[str] = field(default_factory=set)
    """Settings that are accepted, and do not stick."""
    spreads: bool = False
    """Whether a change of settings reaches the other environments too."""
    coming: list[str] | None = None
    """The statuses of the next deployment, instead of what would become of it."""
    released_image: str = ""
    """The image that is released instead of the one asked for."""
    manifest: dict[str, Any] | None = None
    """Settings of the released manifest, instead of those asked for."""
    upload_status: int = 0
    """What the upload is answered, instead of being taken."""

    def next(self, operation: str) -> Fault | None:
        """Return what happens to this request."""
        ahead = self.ahead.get(operation)
        return ahead.pop(0) if ahead else None
