"""What names may look like: every one becomes part of an object key and of a file path.

Rules, not I/O. Each function returns its argument when it is acceptable and raises
`InvalidName` with the reason when it is not.
"""

import re
from pathlib import PurePosixPath

from pointsman.errors import InvalidName

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_PATH = 512


def model_name(text: str) -> str:
    """Return `text` if it can name a model."""
    return _name("model", text)


def version_name(text: str) -> str:
    """Return `text` if it can name a version."""
    return _name("version", text)


def channel_name(text: str) -> str:
    """Return `text` if it can name a channel."""
    return _name("channel", text)


def instance_name(text: str) -> str:
    """Return `text` if it can name an instance."""
    return _name("instance", text)


def inner_path(text: str) -> str:
    """Return `text` if, joined to a version's directory, it stays inside it.

    Accepts relative POSIX paths without `.` or `..` segments, backslashes or control characters.
    """
    path = PurePosixPath(text)
    unsafe = (
        not text
        or len(text) > _MAX_PATH
        or path.is_absolute()
        or "\\" in text
        or ":" in text
        or any(ord(character) < ord(" ") for character in text)
        or any(part in {"", ".", ".."} for part in text.split("/"))
    )
    if unsafe:
        raise InvalidName(
            f"the path {text!r} does not stay inside its version",
            "Use relative paths with '/' and without '..'.",
        )
    return text


def _name(kind: str, text: str) -> str:
    if not _NAME.fullmatch(text) or ".." in text:
        raise InvalidName(
            f"{text!r} cannot be the name of a {kind}",
            "Names are 1 to 128 letters, digits, '.', '_' or '-', begin with a letter or digit, "
            "and have no '..'.",
        )
    return text
