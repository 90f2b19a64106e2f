"""Asking a service over HTTP, with failures as sentences."""

from dataclasses import dataclass
from typing import Any

import httpx

from pointsman_cli.errors import CommandError

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer, and the version that computed it."""

    document: dict[str, Any]
    version: str


@dataclass(frozen=True, slots=True)
class Health:
    """What `/health` said: whether it was 200, and its body."""

    ready: bool
    body: dict[str, Any]


def predict(url: str, body: bytes) -> Prediction:
    """Send a prediction request; raises `CommandError` for anything but an answer."""
    response = _send("POST", f"{url.rstrip('/')}/predict", body)
    if response.status_code != httpx.codes.OK:
        raise CommandError(f"{url} answered {response.status_code}: {_reason(response)}")
    return Prediction(response.json(), response.headers.get("x-model-version", "unknown"))


def health(url: str, **expected: str) -> Health | None:
    """Ask whether the service is ready and serves what is expected; None when nobody answers."""
    try:
        response = httpx.get(f"{url}/health", params=expected, timeout=5.0)
        return Health(response.status_code == httpx.codes.OK, response.json())
    except (httpx.TransportError, ValueError):
        return None


def _send(method: str, url: str, body: bytes) -> httpx.Response:
    try:
        return httpx.request(
            method,
            url,
            content=body,
            headers={"content-type": "application/json"},
            timeout=_TIMEOUT_SECONDS,
        )
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CommandError(
            f"{url} does not answer: {error}",
            "Is it deployed? `pointsman status` shows which instances report.",
        ) from error


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200] or response.reason_phrase
