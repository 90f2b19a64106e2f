"""Who changes something, and where: what versions and channels say of their authors."""

import getpass
import platform


def author() -> str:
    """Return who is at the keyboard, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{host()}"


def host() -> str:
    """Return which machine this is."""
    return platform.node() or "unknown"
