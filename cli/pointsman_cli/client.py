"""Asking a service over HTTP, with failures as sentences."""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from pointsman_cli.errors import CommandError, UsageError

_TIMEOUT_SECONDS = 60.0
_HEALTH_SECONDS = 5.0
_QUOTED = 200
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer, the version that computed it, and how long the round trip took."""

    document: dict[str, Any]
    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """What `/health` said: whether it was 200, and its body."""

    ready: bool
    body: dict[str, Any]


def predict(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Prediction:
    """Send a prediction request; raises `CommandError` for anything but an answer."""
    _check(url)
    with _client(url, _TIMEOUT_SECONDS, headers) as client:
        started = time.monotonic()
        response = _send(client, f"{url.rstrip('/')}/predict", body)
        seconds = time.monotonic() - started
    if response.status_code != httpx.codes.OK:
        raise CommandError(f"{url} answered {response.status_code}: {_reason(response)}")
    document = _object(response)
    if not isinstance(document.get("outputs"), dict):
        raise CommandError(
            f"{url} answered something else than a prediction: {_quoted(response)}",
            "Is it a pointsman service? Give its URL without /predict.",
        )
    return Prediction(document, response.headers.get("x-model-version", "unknown"), seconds)


def health(url: str, headers: Mapping[str, str] | None = None, **expected: str) -> Health | None:
    """Ask whether the service is ready and serves what is expected; None when nobody answers."""
    try:
        with _client(url, _HEALTH_SECONDS, headers) as client:
            response = client.get(f"{url.rstrip('/')}/health", params=expected)
    except httpx.HTTPError:
        return None
    return Health(response.status_code == httpx.codes.OK, _object(response))


def _client(url: str, timeout: float, headers: Mapping[str, str] | None = None) -> httpx.Client:
    """Return a client; to this machine it takes no proxy, and reads no certificates for http."""
    here = _is_here(url)
    encrypted = httpx.URL(url).scheme == "https"
    return httpx.Client(
        timeout=timeout, trust_env=not here, verify=encrypted or not here, headers=headers
    )


def _send(client: httpx.Client, url: str, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    try:
        return client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CommandError(
            f"{url} does not answer: {str(error) or type(error).__name__}",
            "Is it deployed? `pointsman status` shows which instances report.",
        ) from error


def _check(url: str) -> None:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is not a URL: {error}", _URL_HINT) from error
    if parts.userinfo:
        raise UsageError("a service's URL must not hold credentials", "It would be shown.")
    port_exists = parts.port is None or 0 < parts.port <= _LAST_PORT
    if parts.scheme not in {"http", "https"} or not parts.host or not port_exists:
        raise UsageError(f"{url!r} is not the URL of a service", _URL_HINT)


_URL_HINT = "It looks like http://127.0.0.1:8000 or https://my-model.example."


def _is_here(url: str) -> bool:
    """Tell whether the service is on this machine, which no proxy leads to."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _object(response: httpx.Response) -> dict[str, Any]:
    """Return the body if it is a JSON object, else nothing: whoever that was, it is no service."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _reason(response: httpx.Response) -> str:
    return str(_object(response).get("error") or _quoted(response))


def _quoted(response: httpx.Response) -> str:
    if "html" in response.headers.get("content-type", ""):
        return "a page of HTML"
    return " ".join(response.text.split())[:_QUOTED] or response.reason_phrase
