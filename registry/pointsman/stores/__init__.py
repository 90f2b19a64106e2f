"""Where versions live: one interface (`base`), one module per kind of store, opened by URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pointsman.errors import StoreMisconfigured
from pointsman.stores.base import ObjectStore

_HINT = "Use file:///path or s3://bucket/prefix."


def open_store(url: str) -> ObjectStore:
    """Open the store at `url`; a plain path is a directory.

    Raises `StoreMisconfigured` for a URL that cannot work. Nothing is contacted yet.
    """
    if "://" not in url:
        url = Path(url).absolute().as_uri()
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise StoreMisconfigured(
            "a store URL must not hold credentials", "Put them into the environment."
        )
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        from pointsman.stores.local import LocalStore

        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from pointsman.stores.s3 import S3Store

        return S3Store(parts)
    raise StoreMisconfigured(f"{url!r} is not a store URL", _HINT)
