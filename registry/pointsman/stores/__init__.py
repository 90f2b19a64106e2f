"""Where versions live: one interface (`base`), one module per kind of store, opened by URL."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pointsman.errors import StoreMisconfigured
from pointsman.stores.base import ObjectStore

_HINT = "Use file:///path, s3://bucket/prefix, r2://account/bucket/prefix or gs://bucket/prefix."
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def open_store(url: str, environment: Mapping[str, str] = os.environ) -> ObjectStore:
    """Open the store at `url`; a plain path is a directory.

    Endpoint, region and credentials come from `environment`; see `stores.address`,
    `stores.credentials` and `stores.gcs`. Raises `StoreMisconfigured` for a URL that cannot work
    and for missing credentials. Nothing is contacted yet.
    """
    parts = _split(url)
    if parts.username or parts.password:
        raise StoreMisconfigured(
            "a store URL must not hold credentials", "Put them into the environment."
        )
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and _only_path(parts):
        from pointsman.stores.local import LocalStore

        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme in {"s3", "r2"} and parts.netloc:
        from pointsman.stores import address
        from pointsman.stores.s3 import S3Store

        place = address.r2(parts) if parts.scheme == "r2" else address.s3(parts, environment)
        return S3Store(place, environment)
    if parts.scheme == "gs" and parts.netloc:
        from pointsman.stores.gcs import GoogleStore

        return GoogleStore(parts, environment)
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
