"""The clock of a store that is reached by HTTP: the `Date` of its answers."""

import time
from datetime import datetime, timedelta
from typing import Any

from pointsman.errors import StoreUnreachable

_TIMEOUT_SECONDS = 5
_TRUSTED_SECONDS = 30


class HttpClock:
    """Tells a server's time; asks at most twice a minute and counts on from there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the server's time; raises `StoreUnreachable` when it does not tell."""
        if self._asked is None or time.monotonic() - self._asked[1] > _TRUSTED_SECONDS:
            self._asked = (self._ask(), time.monotonic())
        moment, counted_from = self._asked
        return moment + timedelta(seconds=time.monotonic() - counted_from)

    def _ask(self) -> datetime:
        """Read the date of an answer, whatever the answer is: errors and redirects have one."""
        import urllib.request  # not before it is needed: it brings half a library along
        from email.utils import parsedate_to_datetime
        from http.client import HTTPException
        from urllib.error import HTTPError

        class StayHere(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                """Follow nothing: another server's clock is of no use."""

        request = urllib.request.Request(self._url, method="HEAD")  # noqa: S310 — http(s) only
        opener = urllib.request.build_opener(StayHere)
        try:
            try:
                answer = opener.open(request, timeout=_TIMEOUT_SECONDS)
            except HTTPError as error:
                answer = error
            with answer:
                return parsedate_to_datetime(answer.headers["Date"])
        except (OSError, HTTPException, ValueError, TypeError) as error:
            raise StoreUnreachable(
                f"{self._url} does not tell the time: {error}", "Is it up and reachable from here?"
            ) from error
