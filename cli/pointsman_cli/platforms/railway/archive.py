"""Packing the selected files the way Railway takes them: a gzipped tar, names from `./`.

The same files make the same bytes, whoever packs them and when.
"""

import gzip
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pointsman_cli.platforms.railway.selection import File

_COMPRESSION = 6
_EXECUTABLE = 0o111


@contextmanager
def packed(files: Sequence[File]) -> Iterator[Path]:
    """Yield the archive's path; it is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="pointsman-") as folder:
        path = Path(folder) / "source.tar.gz"
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", _COMPRESSION, raw, mtime=0) as compressed,
            # Dereferenced: the second name of a file would become a link to the first.
            tarfile.open(fileobj=compressed, mode="w", dereference=True) as tar,
        ):
            for file in files:
                _add(tar, file)
        yield path


def _add(tar: tarfile.TarFile, file: File) -> None:
    with file.path.open("rb") as content:
        member = tar.gettarinfo(arcname=f"./{file.name}", fileobj=content)
        member.name = f"./{file.name}"
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        member.mode = 0o755 if member.mode & _EXECUTABLE else 0o644
        tar.addfile(member, content)
