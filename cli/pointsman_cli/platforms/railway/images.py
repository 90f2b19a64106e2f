"""The image to run: how its name is read, who may pull it, and whether it is the one that runs."""

import re
from collections.abc import Mapping

from pointsman_cli.errors import UsageError

USERNAME = "RAILWAY_REGISTRY_USERNAME"
PASSWORD = "RAILWAY_REGISTRY_PASSWORD"  # noqa: S105 — the variable's name
_REFERENCE = re.compile(
    r"[a-z0-9]+(?:[._:-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def checked(image: str) -> str:
    """Return the image's name; raises `UsageError` for what cannot be one, or is only local."""
    if not _REFERENCE.fullmatch(image):
        raise UsageError(
            f"{image!r} is no image's name", "Write registry/name:tag, e.g. ghcr.io/me/digits:v1."
        )
    registry, slash, _ = image.partition("/")
    if slash and re.match(r"localhost\b|127\.", registry):
        raise UsageError(
            f"{image} is in a registry of this machine, which Railway cannot reach",
            "Push it to one on the internet, or leave out --image: then the source is uploaded.",
        )
    return image


def credentials(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return who may pull it; None for a public image. Raises `UsageError` for half of it."""
    given = {name: environment.get(name, "") for name in (USERNAME, PASSWORD)}
    if not any(given.values()):
        return None
    for name, value in given.items():
        if not value:
            raise UsageError(f"{name} is not set, but its companion is", "Set both, or none.")
    return {"username": given[USERNAME], "password": given[PASSWORD]}


def is_same(wanted: str, image: str, digest: str) -> bool:
    """Tell whether what runs is what was asked for, as far as Railway says."""
    if not image:
        return True
    name, _, pinned = wanted.partition("@")
    if pinned and digest:
        return pinned == digest
    return image in {wanted, name}
