"""What can be known before anything changes: the file, flyctl, the token, the app's name."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.fly import commands, complaints, reply
from pointsman_cli.platforms.fly.flyctl import Flyctl, FlyFailed

_ORGANIZATION = ("FLY_ORG", "FLY_ORGANIZATION")
_IDENTITY = frozenset({"AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_PROFILE"})
_WHICH = "Set FLY_ORG to the one that the app shall belong to."


@dataclass(frozen=True, slots=True)
class Standing:
    """What Fly says of the app; `app` is None where there is none yet."""

    app: reply.App | None
    secrets: frozenset[str] = frozenset()


def app(fly: Flyctl, name: str) -> reply.App | None:
    """Return the app; None where it does not exist, or is not the token's to see."""
    try:
        return fly.ask(commands.status(name), reply.app)
    except FlyFailed as failure:
        if complaints.says_missing(failure.stderr):
            return None
        raise


def standing(fly: Flyctl, name: str) -> Standing:
    """Return the app and the names of its secrets; raises `FlyFailed`."""
    found = app(fly, name)
    names = fly.ask(commands.secret_names(name), reply.names) if found else ()
    return Standing(found, frozenset(names))


def organization(fly: Flyctl, environment: Mapping[str, str] = os.environ) -> str:
    """Return the organization for a new app; raises `CommandError` when that is not clear."""
    for name in _ORGANIZATION:
        if named := environment.get(name):
            return named
    found = sorted(fly.ask(commands.organizations(), msgspec.json.decode) or {})
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise CommandError("the token belongs to no organization on Fly", _WHICH)
    raise CommandError(f"there are several organizations: {', '.join(found)}", _WHICH)


def account(fly: Flyctl, name: str, stands: Standing) -> Iterator[Finding]:
    """Yield what is found of flyctl, the token and the app; raises `FlyFailed`."""
    yield findings.ok("flyctl", "flyctl is there, and its token works")
    if stands.app is not None:
        release = f", release {stands.app.version}" if stands.app.version else ""
        yield findings.ok("app", f"the app {name} is there{release}, at {stands.app.url}")
        return
    where = organization(fly)
    yield findings.ok("app", f"the app {name} is yet to be made, in {where}")


def left_over(
    plain: Mapping[str, str], secret: Mapping[str, str], present: frozenset[str]
) -> Iterator[Finding]:
    """Yield what secrets of earlier do to a release: they beat variables, or spoil credentials."""
    for name in sorted(plain.keys() & present):
        yield findings.warning(
            "secrets",
            f"the app has a secret {name}, which beats the variable of that name",
            f"`fly secrets unset {name}`, if the variable is meant to count.",
        )
    for name in sorted((_IDENTITY & present) - plain.keys() - secret.keys()) if secret else ():
        yield findings.warning(
            "secrets",
            f"the app has a secret {name} of earlier, which the service's key does not go with",
            f"`fly secrets unset {name}`.",
        )
