"""The manifest: all that is known of one version, immutable once written.

Its canonical bytes are hashed, and that digest is the version's identity: whoever holds it can
check the manifest, and through it every file. Members written by a newer pointsman survive,
because copies and digests are made of the stored bytes and never of a re-encoding.
"""

import re
from typing import Any

import msgspec

from pointsman import digest, document
from pointsman.errors import InvalidDocument, InvalidName
from pointsman.names import inner_path, model_name, version_name

_HEX = re.compile(r"[0-9a-f]{64}")
MAX_FILES = 10_000


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of a version: where it lies in the version's directory, and what is in it.

    Large files have a second digest, by which they are recognised sooner: see
    `pointsman.checksum`.
    """

    path: str
    size: int
    sha256: str
    blake3: str = ""

    @property
    def content(self) -> tuple[str, int, str]:
        """What it is, however much is told of it."""
        return self.path, self.size, self.sha256


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One input or output: Open Inference Protocol datatype, and shape with -1 for "any"."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """Render as `pixels FP32[-1,64]`."""
        return f"{self.name} {self.datatype}[{','.join(map(str, self.shape))}]"


class OnnxInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the ONNX file says of itself; `operators` counts nodes, and early manifests lack it."""

    ir_version: int
    opsets: dict[str, int]
    producer: str = ""
    operators: dict[str, int] = {}


class GoldenSet(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs with expected outputs, replayed before a version serves; see `pointsman.golden`."""

    path: str
    rows: int
    rtol: float
    atol: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What validation measured on the publisher's machine, in its own process."""

    runtime: str
    load_seconds: float
    latency_seconds: float
    peak_rss_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version: its files, its signature, and what its publisher said and measured of it."""

    schema: int
    model: str
    version: str
    created: str
    entrypoint: str
    files: tuple[File, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    onnx: OnnxInfo
    measured: Measured
    golden: GoldenSet | None = None
    task: dict[str, Any] | None = None
    metrics: dict[str, float] = {}
    labels: dict[str, str] = {}
    note: str = ""
    git_commit: str = ""
    by: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def same_content(self, other: "Manifest") -> bool:
        """Tell whether both would serve the same: files, entrypoint, golden set and task agree."""
        files, others = ([file.content for file in manifest.files] for manifest in (self, other))
        return files == others and all(
            getattr(self, member) == getattr(other, member)
            for member in ("entrypoint", "golden", "task")
        )


class Version(msgspec.Struct, frozen=True):
    """A published version: its manifest as read, as stored, and the digest that identifies it."""

    manifest: Manifest
    document: bytes
    digest: str


def seal(manifest: Manifest) -> Version:
    """Fix a manifest's bytes and with them its identity.

    Raises `InvalidDocument` for a manifest that `read` would not accept: what is published once
    is there for good.
    """
    return read(document.encode(manifest), manifest.model, manifest.version)


def read(data: bytes, model: str, version: str) -> Version:
    """Read stored bytes as the manifest of `version`.

    Raises `InvalidDocument` when they are not a manifest, speak of another version, or name
    files that would leave the version's directory.
    """
    what = f"the manifest of {model} {version}"
    manifest = document.decode(data, Manifest, what)
    if (manifest.model, manifest.version) != (model, version):
        raise InvalidDocument(f"{what} speaks of {manifest.model} {manifest.version}")
    try:
        _check(manifest, what)
    except InvalidName as error:
        raise InvalidDocument(f"{what}: {error.message}") from error
    return Version(manifest, data, digest.identity(data))


def _check(manifest: Manifest, what: str) -> None:
    model_name(manifest.model)
    version_name(manifest.version)
    paths = [inner_path(file.path) for file in manifest.files]
    if len(paths) > MAX_FILES or len(set(paths)) != len(paths):
        raise InvalidDocument(f"{what} lists too many files, or one of them twice")
    folders = {folder for path in paths for folder in _folders(path)}
    if folders & set(paths):
        raise InvalidDocument(f"{what} lists {min(folders & set(paths))!r} as file and as folder")
    if not all(_is_proper(file) for file in manifest.files):
        raise InvalidDocument(f"{what} lists a file without a proper size and SHA-256")
    named = [manifest.entrypoint, *([manifest.golden.path] if manifest.golden else [])]
    if missing := [path for path in named if path not in paths]:
        raise InvalidDocument(f"{what} names {missing[0]!r}, which is not among its files")


def _is_proper(file: File) -> bool:
    digests = [file.sha256, *([file.blake3] if file.blake3 else [])]
    return file.size >= 0 and all(_HEX.fullmatch(digest) for digest in digests)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
