"""The image to run: where it is, by what tag it is pushed, and whether Fly's machines take it."""

import os
import re
from collections.abc import Mapping

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.errors import CommandError
from pointsman_cli.images import engine
from pointsman_cli.images.engine import Image
from pointsman_cli.units import size

MACHINES = "linux/amd64"
_LARGEST_BYTES = 8 << 30
"""Of an image that is unpacked; a larger one is pushed, and then no machine starts with it."""
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def check(name: str, preferred: str) -> list[Finding]:
    """Return what is found of the image to run; one of a registry is not looked at.

    `preferred` is the engine that the operator prefers.
    """
    if not name or names_registry(name):
        return []
    try:
        where = engine.find(preferred)
        found = where.image(name)
    except CommandError as problem:
        return [findings.error("image", problem.message, problem.hint)]
    # One that is not here is yet to be built, or pushing it fails and says so.
    return [] if found is None else [judged(found, where.name, os.environ)]


def judged(image: Image, engine_name: str, environment: Mapping[str, str]) -> Finding:
    """Tell whether Fly's machines would run an image, and flyctl would find it."""
    name = image.reference
    if image.architecture != MACHINES:
        return findings.error(
            "image",
            f"the image {name} is for {image.architecture}, and Fly's machines are {MACHINES}",
            f'Set platform = "{MACHINES}" under [image] and `pointsman build` it again.',
        )
    if image.bytes > _LARGEST_BYTES:
        return findings.error(
            "image",
            f"the image {name} has {size(image.bytes)} unpacked, and Fly starts none over 8 GB",
            "Models belong into the store, not into the image.",
        )
    if engine_name == "podman" and not environment.get("DOCKER_HOST"):
        return findings.warning(
            "image",
            "flyctl pushes from Docker, and the image is in Podman",
            "Set DOCKER_HOST to Podman's socket, which `podman info` names.",
        )
    return findings.ok("image", f"{name}, {size(image.bytes)}, runs on Fly's machines")


def names_registry(image: str) -> bool:
    """Tell whether a reference names a registry, as Docker reads it, and so no local image."""
    first, slash, _ = image.partition("/")
    return bool(slash) and (any(mark in first for mark in ".:") or first == "localhost")


def label(image: str) -> str:
    """Return the tag to push an image by: its own, or one made of its digest."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    chosen = tag if colon else digest.rpartition(":")[2][:12] or "latest"
    return chosen if _TAG.fullmatch(chosen) else "latest"
