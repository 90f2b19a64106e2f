"""How the command fails: its own errors, and the exit code each kind of failure ends with.

`EXIT_CODES` is the documented list; `docs/exit-codes.md` is checked against it.
"""

from enum import IntEnum, StrEnum
from typing import Any

from pointsman.errors import InvalidDocument, InvalidName, PointsmanError, StoreError


class Exit(IntEnum):
    """What a script can tell a result by."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNCONFIRMED = 4
    STORE = 5
    STATE = 6
    DRIFT = 7
    LOCKED = 8
    UNVERIFIED = 9
    NOT_DEPLOYED = 10
    INTERRUPTED = 130


EXIT_CODES = {
    Exit.DONE: "done, and confirmed where there is something to confirm",
    Exit.FAILED: "not done; the message says why, and how things stand",
    Exit.USAGE: "the command line or the configuration is wrong",
    Exit.REFUSED: "an instance refused the version, or it broke a limit; put back unless --keep",
    Exit.UNCONFIRMED: "done, but not every live instance confirmed it in time",
    Exit.STORE: "the store could not be reached, or refused the credentials",
    Exit.STATE: "`pulumi`, the stack, its state or its passphrase is missing or cannot be used",
    Exit.DRIFT: "what exists is not what was provisioned; nothing was changed",
    Exit.LOCKED: "another update of the stack is running, or was cut off",
    Exit.UNVERIFIED: "deployed, but not shown to serve in time; the new release was left in place",
    Exit.NOT_DEPLOYED: "the deployment failed; the message says what serves now",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}


class Verdict(StrEnum):
    """What came of a deployment; each has an exit code of its own."""

    VERIFIED = "verified"
    UNVERIFIED = "deployed but unverified"
    FAILED = "failed"


class CommandError(PointsmanError):
    """A command that cannot go on; `document` is its result as far as it came, for `--json`."""

    exit_code = Exit.FAILED

    def __init__(
        self, message: str, hint: str = "", document: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.document = document or {}


class UsageError(CommandError):
    """The command line or the configuration is wrong."""

    exit_code = Exit.USAGE


class Interrupted(CommandError):
    """Somebody pressed Ctrl-C."""

    exit_code = Exit.INTERRUPTED


class Refused(CommandError):
    """An instance would not serve the version."""

    exit_code = Exit.REFUSED


class Unconfirmed(CommandError):
    """Not every live instance reported back in time."""

    exit_code = Exit.UNCONFIRMED


class Unverified(CommandError):
    """A release is in place, but nothing showed that it serves what it should."""

    exit_code = Exit.UNVERIFIED

    def __init__(
        self, message: str, hint: str = "", document: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, hint, {"verdict": Verdict.UNVERIFIED} | (document or {}))


class DeploymentFailed(CommandError):
    """A release does not serve; the message says in one sentence why, and the hint what does."""

    exit_code = Exit.NOT_DEPLOYED

    def __init__(
        self, message: str, hint: str = "", document: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, hint, {"verdict": Verdict.FAILED} | (document or {}))


def exit_code(error: PointsmanError) -> Exit:
    """Return the code a failure ends with."""
    if isinstance(error, CommandError):
        return error.exit_code
    if isinstance(error, InvalidName):
        return Exit.USAGE  # what the store holds under such a name is an InvalidDocument
    if isinstance(error, StoreError):
        return Exit.STORE
    # By name: to look them up would import what only `pointsman infra` needs.
    return _INFRA.get(type(error).__name__, Exit.FAILED)


_INFRA = {
    "SettingsInvalid": Exit.USAGE,
    "OutputsInvalid": Exit.STATE,
    "AccessRefused": Exit.STORE,
    "CommandMissing": Exit.STATE,
    "StateUnusable": Exit.STATE,
    "StackMissing": Exit.STATE,
    "Drifted": Exit.DRIFT,
    "StackLocked": Exit.LOCKED,
}


_DAMAGED = (
    "Something else than pointsman wrote it, or it is damaged: restore the object in the store, or "
    "delete it and begin anew. Services go on with what they serve."
)


def explained(error: Exception) -> PointsmanError:
    """Turn any exception into one that says in a sentence what happened, and what to type."""
    import typer

    if isinstance(error, PointsmanError):
        if isinstance(error, InvalidDocument):
            error.hint = error.hint or _DAMAGED
        return error
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        reason = error.strerror or str(error) or type(error).__name__
        return CommandError(f"{reason}{where}", "`pointsman --debug …` shows what was tried.")
    return CommandError(
        f"{type(error).__name__}: {error}",
        "This is a bug in pointsman: `pointsman --debug …` shows where.",
    )


def _usage(error: Any) -> UsageError:
    """Retell what the parser of the command line said; its exceptions have no public types."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "pointsman"
    sentence = text[:1].lower() + text[1:].rstrip(".")
    return UsageError(sentence, f"`{command} --help` shows what it takes.")
