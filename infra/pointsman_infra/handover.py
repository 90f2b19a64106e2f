"""What the last `up` handed over, remembered so that no command has to wait for an engine.

The file holds keys. It is readable to its owner only, in a directory that is closed to others and
ignored by git, like the passphrase that would give the same keys.
"""

import os
from pathlib import Path

import msgspec

from pointsman_infra import outputs
from pointsman_infra.outputs import StoreOutputs


def remember(directory: Path, stack: str, handed: StoreOutputs) -> None:
    """Write the contract, whole or not at all."""
    path = _path(directory, stack)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(handed))
    temporary.replace(path)


def recall(directory: Path, stack: str) -> StoreOutputs | None:
    """Return the contract; None when nothing was handed over. Raises `OutputsInvalid`."""
    try:
        data = _path(directory, stack).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return outputs.read(msgspec.json.decode(data))
    except msgspec.DecodeError:
        raise outputs.OutputsInvalid(
            f"{_path(directory, stack)} cannot be read", "`pointsman infra outputs` writes it anew."
        ) from None


def forget(directory: Path, stack: str) -> None:
    """Remove the file, if there is one."""
    _path(directory, stack).unlink(missing_ok=True)


def _path(directory: Path, stack: str) -> Path:
    return directory / f"{stack}.json"
