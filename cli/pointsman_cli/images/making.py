"""Having the image: built if this machine has not yet built the same, and pushed if asked to."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from pointsman_cli import process
from pointsman_cli.configuration import Project
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.images import engine as engines
from pointsman_cli.images import source as sources
from pointsman_cli.images.engine import Engine, Image, Recipe
from pointsman_cli.images.source import Source
from pointsman_cli.process import Line
from pointsman_cli.units import duration, size

NAME = "pointsman-service"
"""What images are called on this machine."""
_PLATFORMS = ("linux/amd64", "linux/arm64")
_REPOSITORY = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_GIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Made:
    """An image of the service, here, and where it was pushed."""

    image: Image
    built: bool
    seconds: float
    pushed: str = ""
    """What it is called in its registry, pinned by digest; "" if it was not pushed."""

    @property
    def reference(self) -> str:
        """What to run: pinned by digest, if it was pushed."""
        return self.pushed or self.image.reference

    def document(self) -> dict[str, Any]:
        """Return what `--json` gives."""
        return {
            "image": self.image.reference,
            "id": self.image.id,
            "pushed": self.pushed,
            "bytes": self.image.bytes,
            "built": self.built,
            "seconds": self.seconds,
        }


@contextmanager
def laid_out(project: Project) -> Iterator[Source]:
    """Yield what the image is made from, in a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="pointsman-image-") as directory:
        yield sources.lay_out(project, Path(directory))


def called(context: Context, *, pushed: bool) -> str:
    """Return what the image will be called, here or where it is `pushed` to; "" for nowhere."""
    with laid_out(context.project) as source:
        if not pushed:
            return f"{NAME}:{source.tag}"
        name = repository(context.project)
        return f"{name}:{source.tag}" if name else ""


def build(context: Context, *, again: bool = False) -> Made:
    """Build the image, unless it is here; with `again` in any case. Raises `CommandError`."""
    project = context.project
    _require_known(project.configuration.image.platform)
    engine = engines.find(project.configuration.image.engine)
    started = time.monotonic()
    with laid_out(project) as source:
        name = f"{NAME}:{source.tag}"
        image = None if again else engine.image(name)
        built = image is None
        if image is None:
            _build(context, engine, source, name)
            image = engine.image(name)
    if image is None:
        raise CommandError(f"{engine.name} says that it built {name}, and does not have it")
    made = Made(image, built, round(time.monotonic() - started, 3))
    verb = f"built in {duration(made.seconds)}" if built else "there already, nothing has changed"
    context.output.step(f"image {name}, {size(image.bytes)}: {verb}")
    return made


def push(context: Context, made: Made) -> Made:
    """Push an image to `image.repository`; the result says what it is there. `CommandError`."""
    where = required_repository(context.project)
    engine = engines.find(context.project.configuration.image.engine)
    name = f"{where}:{made.image.reference.rpartition(':')[2]}"
    engine.tag(made.image.reference, name)
    _told(context, f"pushing {name}", engine.push(name))
    image = engine.image(name)
    digest = image.digest(where) if image else ""
    context.output.step(f"pushed {name}")
    return replace(made, pushed=f"{where}@{digest}" if digest else name)


def required_repository(project: Project) -> str:
    """Return where images are pushed to; raises `UsageError` where that was never said."""
    if name := repository(project):
        return name
    raise UsageError(
        "there is nowhere to push the image to",
        'Put repository = "ghcr.io/me/digits" under [image] into pointsman.toml.',
    )


def repository(project: Project) -> str:
    """Return where images are pushed to, "" for nowhere; raises `UsageError` for what is no name.

    A name as every registry takes it: github.com/distribution/reference.
    """
    name = project.configuration.image.repository
    if name and not _REPOSITORY.fullmatch(name):
        raise UsageError(
            f"image.repository is no repository of images: {name!r}",
            'Host and path in small letters, without a tag: "ghcr.io/me/digits".',
        )
    return name


def existing(context: Context, name: str) -> Image:
    """Return an image that was named, fetched if it is not here. Raises `CommandError`.

    An image of another architecture than `image.platform` is refused.
    """
    settings = context.project.configuration.image
    engine = engines.find(settings.engine)
    image = engine.image(name)
    if image is None:
        _told(context, f"pulling {name}", engine.pull(name))
        image = engine.image(name)
    if image is None:
        raise CommandError(f"there is no image {name}", "`pointsman build` makes one.")
    if image.architecture != settings.platform:
        raise CommandError(
            f"the image {name} is for {image.architecture}, and the machines are "
            f"{settings.platform}",
            "Build it again with `pointsman build`, or set platform under [image].",
        )
    return image


def described(context: Context, name: str) -> str:
    """Say how large an image is, or that it is yet to be built; fails for nothing."""
    try:
        image = engines.find(context.project.configuration.image.engine).image(name)
    except CommandError:
        image = None
    return f"{name}, {size(image.bytes)}" if image else f"{name}, not on this machine yet"


def _build(context: Context, engine: Engine, source: Source, name: str) -> None:
    settings = context.project.configuration.image
    recipe = Recipe(
        context=source.directory,
        reference=name,
        platform=settings.platform,
        network=settings.network,
        labels=_labels(context.project, source),
        arguments={"BASE": settings.base} if settings.base else {},
    )
    _told(context, f"building {name}", engine.build(recipe))


def _require_known(platform: str) -> None:
    if platform not in _PLATFORMS:
        raise UsageError(
            f"image.platform cannot be {platform!r}",
            f"ONNX Runtime is there for {' and '.join(_PLATFORMS)}.",
        )


def _labels(project: Project, source: Source) -> dict[str, str]:
    labels = {
        "org.opencontainers.image.title": "pointsman service",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": installed("pointsman-service"),
        "org.opencontainers.image.revision": _git_commit(project.directory),
        "pointsman.content": source.content,
        "pointsman.onnxruntime": source.locked("onnxruntime"),
    }
    return {name: value for name, value in labels.items() if value}


def _git_commit(directory: Path) -> str:
    """Return the commit of the project; "" where there is none."""
    git = process.find("git")
    if git is None:
        return ""
    ended = process.run(
        [git, "rev-parse", "--verify", "--quiet", "HEAD"], directory=directory, timeout=_GIT_SECONDS
    )
    return ended.stdout.strip() if ended.ok else ""


def _told(context: Context, what: str, lines: Iterator[Line]) -> None:
    """Show the last thing that was said, while it goes on."""
    context.output.step(what)
    with context.output.waiting(what) as update:
        for line in lines:
            if line.text.strip():
                update(f"{what}: {line.text.strip()[:100]}")
