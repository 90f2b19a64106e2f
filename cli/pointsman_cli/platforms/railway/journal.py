"""The service's log: its last lines, and those that come, also across deployments."""

import time
from collections import deque
from collections.abc import Iterator

from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.railway.api import deployments
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.deployments import Line, Logs, Release
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.failures import serving

_MOST_LINES = 5000
_AT_ONCE = 500
_REMEMBERED = 2000
_LOOKS_PER_SEARCH = 6


class Journal:
    """The log of one service."""

    def __init__(self, client: Client, address: Address) -> None:
        self._client = client
        self._address = address
        self._seen: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)

    def last(self, lines: int) -> Iterator[str]:
        """Yield the last lines; raises `CommandError` when nothing was ever deployed."""
        for line in self._lines(self._release().id, lines):
            yield self._told(line)

    def follow(self, lines: int) -> Iterator[str]:
        """Yield the last lines, then those that come, for as long as somebody listens."""
        release = self._release()
        since = None
        for line in self._lines(release.id, lines):
            since = line.timestamp
            yield self._told(line)
        looks = 0
        while True:
            time.sleep(self._client.budget.pause(min(looks, _LOOKS_PER_SEARCH)))
            looks += 1
            for line in self._new(release.id, since):
                since, looks = line.timestamp, 0
                yield self._told(line)
            if looks % _LOOKS_PER_SEARCH == 0 and looks:
                # A deployment may have taken the place of the one whose log this is.
                current = self._release()
                if current.id != release.id:
                    release, since = current, None

    def _new(self, deployment: str, since: str | None) -> list[Line]:
        lines = self._lines(deployment, _AT_ONCE, since)
        return [line for line in lines if (line.timestamp, line.message) not in self._seen]

    def _lines(self, deployment: str, count: int, since: str | None = None) -> list[Line]:
        if count == 0:
            return []
        wanted = min(count, _MOST_LINES)
        return deployments.log(self._client, deployment, Logs.DEPLOYMENT, wanted, since)

    def _told(self, line: Line) -> str:
        self._seen.append((line.timestamp, line.message))
        return self._client.secrets.concealed(line.message)

    def _release(self) -> Release:
        if current := serving(self._client, self._address):
            return current
        if latest := deployments.latest(self._client, self._address):
            return latest[0]
        raise CommandError(
            "nothing was deployed yet, so there is no log",
            "`pointsman deploy --platform railway` deploys it.",
        )
