"""What an image is made from: laid out in a folder, named by its content.

It is the very code that this command was installed with, from wherever that was: a checkout or
packages. So a project needs neither a checkout of pointsman nor the packages of any registry. The
name is a hash over every byte that is sent to the engine, and over nothing else: the same code
gives the same name on every machine.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pointsman_cli.configuration import Project
from pointsman_cli.errors import CommandError, UsageError

SERVICE = "pointsman_service"
"""What a Dockerfile of the service speaks of."""
LOCK = "service/pointsman_service/requirements.lock"
_TEMPLATES = Path(__file__).parents[1] / "templates"
_PACKAGES = {"pointsman": "registry/pointsman", "pointsman_service": "service/pointsman_service"}
_LEFT_OUT = ("__pycache__", "*.pyc", ".env*", "*.egg-info")
_EPOCH = 0
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that an engine can build from, and the hash of all that is in it."""

    directory: Path
    content: str

    @property
    def tag(self) -> str:
        """The part of the hash that images are called by."""
        return self.content[:_SHOWN]

    def locked(self, package: str) -> str:
        """Return the version of a package in the image; "" for one that it does not have."""
        lines = (self.directory / LOCK).read_text().splitlines()
        found = (line.split()[0] for line in lines if line.startswith(f"{package}=="))
        return next(found, "").partition("==")[2]


def lay_out(project: Project, directory: Path) -> Source:
    """Copy what the image is made from into an empty directory.

    Raises `UsageError` for a Dockerfile of something else, or for an `include` that is not there.
    """
    for package, place in _PACKAGES.items():
        shutil.copytree(
            _installed(package), directory / place, ignore=shutil.ignore_patterns(*_LEFT_OUT)
        )
    (directory / "Dockerfile").write_bytes(_dockerfile(project))
    ignored = (_TEMPLATES / "dockerignore").read_text()
    for name in project.configuration.image.include:
        _include(project.directory, name, directory)
        ignored = ignored.replace("*\n", f"*\n!{name}\n", 1)
    (directory / ".dockerignore").write_text(ignored)
    settings = project.configuration.image
    return Source(directory, _hash(directory, settings.base, settings.platform))


def brought() -> Iterator[tuple[str, Path]]:
    """Yield the service's own files: what each is called beside a Dockerfile, and where it is.

    For a platform that builds by itself from what is uploaded to it.
    """
    for package, place in _PACKAGES.items():
        root = _installed(package)
        for path in sorted(root.rglob("*")):
            kept = not any(path.match(pattern) for pattern in _LEFT_OUT)
            if path.is_file() and kept and "__pycache__" not in path.parts:
                yield f"{place}/{path.relative_to(root).as_posix()}", path


def _installed(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CommandError(
            f"the package {package} is not installed beside this command",
            "Install the command whole: pip install pointsman.",
        )
    return Path(spec.submodule_search_locations[0])


def _dockerfile(project: Project) -> bytes:
    """Return the project's own Dockerfile, or else the one that comes with the command."""
    name = project.configuration.image.dockerfile
    own = project.directory / name
    if not own.is_file():
        return (_TEMPLATES / "Dockerfile").read_bytes()
    content = own.read_bytes()
    if SERVICE.encode() not in content:
        raise UsageError(
            f"{own} builds something else than the service",
            'Name another under [image]: dockerfile = "Dockerfile.pointsman"; where there is no '
            "such file, the one that comes with pointsman is used.",
        )
    return content


def _include(project: Path, name: str, directory: Path) -> None:
    """Copy a file or folder of the project, which must not lead out of it."""
    path = project / name
    if not path.resolve().is_relative_to(project.resolve()) or not path.exists():
        raise UsageError(
            f"image.include names {name!r}, which is not in {project}",
            "Name files and folders beside pointsman.toml.",
        )
    target = directory / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
    else:
        shutil.copyfile(path, target)


def _hash(directory: Path, *more: str) -> str:
    """Hash names and bytes; gives every file the same time and mode, so that layers are equal."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in _files(directory):
        path.chmod(0o644)
        os.utime(path, (_EPOCH, _EPOCH))
        name = path.relative_to(directory).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for path in [directory, *directory.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
            os.utime(path, (_EPOCH, _EPOCH))
    return total.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    yield from sorted(path for path in directory.rglob("*") if path.is_file())
