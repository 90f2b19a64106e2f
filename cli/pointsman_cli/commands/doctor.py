"""`doctor`: find out what will not work, before it does not."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from pointsman_cli.commands.arguments import PlatformName
from pointsman_cli.context import Context, with_context

if TYPE_CHECKING:
    from pointsman.findings import Finding
    from pointsman.stores.base import ObjectStore

_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}
_PAIR = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
_KEYS = (*_PAIR, "SESSION_TOKEN")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: POINTSMAN_RUNTIME_ACCESS_KEY_ID=… POINTSMAN_RUNTIME_SECRET_ACCESS_KEY=… "
        "pointsman doctor"
    )(doctor)


@with_context
def doctor(context: Context, platform: PlatformName = None) -> None:
    """Check the store: reach, clock, reading, conditional writes.

    With --platform also all that `deploy` checks before it changes anything.

    With the service's credentials in POINTSMAN_RUNTIME_ACCESS_KEY_ID and
    POINTSMAN_RUNTIME_SECRET_ACCESS_KEY, also that they read models, write heartbeats, and cannot
    write models. Ends with 1 when a check finds an error.
    """
    import msgspec

    from pointsman import store_checks
    from pointsman.findings import Severity
    from pointsman_cli.errors import CommandError

    url = context.project.configuration.store
    found = list(store_checks.check(context.registry.store, _runtime_store(url, os.environ)))
    if platform is not None:
        found += _of_platform(context, platform)
    document = {"store": url, "findings": [msgspec.to_builtins(finding) for finding in found]}
    context.output.table(["", "check", "finding", "what to do"], [_row(each) for each in found])
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise CommandError(
            f"{len(errors)} of {len(found)} checks failed: {errors[0].message}",
            errors[0].remediation,
            document,
        )
    context.output.result(document)
    context.output.success(f"{url} is fit for use")


def _of_platform(context: Context, named: str) -> "list[Finding]":
    from pointsman_cli.deploying import Deploying
    from pointsman_cli.platforms.base import Wanted
    from pointsman_cli.platforms.discovery import platform

    where = platform(named, context)
    deploying = Deploying.of(context, where, Wanted())
    return list(where.check(deploying.wanted))


def _runtime_store(url: str, environment: Mapping[str, str]) -> "ObjectStore | None":
    """Open the store as the service would; None when its credentials are not given."""
    from pointsman.stores import open_store
    from pointsman_cli.errors import UsageError
    from pointsman_cli.platforms.variables import RUNTIME_PREFIX

    given = {name: environment.get(f"{RUNTIME_PREFIX}{name}", "") for name in _KEYS}
    if not any(given.values()):
        return None
    missing = [name for name in _PAIR if not given[name]]
    if missing:
        raise UsageError(
            f"the service's credentials are given without {RUNTIME_PREFIX}{missing[0]}",
            f"Set {' and '.join(RUNTIME_PREFIX + name for name in _PAIR)}, or none of them.",
        )
    own = {f"AWS_{name}": value for name, value in given.items()}
    return open_store(url, dict(environment) | own)


def _row(finding: "Finding") -> list[str]:
    return [_MARKS[finding.severity], finding.check, finding.message, finding.remediation]
