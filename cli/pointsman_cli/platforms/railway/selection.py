"""Which files of a folder are uploaded to be built: what the ignore files leave, and no secrets.

`.gitignore` (at every level) and `.railwayignore` mean what they mean to Railway's own command,
`.dockerignore` what it means to Docker; a file is sent if none of them excludes it. What holds
secrets by its name is not sent even if none does: it is reported instead.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec, PathSpec

_NEVER = frozenset({".git", "node_modules", ".pointsman"})
_ENVIRONMENT_FILE = ".env"
_GITIGNORE = ".gitignore"
_LARGEST = 10


@dataclass(frozen=True, slots=True)
class File:
    """A file to be sent: its name in the archive, where it is, and its bytes."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What would be sent, what must not be, and what is left out for leading elsewhere."""

    files: tuple[File, ...]
    secrets: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in all, before they are compressed."""
        return sum(file.size for file in self.files)

    @property
    def largest(self) -> list[File]:
        """The files that cost the most."""
        return sorted(self.files, key=lambda file: -file.size)[:_LARGEST]

    def completed(self, brought: Iterable[tuple[str, Path]]) -> "Selection":
        """Return it with files that the command brings along, where the folder has none so called.

        A project has a Dockerfile that copies the service's code, and not the code itself.
        """
        there = {file.name for file in self.files}
        added = [
            File(name, path, path.stat().st_size) for name, path in brought if name not in there
        ]
        return replace(self, files=(*self.files, *added))


def select(root: Path, dockerfile: str, private: Collection[Path] = ()) -> Selection:
    """Choose among the files under `root`; the Dockerfile is always sent, `private` never."""
    wanted = {dockerfile.removeprefix("./").lstrip("/"), ".dockerignore"}
    hidden = {path.resolve() for path in private}
    excluded = _excluded_by_docker(root, dockerfile)
    files, secrets, outside = [], [], []
    for name in sorted(_names(root)):
        if name not in wanted and excluded.match_file(name):
            continue
        path = root / name
        real = path.resolve()
        if not real.is_relative_to(root.resolve()):
            outside.append(name)
        elif _is_secret(name) or _is_secret(real.name) or real in hidden:
            secrets.append(name)
        elif real.is_file():
            files.append(File(name, path, real.stat().st_size))
    return Selection(tuple(files), tuple(secrets), tuple(outside))


def _is_secret(name: str) -> bool:
    return PurePosixPath(name).name.lower().startswith(_ENVIRONMENT_FILE)


def _names(root: Path) -> Iterator[str]:
    """Yield every file that git and Railway's own command would not ignore."""
    rules = {"": _git_rules(root, "", ".railwayignore", _GITIGNORE)}
    for directory, folders, names in os.walk(root):
        here = Path(directory).relative_to(root).as_posix().removeprefix(".")
        prefix = f"{here}/" if here else ""
        if here and _GITIGNORE in names:
            rules[here] = _git_rules(root, prefix, _GITIGNORE)
        folders[:] = [
            name
            for name in folders
            if name not in _NEVER and not _ignored(rules, f"{prefix}{name}/")
        ]
        yield from (prefix + name for name in names if not _ignored(rules, prefix + name))


def _ignored(rules: dict[str, GitIgnoreSpec], name: str) -> bool:
    """Ask the rules of every level above; the nearest that knows the name decides."""
    for parent in PurePosixPath(name).parents:
        level = "" if str(parent) == "." else str(parent)
        if level in rules:
            within = name[len(level) + 1 :] if level else name
            if (verdict := rules[level].check_file(within).include) is not None:
                return verdict
    return False


def _git_rules(root: Path, prefix: str, *names: str) -> GitIgnoreSpec:
    lines = [line for name in names for line in _lines(root / f"{prefix}{name}")]
    return GitIgnoreSpec.from_lines(lines)


def _excluded_by_docker(root: Path, dockerfile: str) -> PathSpec:  # type: ignore[type-arg]
    """Read `.dockerignore`, or the Dockerfile's own: paths from the root, the last rule wins."""
    own = root / f"{dockerfile}.dockerignore"
    lines = _lines(own) or _lines(root / ".dockerignore")
    return PathSpec.from_lines("gitignore", [each for line in lines for each in _anchored(line)])


def _anchored(line: str) -> list[str]:
    """Turn one of Docker's patterns, which begin at the root, into git's that do."""
    line = line.strip()
    mark = "!" if line.startswith("!") else ""
    pattern = line[len(mark) :].strip().removeprefix("./").strip("/")
    if not pattern or line.startswith("#"):
        return []
    # A folder that matches stands for all that is in it.
    return [f"{mark}/{pattern}", f"{mark}/{pattern}/**"]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
