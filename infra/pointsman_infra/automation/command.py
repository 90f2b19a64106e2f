"""The `pulumi` command: found, or its absence explained; installed only when that is asked for."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pulumi.automation import PulumiCommand
from pulumi.automation.errors import InvalidVersionError
from semver import VersionInfo

from pointsman_infra.errors import CommandMissing

# Versions before it cannot keep their state in R2, and run no program for `destroy`.
OLDEST = VersionInfo(3, 258, 0)
INSTALL = "curl -fsSL https://get.pulumi.com | sh"


def find(environment: Mapping[str, str], *, install: bool = False) -> PulumiCommand:
    """Return the command on PATH or in `~/.pulumi`; raises `CommandMissing` when there is none.

    With `install`, Pulumi's own installer fetches the version that fits into `~/.pulumi/versions`.
    """
    root = _root(environment)
    if root is None and install:
        return _installed()
    if root is None:
        raise CommandMissing(
            "provisioning needs the command `pulumi`, and it is not installed",
            f"Install it with `{INSTALL}`, or let `--install-cli` do that, and try again.",
        )
    try:
        return PulumiCommand(root=str(root), version=OLDEST)
    except InvalidVersionError as error:
        raise CommandMissing(
            f"the command `pulumi` in {root} cannot be used: {error}",
            f"Version {OLDEST} or newer is needed: `{INSTALL}`.",
        ) from error
    except Exception as error:
        # It is there and cannot be run, ends with a failure, or prints something else.
        raise CommandMissing(
            f"the command `pulumi` in {root} does not start: {error}", f"Install it: `{INSTALL}`."
        ) from error


def _root(environment: Mapping[str, str]) -> Path | None:
    """Return the directory whose `bin` holds the command."""
    on_path = shutil.which("pulumi", path=environment.get("PATH", os.defpath))
    if on_path:
        binary = Path(on_path)
        # The SDK looks for <root>/bin/pulumi.
        return binary.parent.parent if binary.parent.name == "bin" else None
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    versions = sorted(home.glob("versions/*"), key=_version, reverse=True)
    return next((root for root in (home, *versions) if (root / "bin" / "pulumi").is_file()), None)


def _version(root: Path) -> VersionInfo:
    try:
        return VersionInfo.parse(root.name.removeprefix("v"))
    except ValueError:
        return VersionInfo(0)


def _installed() -> PulumiCommand:
    try:
        return PulumiCommand.install()
    except Exception as error:
        # The SDK lets through whatever its installer meets: no network, no disk, no shell.
        raise CommandMissing(
            f"the command `pulumi` could not be installed: {error}", f"Try `{INSTALL}`."
        ) from error
