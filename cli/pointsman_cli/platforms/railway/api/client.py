"""Sending documents to Railway: retries that are safe, its rate limit, and failures as sentences.

A question may be asked again; a change may not, unless Railway said that nothing happened. A
change without an answer is `OutcomeUnknown`, and whoever sent it looks how things stand.
"""

import functools
import re
import time
import weakref
from collections.abc import Callable
from importlib import resources
from typing import Any

import httpx

from pointsman_cli.platforms.railway.api import errors
from pointsman_cli.platforms.railway.api.budget import Budget
from pointsman_cli.platforms.railway.api.errors import (
    Exhausted,
    NotAuthorized,
    NotYet,
    OutcomeUnknown,
    RailwayError,
)
from pointsman_cli.platforms.railway.api.secrets import Secrets
from pointsman_cli.platforms.railway.api.token import Token

BASE_URL = "https://backboard.railway.com"
PATH = "/graphql/v2"
RETRY_SECONDS = 1.0
_ATTEMPTS = 5
_LIMITED_TIMES = 10
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LONGEST_WAIT = 120.0
_OPERATION = re.compile(r"^(?:query|mutation) (\w+)", re.MULTILINE)

Answer = dict[str, Any]


class Client:
    """A conversation with Railway, at `base`; `tell` hears why something is waited for."""

    def __init__(self, base: str, token: Token, tell: Callable[[str], None]) -> None:
        self.base = base.rstrip("/")
        self.token = token
        self.tell = tell
        self.budget = Budget()
        self.secrets = Secrets([token.secret])
        # Redirects are not followed: nobody else is to be shown the token.
        self.http = httpx.Client(headers=token.headers, timeout=_TIMEOUT)
        # One conversation lasts as long as the command: its connections go with it.
        weakref.finalize(self, self.http.close)

    def ask(self, what: str, document: str, **variables: Any) -> Answer:
        """Send what may be sent again, if need be; `what` completes "Railway refused to …"."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._send(what, document, variables)
            except (OutcomeUnknown, NotYet):
                time.sleep(RETRY_SECONDS * attempt)
        return self._send(what, document, variables)

    def change(self, what: str, document: str, **variables: Any) -> Answer:
        """Have something changed, once; raises `OutcomeUnknown` if no answer comes."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._send(what, document, variables)
            except NotYet:
                time.sleep(RETRY_SECONDS * attempt)
        return self._send(what, document, variables)

    def posted(self, what: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request that is no document; waits out the rate limit."""
        for _ in range(_LIMITED_TIMES):
            try:
                response = send()
            except httpx.ConnectError as error:
                raise RailwayError(
                    f"{self.base} cannot be reached: {error}",
                    "Is there a network, and does a proxy or firewall let it through?",
                ) from error
            except httpx.HTTPError as error:
                raise self._unknown(what, str(error) or type(error).__name__) from error
            self.budget.note(response.headers, time.time())
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return response
            self._wait_for_budget(response)
        raise Exhausted(
            f"Railway goes on refusing to {what} because of its rate limit",
            "Does something else use the same token? Type the same again in a while.",
        )

    def _send(self, what: str, name: str, variables: Answer) -> Answer:
        text = document(name)
        operation = _OPERATION.findall(text)
        body = {"query": text, "variables": variables, "operationName": operation[0]}
        response = self.posted(what, lambda: self.http.post(f"{self.base}{PATH}", json=body))
        return self._data(what, response)

    def _data(self, what: str, response: httpx.Response) -> Answer:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {}
        if found := answer.get("errors"):
            raise self._refusal(what, found)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise NotAuthorized(f"Railway refused to {what}: the token is not valid")
        if response.is_server_error:
            raise self._unknown(what, f"it answered {response.status_code}")
        if not isinstance(answer.get("data"), dict):
            raise RailwayError(
                f"{self.base} answered {response.status_code} without data when asked to {what}",
                "Is that Railway? POINTSMAN_RAILWAY_URL names another server.",
            )
        data: Answer = answer["data"]
        return data

    def _refusal(self, what: str, found: Any) -> RailwayError:
        first = found[0] if isinstance(found, list) and isinstance(found[0], dict) else {}
        extensions = first.get("extensions")
        trace = str(first.get("traceId") or "")
        if isinstance(extensions, dict):
            trace = trace or str(extensions.get("traceId") or "")
        message = self.secrets.concealed(str(first.get("message") or found))
        return errors.refusal(what, message, trace)

    def _unknown(self, what: str, reason: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Railway did not say whether it could {what}: {reason}",
            "Type the same again: what was done is found, and not done twice.",
        )

    def _wait_for_budget(self, response: httpx.Response) -> None:
        """Wait as long as Railway says; raises `Exhausted` when that is too long."""
        try:
            seconds = float(response.headers.get("retry-after") or 0)
        except ValueError:
            seconds = 0.0
        seconds = seconds or self.budget.resets_in or RETRY_SECONDS
        limit = f" of {self.budget.limit} requests an hour" if self.budget.limit else ""
        if seconds > _LONGEST_WAIT:
            raise Exhausted(
                f"Railway's rate limit{limit} is used up for another {seconds / 60:.0f} min",
                "What is deployed goes on. Free accounts have 100 requests an hour, Hobby 1000: "
                "type the same again after that time.",
            )
        self.tell(f"Railway's rate limit{limit} is used up: waiting {seconds:.0f} s")
        time.sleep(seconds)


@functools.cache
def document(name: str) -> str:
    """Return the text of a document of this package."""
    return resources.files(__package__ or "").joinpath(f"{name}.graphql").read_text("utf-8")
