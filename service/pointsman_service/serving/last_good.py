"""The last good version: what answers where the aspired one must not, and nothing else does.

That is what this machine served last. Where it has never served, or served last just what was
refused, it is the version that a rollback would go to: a machine that is started while a version
is in quarantine has to answer like its neighbours, which went back.
"""

import asyncio
import logging

from pointsman.channel import Channel, Pointer, previous
from pointsman.errors import PointsmanError
from pointsman_service.serving.aspired import LastServed
from pointsman_service.serving.loader import Loader
from pointsman_service.serving.servable import Servable

log = logging.getLogger(__name__)


async def load(
    loader: Loader, last_served: LastServed, channel: Channel | None, *, refused: bool
) -> Servable | None:
    """Return the last good version, warm; None if there is none.

    `channel` is the one whose stable version cannot serve, and None if it is not even believed;
    with `refused` it is known that waiting would not help.
    """
    for pointer in await _candidates(last_served, channel, refused=refused):
        try:
            return await loader.load(pointer)
        except PointsmanError as error:
            log.warning("%s, which served before, cannot be served: %s", pointer.version, error)
        except Exception:
            log.exception("%s, which served before, cannot be served", pointer.version)
    return None


async def _candidates(
    last_served: LastServed, channel: Channel | None, *, refused: bool
) -> list[Pointer]:
    recalled = await asyncio.to_thread(last_served.recall)
    found = [recalled.channel.stable] if recalled else []
    if channel is None:
        return found
    if refused and (before := previous(channel)) is not None and before not in found:
        found.append(before)
    return [pointer for pointer in found if pointer.digest != channel.stable.digest]
