"""Running flyctl: which one, with what environment, and its failures as sentences.

It gets Fly's own variables and what a program needs, and none of the operator's keys.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import msgspec

from pointsman_cli import process
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.platforms.fly import commands, complaints
from pointsman_cli.process import Finished, Streaming

OLDEST = (0, 4, 80)
_NAMES = ("flyctl", "fly")
_HIDDEN = ("AWS_", "POINTSMAN_", "GOOGLE_", "RAILWAY_", "CLOUDFLARE_", "PULUMI_")
# Each would change what flyctl does or prints behind the arguments' back.
_CONFUSING = ("FLY_APP", "FLY_REGION", "FLY_JSON", "DEPLOY_TRIGGER")
_QUIET = {
    "NO_COLOR": "1",
    "FLY_NO_UPDATE_CHECK": "1",
    "FLY_NO_INCIDENTS_CHECK": "1",
    "FLY_EMIT_RELEASE_JSON": "1",
}
_ANSWER_SECONDS = 60.0
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INSTALL = "Install it: https://fly.io/docs/flyctl/install, or `brew install flyctl`."
Answer = TypeVar("Answer")


class FlyFailed(CommandError):
    """flyctl ended with an error; `stderr` is all it said there."""

    def __init__(self, message: str, hint: str, stderr: str) -> None:
        super().__init__(message, hint)
        self.stderr = stderr


class Flyctl:
    """One flyctl, working for one app."""

    def __init__(self, program: str, app: str, environment: Mapping[str, str]) -> None:
        self._program = program
        self._app = app
        self._environment = dict(environment)

    def ask(self, arguments: commands.Arguments, read: Callable[[str], Answer]) -> Answer:
        """Return what `read` makes of an answer; raises `FlyFailed`."""
        told = self.tell(arguments)
        try:
            return read(told.stdout)
        except (msgspec.DecodeError, ValueError) as error:
            raise FlyFailed(
                f"flyctl answered something that cannot be read to `{_name(arguments)}`: {error}",
                "`fly version upgrade` brings the newest flyctl.",
                told.stderr,
            ) from error

    def tell(
        self,
        arguments: commands.Arguments,
        stdin: str | None = None,
        timeout: float = _ANSWER_SECONDS,
    ) -> Finished:
        """Run a command to its end; raises `FlyFailed` when it fails."""
        told = process.run(
            [self._program, *arguments],
            stdin=stdin,
            environment=self._environment,
            timeout=timeout,
        )
        if not told.ok:
            raise self.failed(arguments, told.stderr or told.stdout)
        return told

    def stream(
        self, arguments: commands.Arguments, timeout: float | None = None
    ) -> AbstractContextManager[Streaming]:
        """Run a command that goes on for a while, and tell what it says."""
        return process.stream(
            [self._program, *arguments], environment=self._environment, timeout=timeout
        )

    def failed(self, arguments: commands.Arguments, stderr: str) -> FlyFailed:
        """Return the failure of a command as a sentence."""
        if known := complaints.understood(stderr, self._app):
            return FlyFailed(known.message, known.hint, stderr)
        return FlyFailed(
            f"`fly {_name(arguments)}` failed: {complaints.error_line(stderr)}",
            "https://status.flyio.net tells whether Fly has trouble.",
            stderr,
        )


def found(app: str) -> Flyctl:
    """Return flyctl, ready to work; raises `CommandError` when it is missing, or too old."""
    program = next((path for name in _NAMES if (path := process.find(name))), None) or _at_home()
    if program is None:
        raise CommandError("flyctl is not installed, or not on PATH", _INSTALL)
    flyctl = Flyctl(program, app, environment(os.environ))
    written = flyctl.ask(commands.version(), lambda text: msgspec.json.decode(text)["Version"])
    if _parts(str(written)) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise CommandError(
            f"flyctl {written} is too old: {oldest} is the oldest that is known to work",
            "`fly version upgrade` brings the newest.",
        )
    return flyctl


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return flyctl's environment; raises `UsageError` for a token that cannot be Fly's."""
    token = own.get("FLY_ACCESS_TOKEN") or own.get("FLY_API_TOKEN") or ""
    if _UUID.fullmatch(token.strip()):
        raise UsageError(
            "the token in FLY_API_TOKEN is a UUID, and so not one of Fly's",
            "Railway's tokens look like that; Fly's come from `fly tokens create deploy`.",
        )
    kept = {
        name: value
        for name, value in own.items()
        if not name.startswith(_HIDDEN) and name not in _CONFUSING
    }
    return kept | _QUIET


def _at_home() -> str | None:
    """Return flyctl where its installer puts it, which not every shell has on PATH."""
    try:
        path = Path.home() / ".fly" / "bin" / "flyctl"
    except RuntimeError:
        return None
    return str(path) if path.is_file() else None


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _name(arguments: commands.Arguments) -> str:
    return " ".join(word for word in arguments[:2] if not word.startswith("-"))
