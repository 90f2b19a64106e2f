"""Answers of flyctl besides machines: the app, its releases, its logs. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

_WHITE = re.compile(r"\s*")


class App(msgspec.Struct, frozen=True, rename="pascal"):
    """`fly status --json`."""

    name: str
    status: str = ""
    deployed: bool = False
    hostname: str = ""
    app_url: str = msgspec.field(default="", name="AppURL")
    version: int = 0

    @property
    def url(self) -> str:
        """Where the public reaches it."""
        return self.app_url.rstrip("/") or f"https://{self.hostname or f'{self.name}.fly.dev'}"


class Release(msgspec.Struct, frozen=True, rename="pascal"):
    """One of `fly releases --json`, which gives the newest first."""

    version: int
    status: str = ""
    image_ref: str = ""
    created_at: str = ""

    @property
    def served(self) -> bool:
        """Whether it got as far as serving."""
        return self.status in {"complete", "succeeded"}


class _Named(msgspec.Struct, frozen=True):
    name: str


class Emitted(msgspec.Struct, frozen=True):
    """The line that `FLY_EMIT_RELEASE_JSON=1` makes a successful deployment print."""

    id: str
    version: int
    image_ref: str = ""


def app(text: str) -> App:
    """Read `fly status --json`; raises `msgspec.DecodeError` for another answer."""
    return msgspec.json.decode(text, type=App)


def releases(text: str) -> list[Release]:
    """Read `fly releases --json`; raises `msgspec.DecodeError` for another answer."""
    found = msgspec.json.decode(text, type=list[Release] | None) or []
    return sorted(found, key=lambda each: -each.version)


def names(text: str) -> list[str]:
    """Read the names in `fly secrets list --json`; raises `msgspec.DecodeError`."""
    return [each.name for each in msgspec.json.decode(text, type=list[_Named] | None) or ()]


def emitted(line: str) -> Emitted | None:
    """Return the release that a line of a deployment names; None for any other line."""
    try:
        return msgspec.json.decode(line, type=Emitted)
    except msgspec.DecodeError:
        return None


def previous(found: list[Release], current: str) -> Release | None:
    """Return the newest release that served another image than `current`."""
    return next((each for each in found if each.served and each.image_ref != current), None)


class LogReader:
    """Cuts flyctl's stream of pretty-printed JSON objects into log lines."""

    def __init__(self) -> None:
        self._rest = ""
        self._decoder = json.JSONDecoder()

    def read(self, text: str) -> Iterator[str]:
        """Yield the log lines that `text` completes."""
        self._rest += text
        while True:
            start = _WHITE.match(self._rest)
            self._rest = self._rest[start.end() :] if start else self._rest
            if not self._rest:
                return
            if not self._rest.startswith("{"):  # a warning of flyctl's own between the entries
                line, end, rest = self._rest.partition("\n")
                if not end:
                    return
                self._rest = rest
                yield line
                continue
            try:
                entry, length = self._decoder.raw_decode(self._rest)
            except json.JSONDecodeError:
                return
            self._rest = self._rest[length:]
            yield _log_line(entry)


def _log_line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    where = " ".join(str(entry[name]) for name in ("instance", "region") if entry.get(name))
    message = str(entry.get("message", "")).rstrip("\n")
    moment = str(entry.get("timestamp", "")).replace("T", " ")[:19]
    return f"{moment} {where} [{entry.get('level', 'info')}] {message}"
