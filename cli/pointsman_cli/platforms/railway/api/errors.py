"""What Railway refuses, by what can be done about it: told from its sentences.

Railway answers most refusals with 200 and a list of errors whose code is always the same, so the
text is what there is to go by. What is not known here is handed on as it came.

RailwayError
├── NotAuthorized     this token may not do that, or is none
├── NotYet            something just made is not there yet: asking again helps
├── NameTaken         another thing has the name
├── Exhausted         the budget of requests is used up
└── OutcomeUnknown    no answer came to a change: it may have happened
"""

from dataclasses import dataclass

from pointsman_cli.errors import CommandError, Exit


class RailwayError(CommandError):
    """Railway refused, or could not."""


class NotAuthorized(RailwayError):
    """The token does not reach that far."""

    exit_code = Exit.STORE


class NotYet(RailwayError):
    """Asked too soon after it was made."""


class NameTaken(RailwayError):
    """Another project, service or domain has this name."""


class Exhausted(RailwayError):
    """Railway's rate limit leaves no request for longer than anybody wants to wait."""


class OutcomeUnknown(RailwayError):
    """A change was sent and no answer came back: whoever sent it looks how things stand."""


@dataclass(frozen=True, slots=True)
class _Known:
    text: str
    kind: type[RailwayError]
    hint: str


_DOCTOR = "`pointsman doctor --platform railway` shows what the token reaches."
_PATIENCE = "Wait a minute, and type the same again: what is done stays done."
_KNOWN = (
    _Known("project token not found", NotAuthorized, _DOCTOR),
    _Known(
        "two factor authentication required",
        NotAuthorized,
        "The workspace demands two-factor authentication: switch it on for the token's owner.",
    ),
    _Known("not authorized", NotAuthorized, _DOCTOR),
    _Known("unauthorized", NotAuthorized, _DOCTOR),
    _Known("serviceinstance not found", NotYet, _PATIENCE),
    _Known("failed to create service domain", NotYet, _PATIENCE),
    _Known(
        "already exists",
        NameTaken,
        "Choose another name in [railway] of pointsman.toml, or remove what has this one.",
    ),
    _Known("too quickly", RailwayError, _PATIENCE),
    _Known("every 30s", RailwayError, _PATIENCE),
    _Known("service deployment rate limit exceeded", RailwayError, _PATIENCE),
    _Known(
        "registry credentials",
        RailwayError,
        "Private registries need Railway's Pro plan; without --image the source is uploaded "
        "and built there.",
    ),
    _Known(
        "personal workspaces are no longer supported",
        RailwayError,
        'Name a workspace: workspace = "…" in [railway] of pointsman.toml.',
    ),
    _Known(
        "problem processing request",
        RailwayError,
        "That is Railway's own trouble: try again, and give its support the trace id.",
    ),
)


def refusal(what: str, message: str, trace: str = "") -> RailwayError:
    """Return the error for what Railway said when it was asked for `what`."""
    said = f"Railway refused to {what}: {message.rstrip('.')}"
    if trace and trace not in message:
        said += f" (trace id {trace})"
    low = message.lower()
    for known in _KNOWN:
        if known.text in low:
            return known.kind(said, known.hint)
    return RailwayError(said)
