"""A fly.toml, read: what deploying and checking it need to know, and nothing invented.

`fly.toml` stays Fly's own file. Values that cannot be are kept as they are: `lint` speaks of them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.fly import durations

FILE_NAME = "fly.toml"
DEFAULT_STRATEGY = "rolling"
DEFAULT_WAIT_SECONDS = 300.0
DEFAULT_KILL_SECONDS = 5.0
_NANOSECOND = 1e-9
_NAME = re.compile(r"[a-z0-9-]{1,63}")

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """A health check of a service; durations are seconds, None where nothing is said."""

    where: str
    path: str | None
    port: int | None
    interval: float | None
    timeout: float | None
    grace: float | None
    headers: Table
    routes: bool = True
    """Whether failing it takes the machine out of routing; top-level checks do not."""
    bare: tuple[str, ...] = ()
    """Durations that are written as bare numbers, which means nanoseconds."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the outside reaches: `http_service`, or one of `services`."""

    where: str
    port: Any
    stop: str
    start: bool
    least: int
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class FlyFile:
    """One fly.toml."""

    path: Path
    values: Table
    services: tuple[Service, ...] = ()
    checks: tuple[Check, ...] = field(default=())
    """Top-level ones."""

    @property
    def app(self) -> str:
        """The app's name; "" when none is given."""
        return str(self.values.get("app", ""))

    @property
    def region(self) -> str:
        """Where machines are made first."""
        return str(self.values.get("primary_region", ""))

    @property
    def strategy(self) -> str:
        """How machines are replaced."""
        return str(_table(self.values, "deploy").get("strategy", DEFAULT_STRATEGY))

    @property
    def wait_seconds(self) -> float:
        """How long flyctl waits for a machine to start, and again for it to be healthy."""
        given = _table(self.values, "deploy").get("wait_timeout")
        return durations.seconds(given, _NANOSECOND) or DEFAULT_WAIT_SECONDS

    @property
    def kill_seconds(self) -> float | None:
        """How long a machine may take to end; None when what is written is no duration."""
        return durations.seconds(self.values.get("kill_timeout", DEFAULT_KILL_SECONDS))

    @property
    def kill_signal(self) -> str:
        """What a machine is told to end by."""
        return str(self.values.get("kill_signal", "SIGINT"))

    @property
    def variables(self) -> dict[str, str]:
        """What `[env]` sets."""
        return {name: str(value) for name, value in _table(self.values, "env").items()}

    @property
    def machines(self) -> list[Table]:
        """The `[[vm]]` tables."""
        return _tables(self.values.get("vm"))

    @property
    def mounts(self) -> list[Table]:
        """The volumes."""
        return _tables(self.values.get("mounts"))

    @property
    def least(self) -> int:
        """How many machines keep running; 0 where all may sleep."""
        return max((each.least for each in self.services), default=0)


def read(path: Path) -> FlyFile:
    """Read a file; raises `UsageError` when it is not there, is not TOML, or has no app."""
    if not path.is_file():
        raise UsageError(
            f"there is no {path.name} in {path.parent}",
            "`pointsman init` writes one; its `app` is the name on Fly.",
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", "Correct that line.") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if not isinstance(values.get("app"), str) or not values["app"]:
        raise UsageError(f"{path} names no app", 'Put app = "NAME" at its top.')
    if not _NAME.fullmatch(values["app"]):
        raise UsageError(
            f"{path}: app cannot be {values['app']!r}: it becomes the name of a host",
            "Small letters, digits and dashes, 63 at most.",
        )
    return parsed(path, values)


def parsed(path: Path, values: Table) -> FlyFile:
    """Return the file whose content is `values`."""
    services = []
    if http := _table(values, "http_service"):
        services.append(_service("http_service", http, "checks"))
    for index, table in enumerate(_tables(values.get("services"))):
        services.append(_service(f"services[{index}]", table, "http_checks"))
    top = [
        _check(f"checks.{name}", table, routes=False)
        for name, table in _table(values, "checks").items()
        if isinstance(table, dict)
    ]
    return FlyFile(path, values, tuple(services), tuple(top))


def _service(where: str, table: Table, checks: str) -> Service:
    stop, least = table.get("auto_stop_machines", "off"), table.get("min_machines_running")
    return Service(
        where=where,
        port=table.get("internal_port"),
        stop={True: "stop", False: "off"}.get(stop, str(stop)),
        start=table.get("auto_start_machines", True) is not False,
        least=least if isinstance(least, int) else 0,
        checks=tuple(
            _check(f"{where}.{checks}[{index}]", each)
            for index, each in enumerate(_tables(table.get(checks)))
        ),
    )


def _check(where: str, table: Table, *, routes: bool = True) -> Check:
    # Only the legacy forms are patched: there a bare number counts milliseconds, in
    # `http_service` it counts nanoseconds (flyctl's internal/appconfig/patches.go).
    unit = _NANOSECOND if where.startswith("http_service") else 1e-3
    names = ("interval", "timeout", "grace_period")
    interval, timeout, grace = (durations.seconds(table.get(name), unit) for name in names)
    return Check(
        where=where,
        path=table.get("path"),
        port=table.get("port"),
        interval=interval,
        timeout=timeout,
        grace=grace,
        headers=_table(table, "headers"),
        routes=routes,
        bare=tuple(name for name in names if _is_bare(table.get(name))),
    )


def _is_bare(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _table(values: Table, name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _tables(found: object) -> list[Table]:
    """Return a list of tables, which may be written as a single one."""
    many = found if isinstance(found, list) else [found]
    return [each for each in many if isinstance(each, dict)]
