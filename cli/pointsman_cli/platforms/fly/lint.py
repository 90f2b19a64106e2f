"""What is wrong with a fly.toml for a service that loads models: pure rules, each with its remedy.

An error is what makes a deployment fail, or fail its users; a warning is what does harm one day.
Facts about the platform: flyctl's `internal/appconfig/validation.go`, and Fly's documentation of
autostop, suspend and health checks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.findings import Finding, error, ok, warning
from pointsman_cli.platforms.fly import durations, schema, sizes
from pointsman_cli.platforms.fly.configuration import Check, FlyFile, Service

HEALTH_PATH = "/health"
_STRATEGIES = ("rolling", "canary", "bluegreen", "immediate")
_SIGNALS = ("SIGTERM", "SIGINT")
_CLAMP_SECONDS = 60.0
_MOST_KILL_SECONDS = 300.0
_SUSPEND_MB = 2048
_LONG_WAIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Expected:
    """What the service does: its port, and how long it says goodbye."""

    port: int
    goodbye_seconds: float


def findings(file: FlyFile, expected: Expected) -> list[Finding]:
    """Return everything that is wrong, or one finding that nothing is."""
    found = [
        *_keys(file),
        *_variables(file),
        *_services(file, expected),
        *_deploy(file),
        *_goodbye(file, expected),
        *_machines(file),
    ]
    return found or [ok("fly.toml", f"{file.path.name} suits the service")]


def _keys(file: FlyFile) -> Iterator[Finding]:
    for key, meant in schema.unknown(file.values):
        message = f"{file.path.name}: there is no key {key}; Fly ignores it silently"
        if meant:
            yield error("fly.toml keys", message, f"Is it {meant}?")
        else:
            yield warning(
                "fly.toml keys", message, "Remove it, or look for its name in Fly's docs."
            )


def _variables(file: FlyFile) -> Iterator[Finding]:
    for name in file.variables:
        if name.startswith("FLY_"):
            yield error(
                "fly.toml env",
                f"[env] sets {name}: names that begin with FLY_ are Fly's own",
                "Rename it, or remove it.",
            )


def _services(file: FlyFile, expected: Expected) -> Iterator[Finding]:
    if not file.services:
        yield error(
            "fly.toml service",
            f"{file.path.name} has no [http_service]: nobody reaches the service from outside",
            f"Add [http_service] with internal_port = {expected.port}.",
        )
        return
    for service in file.services:
        yield from _port(file, service, expected)
        yield from _autostop(service)
        yield from _suspend(file, service)
        yield from _checks(service)
    for check in file.checks:
        yield from _times(check)


def _port(file: FlyFile, service: Service, expected: Expected) -> Iterator[Finding]:
    port = file.variables.get("PORT", str(expected.port))
    if str(service.port) != port:
        yield error(
            "fly.toml port",
            f"{service.where} asks port {service.port}, and the service listens on {port}",
            f"Set internal_port = {port} under [{service.where}], or PORT under [env].",
        )


def _autostop(service: Service) -> Iterator[Finding]:
    if service.stop not in {"off", "stop", "suspend"}:
        yield error(
            "fly.toml autostop",
            f"{service.where}: auto_stop_machines cannot be {service.stop!r}",
            'It is "off", "stop" or "suspend".',
        )
    elif service.stop != "off" and not service.start:
        yield error(
            "fly.toml autostop",
            f"{service.where} stops idle machines, and never starts them again",
            'Set auto_start_machines = true, or auto_stop_machines = "off".',
        )
    if service.stop == "off" and service.least:
        yield warning(
            "fly.toml autostop",
            f"{service.where}: min_machines_running has no effect where nothing is stopped",
            'Remove it, or set auto_stop_machines = "stop".',
        )


def _suspend(file: FlyFile, service: Service) -> Iterator[Finding]:
    if service.stop != "suspend":
        return
    if any(size.memory_mb > _SUSPEND_MB for size in _sizes(file)):
        yield error(
            "fly.toml suspend",
            "machines with more than 2 GB of memory cannot be suspended: Fly stops them instead, "
            "and each start fetches the model anew",
            'Set auto_stop_machines = "stop", or give the machine at most memory = "2gb".',
        )
    if file.values.get("swap_size_mb"):
        yield error(
            "fly.toml suspend",
            "machines with swap cannot be suspended: Fly stops them instead",
            'Remove swap_size_mb, or set auto_stop_machines = "stop".',
        )


def _checks(service: Service) -> Iterator[Finding]:
    if not service.checks:
        yield error(
            "fly.toml checks",
            f"{service.where} has no health check: Fly would send requests to machines that have "
            "no model yet, and call every deployment a success",
            f'Add [[{service.where}.checks]] with path = "{HEALTH_PATH}", interval = "15s" and '
            'timeout = "5s".',
        )
    for check in service.checks:
        if (check.path or "/").partition("?")[0] != HEALTH_PATH:
            yield error(
                "fly.toml checks",
                f"{check.where} asks {check.path or '/'}, which is not 200 exactly when a model "
                "answers",
                f'Set path = "{HEALTH_PATH}".',
            )
        yield from _times(check)


def _times(check: Check) -> Iterator[Finding]:
    for name in check.bare:
        yield error(
            "fly.toml checks",
            f"{check.where}: {name} is a bare number, which Fly does not read as seconds",
            f'Write it with its unit: {name} = "15s".',
        )
    if check.routes:
        yield from _clamped(check)
        return
    if check.interval is not None and check.interval < 2:  # noqa: PLR2004 — flyctl's own limit
        yield _limit(check, "an interval below 2 s")
    if check.timeout is not None and check.timeout > _CLAMP_SECONDS:
        yield _limit(check, "a timeout above 60 s")


def _clamped(check: Check) -> Iterator[Finding]:
    if (check.grace or 0) > _CLAMP_SECONDS:
        yield warning(
            "fly.toml grace",
            f"{check.where}: a grace period of {check.grace:g} s is lowered to 60 s",
            'Set grace_period = "60s"; what gives a large model its time is wait_timeout under '
            "[deploy].",
        )
    for name, value in (("interval", check.interval), ("timeout", check.timeout)):
        if value is not None and value > _CLAMP_SECONDS and name not in check.bare:
            yield warning(
                "fly.toml checks",
                f"{check.where}: {name} is {value:g} s, and Fly lowers it to 60 s",
                f'Set {name} = "60s" or less.',
            )


def _limit(check: Check, what: str) -> Finding:
    return error("fly.toml checks", f"{check.where} has {what}: flyctl refuses it", "Change it.")


def _deploy(file: FlyFile) -> Iterator[Finding]:
    if file.strategy not in _STRATEGIES:
        yield error(
            "fly.toml strategy",
            f"there is no strategy {file.strategy!r}",
            f"It is one of {', '.join(_STRATEGIES)}.",
        )
    if file.mounts and file.strategy in {"canary", "bluegreen"}:
        yield error(
            "fly.toml strategy",
            f"{file.strategy} cannot be used with volumes: a volume belongs to one machine",
            'Set strategy = "rolling", or remove [[mounts]]: models come from the store anyway.',
        )
    elif file.strategy == "immediate":
        yield warning(
            "fly.toml strategy",
            "immediate replaces all machines at once and waits for none of them",
            'Set strategy = "bluegreen": the old machines answer until the new ones are healthy.',
        )
    elif file.strategy == "rolling" and not file.mounts:
        yield warning(
            "fly.toml strategy",
            "rolling stops a machine before its successor runs, and leaves a failed one behind",
            'Set strategy = "bluegreen": the old machines answer until the new ones are healthy.',
        )
    written = (file.values.get("deploy") or {}).get("wait_timeout")
    if written is not None and (durations.seconds(written, 1e-9) or 0) < 1:
        yield error(
            "fly.toml wait_timeout",
            f"wait_timeout = {written!r} is no time to wait",
            'Write it with its unit: wait_timeout = "10m".',
        )


def _goodbye(file: FlyFile, expected: Expected) -> Iterator[Finding]:
    if file.kill_signal not in _SIGNALS:
        yield error(
            "fly.toml kill_signal",
            f"{file.kill_signal} ends the service without letting it answer requests in flight",
            'Set kill_signal = "SIGTERM".',
        )
    seconds = file.kill_seconds
    if seconds is None or seconds > _MOST_KILL_SECONDS:
        yield error(
            "fly.toml kill_timeout",
            f"kill_timeout = {file.values.get('kill_timeout')!r} cannot be: at most 300 s",
            'Write it like kill_timeout = "30s".',
        )
    elif seconds <= expected.goodbye_seconds:
        yield error(
            "fly.toml kill_timeout",
            f"Fly kills a machine after {seconds:g} s, and the service takes up to "
            f"{expected.goodbye_seconds:g} s to answer requests in flight",
            f'Set kill_timeout = "{expected.goodbye_seconds + 9:.0f}s", or lower '
            "POINTSMAN_DRAIN_TIMEOUT.",
        )


def _machines(file: FlyFile) -> Iterator[Finding]:
    for table in file.machines:
        try:
            size = sizes.size(table)
        except sizes.SizeInvalid as problem:
            yield error("fly.toml vm", f"[[vm]]: {problem}", "Correct [[vm]].")
            continue
        if size.memory_mb > size.most_mb:
            yield error(
                "fly.toml vm",
                f"{size.cpus} {size.kind} CPUs have at most {size.most_mb} MB of memory, and "
                f"{size.memory_mb} MB are wanted",
                "Give the machine more CPUs, or less memory.",
            )
        if "gpu_kind" in table or "gpus" in table:
            yield error(
                "fly.toml vm", "Fly has no GPU machines any more", "Remove gpu_kind and gpus."
            )


def _sizes(file: FlyFile) -> list[sizes.Size]:
    found = []
    for table in file.machines:
        try:
            found.append(sizes.size(table))
        except sizes.SizeInvalid:
            continue
    return found
