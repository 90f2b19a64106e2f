"""The outlook: how a rollback would find its version here, and what it is expected to take."""

import asyncio
from collections.abc import Collection

import msgspec

from pointsman.channel import Pointer
from pointsman.errors import PointsmanError, StoreError
from pointsman_service.serving.loader import Loader

_SWITCH_SECONDS = 0.001
"""Of a version in memory, once the channel has been read: an assignment, and telling of it."""


class Outlook(msgspec.Struct, frozen=True):
    """Readiness in words ("" when there is nothing to go back to), and seconds, if possible."""

    readiness: str = ""
    seconds: float | None = None


async def outlook(loader: Loader, target: Pointer | None, ready: Collection[str]) -> Outlook:
    """Find out about `target`; asks the store if the version is not on this machine."""
    if target is None:
        return Outlook()
    if target.digest in ready:
        return Outlook("resident", _SWITCH_SECONDS)
    try:
        on_disk, seconds = await asyncio.to_thread(loader.expect, target)
    except StoreError as error:
        return Outlook(f"download, if the store lets it: {error.message}")
    except PointsmanError as error:
        return Outlook(f"impossible: {error.message}")
    return Outlook("on disk" if on_disk else "download", seconds)
