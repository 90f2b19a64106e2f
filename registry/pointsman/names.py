"""What names may look like: every one becomes part of an object key and of a file path.

Rules, not I/O. Each function returns its argument when it is acceptable and raises
`InvalidName` with the reason when it is not.
"""

import re

from pointsman.errors import InvalidName

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:]")
_MAX_PATH = 512
_MAX_SEGMENT_BYTES = 255


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

    Accepts relative POSIX paths without `.` or `..` segments, backslashes, colons or control
    characters, no longer than any file system takes.
    """
    if (
        len(text) > _MAX_PATH
        or _UNSAFE.search(text)
        or not all(_segment(part) for part in text.split("/"))
    ):
        raise InvalidName(
            f"the path {text[:_MAX_PATH]!r} cannot be that of a file inside a version",
            "Use relative paths with '/', without '..', and with plain names.",
        )
    return text


def _segment(part: str) -> bool:
    try:
        length = len(part.encode())
    except UnicodeEncodeError:
        return False  # the name of a file on disk need not be Unicode; a document's text must
    return part not in {"", ".", ".."} and length <= _MAX_SEGMENT_BYTES


def _name(kind: str, text: str) -> str:
    if not _NAME.fullmatch(text) or ".." in text:
        raise InvalidName(
            f"{text!r} cannot be the name of a {kind}",
            "Names are 1 to 128 letters, digits, '.', '_' or '-', begin with a letter or digit, "
            "and have no '..'.",
        )
    return text
