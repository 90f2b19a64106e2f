"""What flyctl is told, as argument lists: pure, and never a secret in one.

Flags are those of flyctl 0.4.80 and later. `--yes` and names keep it from asking questions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

Arguments = list[str]


def version() -> Arguments:
    """Ask which flyctl this is."""
    return ["version", "--json"]


def organizations() -> Arguments:
    """Ask which organizations the token can work for."""
    return ["orgs", "list", "--json"]


def create(app: str, organization: str) -> Arguments:
    """Make an app, whose name is unique on all of Fly."""
    return ["apps", "create", app, "--org", organization, "--json"]


def destroy(app: str) -> Arguments:
    """End an app with its machines, volumes and secrets."""
    return ["apps", "destroy", app, "--yes"]


def status(app: str) -> Arguments:
    """Ask for the app, its address and its release."""
    return ["status", "--app", app, "--json"]


def machines(app: str) -> Arguments:
    """Ask for every machine, in one request."""
    return ["machine", "list", "--app", app, "--json"]


def start(app: str, machine: str) -> Arguments:
    """Wake a machine."""
    return ["machine", "start", machine, "--app", app]


def releases(app: str) -> Arguments:
    """Ask for the last releases, newest first."""
    return ["releases", "--app", app, "--json", "--image"]


def logs(app: str, machine: str = "", *, follow: bool = False) -> Arguments:
    """Ask for log lines; without `follow`, those that Fly still holds."""
    only = ["--machine", machine] if machine else []
    return ["logs", "--app", app, "--json", *only, *([] if follow else ["--no-tail"])]


def secret_names(app: str) -> Arguments:
    """Ask for the names and digests of secrets; Fly gives no values."""
    return ["secrets", "list", "--app", app, "--json"]


def import_secrets(app: str) -> Arguments:
    """Stage what standard input holds, for the next release."""
    return ["secrets", "import", "--stage", "--app", app]


def set_secret(app: str, name: str) -> Arguments:
    """Stage one secret, whose value is standard input."""
    return ["secrets", "set", f"{name}=-", "--stage", "--app", app]


def push(app: str, file: Path, image: str, label: str) -> Arguments:
    """Push an image of this machine's engine to the app's repository, and release nothing.

    Without `--local-only` flyctl would look for the image on Fly's side alone.
    """
    return [
        "deploy", "--build-only", "--push", "--local-only", "--image", image,
        "--image-label", label, "--app", app, "--config", str(file), "--yes",
    ]  # fmt: skip


def release(app: str, file: Path, image: str, variables: Mapping[str, str]) -> Arguments:
    """Release an image of a registry, by the strategy and the wait time of the file.

    Retries and DNS checks are off: a failure is told at once, and the address is asked afterwards.
    """
    pairs = [word for name in sorted(variables) for word in ("--env", f"{name}={variables[name]}")]
    return [
        "deploy", "--image", image, "--app", app, "--config", str(file), "--yes",
        "--deploy-retries", "0", "--dns-checks=false", *pairs,
    ]  # fmt: skip


def restore(
    app: str, file: Path, image: str, variables: Mapping[str, str], machines: Sequence[str]
) -> Arguments:
    """Release an image on some machines only, at once: the others serve, and are left alone."""
    return [
        *release(app, file, image, variables),
        "--strategy", "immediate", "--only-machines", ",".join(machines),
    ]  # fmt: skip
