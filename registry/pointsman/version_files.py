"""Which files make up a version: found on the publisher's disk, named by where they will lie."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pointsman.errors import InvalidModel
from pointsman.manifest import MAX_FILES
from pointsman.names import inner_path

GOLDEN = "golden.npz"
_PREFERRED_ENTRYPOINTS = ("model.onnx", "onnx/model.onnx")
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The files by their path inside the version, and which of them is loaded."""

    paths: dict[str, Path]
    entrypoint_path: str
    golden: Path | None

    @property
    def entrypoint(self) -> Path:
        """The ONNX file on disk."""
        return self.paths[self.entrypoint_path]

    def with_external(self, locations: tuple[str, ...]) -> "VersionFiles":
        """Add the data files that the ONNX file refers to, relative to its own folder."""
        folder = Path(self.entrypoint_path).parent
        added = {
            inner_path((folder / location).as_posix()): self.entrypoint.parent / location
            for location in locations
        }
        return replace(self, paths=self.paths | added)


def gather(source: Path, golden: Path | None) -> VersionFiles:
    """Find the files of a version in an `.onnx` file or in a directory that holds one.

    A directory is taken whole, except what is hidden. Raises `InvalidModel` when there is no
    single ONNX file to load, or when a link leads out of the directory.
    """
    source = source.absolute()
    if golden is not None and not golden.is_file():
        raise InvalidModel(f"there is no golden set at {golden}")
    if source.is_dir():
        paths = _directory(source)
        entrypoint = _entrypoint(source, paths)
    elif source.is_file():
        entrypoint = inner_path(source.name)
        paths = {entrypoint: source}
    else:
        raise InvalidModel(f"there is no file or directory at {source}")
    golden = golden.absolute() if golden else paths.get(GOLDEN)
    if golden is not None:
        paths[GOLDEN] = golden
    return VersionFiles(paths, entrypoint, golden)


def _directory(root: Path) -> dict[str, Path]:
    inside = root.resolve()
    paths: dict[str, Path] = {}
    for path in _walk(root):
        relative = path.relative_to(root)
        if not path.resolve().is_relative_to(inside):
            raise InvalidModel(
                f"{relative} is a link out of {root}",
                f"Copy what the links point to, and publish the copy: `cp -rL {root} COPY`.",
            )
        if not path.is_file():
            raise InvalidModel(
                f"{relative} in {root} is not a regular file", "Remove it, or publish a file alone."
            )
        paths[inner_path(relative.as_posix())] = path
        if len(paths) > MAX_FILES:
            raise InvalidModel(f"{root} holds more than {MAX_FILES} files")
    return paths


def _walk(root: Path) -> Iterator[Path]:
    """Yield everything below `root` that is no directory and not hidden, in a stable order."""
    for folder, folders, names in os.walk(root, onerror=_fail):
        here = Path(folder)
        # Links to directories are not followed, and must not be left out in silence either.
        links = [name for name in folders if (here / name).is_symlink()]
        yield from (here / name for name in sorted(names + links) if not name.startswith("."))
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _fail(error: OSError) -> None:
    raise error


def _entrypoint(root: Path, paths: dict[str, Path]) -> str:
    for preferred in _PREFERRED_ENTRYPOINTS:
        if preferred in paths:
            return preferred
    models = [path for path in paths if path.endswith(".onnx")]
    if len(models) == 1:
        return models[0]
    shown = ", ".join(models[:_SHOWN]) + (", …" if len(models) > _SHOWN else "")
    found = f"{len(models)}: {shown}" if models else "none"
    raise InvalidModel(
        f"{root} must hold one .onnx file and holds {found}",
        "Name the one to serve model.onnx, or give its path.",
    )
