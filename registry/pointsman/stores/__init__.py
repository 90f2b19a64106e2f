"""Where versions live: one interface (`base`), one module per kind of store, opened by URL."""

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pointsman.errors import StoreMisconfigured
from pointsman.stores.base import ObjectStore

_HINT = "Use file:///path or s3://bucket/prefix."
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def open_store(url: str) -> ObjectStore:
    """Open the store at `url`; a plain path is a directory.

    Raises `StoreMisconfigured` for a URL that cannot work. Nothing is contacted yet.
    """
    parts = _split(url)
    if parts.username or parts.password:
        raise StoreMisconfigured(
            "a store URL must not hold credentials", "Put them into the environment."
        )
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and _only_path(parts):
        from pointsman.stores.local import LocalStore

        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from pointsman.stores.s3 import S3Store

        return S3Store(parts)
    raise StoreMisconfigured(f"{url!r} is not a store URL", _HINT)


def _split(url: str) -> SplitResult:
    if not url or "\0" in unquote(url) or (_SCHEME.match(url) and "://" not in url):
        raise StoreMisconfigured(f"{url!r} is not a store URL", _HINT)
    try:
        return urlsplit(url if "://" in url else Path(url).absolute().as_uri())
    except ValueError as error:
        raise StoreMisconfigured(f"{url!r} is not a store URL: {error}", _HINT) from error


def _only_path(parts: SplitResult) -> bool:
    return bool(parts.path) and not parts.query and not parts.fragment
