"""The container engine of this machine: Docker or Podman, found, asked, and driven.

Every command line that this project gives to an engine is here; none holds a secret. What an
engine says when it refuses becomes a sentence in `images.refusals`.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman_cli import process
from pointsman_cli.configuration import FILE_NAME
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.images import refusals
from pointsman_cli.process import Finished, Line

_KNOWN = ("docker", "podman")
_QUICK_SECONDS = 30.0
_BUILD_SECONDS = 3600.0
_MOVE_SECONDS = 3600.0
_GIVEN_UP_SECONDS = 90.0
_INSTALL = (
    "Install Docker (docs.docker.com/engine/install) or Podman (podman.io); `docker version` must "
    "show a client and a server."
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that this machine has."""

    reference: str
    id: str
    bytes: int
    architecture: str
    """As the engine names it: `linux/amd64`."""
    labels: Mapping[str, str]
    digests: Sequence[str] = ()
    """By what it is known in registries: `ghcr.io/me/digits@sha256:…`."""

    def digest(self, repository: str) -> str:
        """Return its digest in a repository; "" where it was never pushed there."""
        prefix = f"{repository}@"
        found = (each for each in self.digests if each.startswith(prefix))
        return next(found, "").removeprefix(prefix)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built, from what, and under which name."""

    context: Path
    reference: str
    platform: str
    network: str
    labels: Mapping[str, str]
    arguments: Mapping[str, str]
    """Build arguments; no secrets, they stay in the image's history."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine that answers."""

    program: str
    name: str
    buildx: bool = False

    def build(self, recipe: Recipe) -> Iterator[Line]:
        """Build an image; yields what is said meanwhile. Raises `CommandError`."""
        command = ["buildx", "build", "--load"] if self.buildx else ["build"]
        options = ["--tag", recipe.reference, "--platform", recipe.platform]
        if recipe.network:
            options += ["--network", recipe.network]
        for name, value in sorted(recipe.arguments.items()):
            options += ["--build-arg", f"{name}={value}"]
        for name, value in sorted(recipe.labels.items()):
            options += ["--label", f"{name}={value}"]
        arguments = [self.program, *command, *options, str(recipe.context)]
        yield from self._streamed(arguments, _BUILD_SECONDS, refusals.of_build)

    def push(self, reference: str) -> Iterator[Line]:
        """Push an image; yields what is said meanwhile. Raises `CommandError`."""
        yield from self._streamed(
            [self.program, "push", reference], _MOVE_SECONDS, refusals.of_push
        )

    def pull(self, reference: str) -> Iterator[Line]:
        """Fetch an image; yields what is said meanwhile. Raises `CommandError`."""
        yield from self._streamed(
            [self.program, "pull", reference], _MOVE_SECONDS, refusals.of_pull
        )

    def tag(self, reference: str, other: str) -> None:
        """Give an image a second name."""
        self._asked(["tag", reference, other])

    def image(self, reference: str) -> Image | None:
        """Return an image that is here; None when there is none of that name."""
        found = self._quick(["image", "inspect", reference])
        if not found.ok:
            return None
        [facts] = json.loads(found.stdout)
        return Image(
            reference=reference,
            id=facts["Id"],
            bytes=int(facts.get("Size") or 0),
            architecture=f"{facts.get('Os', 'linux')}/{facts.get('Architecture', '')}",
            labels=(facts.get("Config") or {}).get("Labels") or {},
            digests=tuple(facts.get("RepoDigests") or ()),
        )

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
        """Start a container in the background; return its id.

        Variables are named in the arguments and have their values in `environment`, so that no
        secret stands in an argument list.
        """
        return self._asked(["run", "--detach", *arguments], environment).stdout.strip()

    def container(self, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of a container; None when there is none of that name."""
        found = self._quick(["container", "inspect", name])
        return json.loads(found.stdout)[0] if found.ok else None

    def stop(self, name: str, seconds: int) -> None:
        """End a container: SIGTERM, and after some seconds SIGKILL."""
        self._asked(["stop", "--time", str(seconds), name], timeout=seconds + _GIVEN_UP_SECONDS)

    def remove(self, name: str) -> None:
        """Forget a container that has ended."""
        self._asked(["rm", "--force", name])

    def remove_volume(self, name: str) -> None:
        """Delete a volume, if there is one."""
        self._asked(["volume", "rm", "--force", name])

    def rename(self, name: str, other: str) -> None:
        """Call a container something else."""
        self._asked(["rename", name, other])

    def start(self, name: str) -> None:
        """Start a container that was stopped."""
        self._asked(["start", name])

    def logs(self, name: str, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield a container's last lines, and with `follow` those that come until it ends."""
        options = ["--follow"] if follow else []
        arguments = [self.program, "logs", "--tail", str(lines), *options, name]
        with process.stream(arguments, environment=_environment()) as streaming:
            for line in streaming.lines:
                yield line.text

    def _streamed(
        self, arguments: Sequence[str], seconds: float, refusal: refusals.Refusal
    ) -> Iterator[Line]:
        with process.stream(
            arguments, environment=self._building_environment(), timeout=seconds
        ) as streaming:
            yield from streaming.lines
        if streaming.code:
            raise refusal(self.name, arguments[-1], streaming.said())

    def _asked(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        timeout: float = _MOVE_SECONDS,
    ) -> Finished:
        """Run one of the engine's commands; raises `CommandError` with what it said."""
        ended = process.run(
            [self.program, *arguments],
            environment=_environment() | dict(environment or {}),
            timeout=timeout,
        )
        if not ended.ok:
            raise CommandError(f"{self.name} {arguments[0]}: {refusals.last_words(ended.stderr)}")
        return ended

    def _quick(self, arguments: Sequence[str]) -> Finished:
        return process.run(
            [self.program, *arguments], environment=_environment(), timeout=_QUICK_SECONDS
        )

    def _building_environment(self) -> dict[str, str]:
        """Return the environment; Docker's client wants to be told to do without buildx."""
        plain = self.name == "docker" and not self.buildx
        return _environment() | ({"DOCKER_BUILDKIT": "0"} if plain else {})


def find(preferred: str = "") -> Engine:
    """Return the engine of this machine; `preferred` is `docker`, `podman`, or "" for any.

    Raises `CommandError` when none is installed, or the one that is does not answer.
    """
    if preferred and preferred not in _KNOWN:
        raise UsageError(
            f"image.engine cannot be {preferred!r}", f"It is one of {', '.join(_KNOWN)}."
        )
    silent: CommandError | None = None
    for name in [preferred] if preferred else _KNOWN:
        program = process.find(name)
        if program is None:
            continue
        ended = process.run(
            [program, "version", "--format", "{{.Server.Version}}"]
            if name == "docker"
            else [program, "version", "--format", "{{.Client.Version}}"],
            environment=_environment(),
            timeout=_QUICK_SECONDS,
        )
        if ended.ok:
            return Engine(program, name, name == "docker" and _has_buildx(program))
        silent = silent or refusals.of_engine(name, ended.stderr)
    if silent is not None:
        raise silent
    if preferred:
        raise CommandError(
            f"{preferred} is not installed, and engine under [image] asks for it",
            f"Install it, or take that line out of {FILE_NAME}: what there is will do.",
        )
    raise CommandError(
        "a container engine (docker or podman) is needed, and not installed", _INSTALL
    )


def _has_buildx(program: str) -> bool:
    ended = process.run(
        [program, "buildx", "version"], environment=_environment(), timeout=_QUICK_SECONDS
    )
    return ended.ok


def _environment() -> dict[str, str]:
    """Return the operator's environment: the engine finds its server and logins by it."""
    return dict(os.environ)
