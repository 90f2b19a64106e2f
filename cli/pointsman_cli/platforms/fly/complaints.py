"""What flyctl complains about, as what happened and what to type next. Pure.

flyctl has no errors in JSON: it writes `Error: …` to standard error, perhaps a description, and
ends with 1. Phrases are those of its sources and of Fly's API, as far as they are known.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_ERROR = re.compile(r"^Error: (.*)$", re.MULTILINE)
_IDS = re.compile(r" \((?:Request|Trace) ID: [^)]*\)")
_TOKENS = re.compile(r"(?:FlyV1\s+)?\b(?:fm1[ra]|fm2|fo1)_[\w+/=.,-]+")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A failure that is understood."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Known:
    phrases: tuple[str, ...]
    message: Callable[[str], str]
    hint: str


_LOGIN = "Type `fly auth login`, or set FLY_API_TOKEN to a token from `fly tokens create org`."
_KNOWN = (
    _Known(
        ("no access token", "you must be authenticated"),
        lambda _: "there is no token for Fly",
        _LOGIN,
    ),
    _Known(
        ("could not find app", "app not found"),
        lambda app: f"there is no app {app} on Fly, or none that this token may see",
        "`pointsman deploy -p fly` makes it; `fly apps list` shows those that there are.",
    ),
    _Known(
        ("already been taken", "already taken", "name_taken", "app names are unique"),
        lambda app: f"the name {app} is taken: names are unique on all of Fly, and somebody has it",
        "Choose another `app` in fly.toml.",
    ),
    _Known(
        ("not authorized to push", "requested access to the resource is denied"),
        lambda app: f"Fly's registry refuses the image of {app}",
        "The token may lack the right or have expired: `fly auth login`, or a new token from "
        "`fly tokens create deploy`.",
    ),
    _Known(
        ("error pushing image to registry", "error rendering push status stream"),
        lambda app: f"the image of {app} could not be pushed to Fly's registry",
        "Deploy again; https://status.flyio.net tells whether Fly's registry has trouble.",
    ),
    _Known(
        ("unauthorized", "not authorized", "forbidden", "permission denied", "403"),
        lambda app: f"the token may not do this with {app}",
        "A deploy token works for one app and creates none, a read-only token changes nothing: "
        "use one from `fly tokens create org`, or `fly auth login`.",
    ),
    _Known(
        ("cannot connect to the docker daemon", "docker daemon", "failed to connect to docker"),
        lambda _: "no Docker engine answers, and the image is in none",
        "Start Docker, or give an image of a registry with --image.",
    ),
    _Known(
        ("billing", "payment", "credit card", "add a card"),
        lambda _: "Fly wants a credit card before it runs this",
        "Add one at https://fly.io/dashboard, then deploy again.",
    ),
    _Known(
        ("insufficient_capacity", "could not reserve resource", "lack of capacity"),
        lambda _: "Fly has no room for the machine in that region now",
        "Deploy again later, or choose another primary_region in fly.toml.",
    ),
)
_MANIFEST = (
    "failed to get manifest",
    "manifest unknown",
    "could not find image",
    "image not found",
)


def error_line(stderr: str) -> str:
    """Return flyctl's own sentence, without ids and without anything that looks like a token."""
    found = _ERROR.findall(stderr)
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    line = found[-1] if found else (lines or ["it said nothing"])[-1]
    return _TOKENS.sub("(token)", _IDS.sub("", line)).strip()


def understood(stderr: str, app: str) -> Complaint | None:
    """Return what a failure means; None when it is not known."""
    text = stderr.lower()
    for known in _KNOWN:
        if any(phrase in text for phrase in known.phrases):
            return Complaint(known.message(app), known.hint)
    return None


def says_missing(stderr: str) -> bool:
    """Tell whether the app does not exist, or is not the token's to see."""
    text = stderr.lower()
    return "could not find app" in text or "app not found" in text or "404" in text


def says_not_yet(stderr: str) -> bool:
    """Tell whether the registry does not know yet what was just pushed to it."""
    text = stderr.lower()
    return any(phrase in text for phrase in _MANIFEST)
