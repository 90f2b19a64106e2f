"""`gs://bucket/prefix`: Google Cloud Storage, by its own preconditions.

Google compares generations, not ETags: creating is `x-goog-if-generation-match: 0`, replacing
names the generation that was read, and the ETag serves conditional reads only (Cloud Storage
documentation, "Request preconditions"). Both together are this store's version token.

Credentials are those of Google's own tools: `GOOGLE_APPLICATION_CREDENTIALS`, what
`gcloud auth application-default login` left, or the machine's service account. For tests and
emulators, `GOOGLE_BEARER_TOKEN` and `STORAGE_EMULATOR_HOST` are known.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult

from obstore.exceptions import BaseError
from obstore.store import GCSStore as Bucket

from pointsman.errors import (
    PreconditionFailed,
    StoreError,
    StoreMisconfigured,
)
from pointsman.stores.adapter import ObstoreAdapter
from pointsman.stores.clock import HttpClock
from pointsman.stores.s3 import BLOBS, DOCUMENTS

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_HOST = "https://storage.googleapis.com"
_GENERATION = re.compile(r"[0-9]+")
_FORBIDDEN = re.compile(r"status code: 40[13]\b")
_CREDENTIALS = (
    "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a "
    "service account's key file."
)


class GoogleStore(ObstoreAdapter):
    """A bucket and a prefix in it."""

    def __init__(self, url: SplitResult, environment: Mapping[str, str]) -> None:
        super().__init__(url.geturl())
        if url.query or url.fragment or not _BUCKET.fullmatch(url.netloc):
            raise StoreMisconfigured(
                f"{url.geturl()!r} is not a Google store", "Use gs://bucket/prefix."
            )
        self._bucket = url.netloc
        self._prefix = url.path.strip("/")
        self._host = _host(environment)
        self._settings = _settings(environment)
        self._small = self._connect(*DOCUMENTS)
        self._large = self._connect(*BLOBS)
        self._clock = HttpClock(self._host)

    @property
    def _client(self) -> Any:
        return self._small

    @property
    def _blobs(self) -> Any:
        return self._large

    def now(self) -> datetime:
        """Return the present time by the store's own clock."""
        return self._clock.now()

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not."""
        if etag and not _GENERATION.match(etag):
            # Not a token of this store: no object here can have it.
            raise PreconditionFailed(f"{key} in {self._url} changed since it was read")
        super().update(key, data, etag)

    def _token(self, meta: Any) -> str:
        return f"{meta['version'] or ''}/{meta['e_tag'] or ''}"

    def _unless(self, token: str) -> Any:
        return {"if_none_match": token.partition("/")[2] or token}

    def _only_if(self, token: str) -> Any:
        return {"version": token.partition("/")[0]}

    def _connect(self, options: Mapping[str, Any], retries: Mapping[str, Any]) -> Bucket:
        try:
            return Bucket(
                self._bucket,
                prefix=self._prefix or None,
                base_url=self._host,
                client_options=dict(options)  # type: ignore[arg-type]
                | {"allow_http": self._host.startswith("http://")},
                retry_config=retries,  # type: ignore[arg-type]
                **self._settings,
            )
        except (BaseError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise StoreMisconfigured(
                f"{self._url} cannot be used: {reason}", _CREDENTIALS
            ) from error

    def _translate(self, verb: str, key: str, error: Exception) -> StoreError:
        text = str(error)
        if "NoSuchBucket" in text or "specified bucket does not exist" in text:
            return StoreMisconfigured(
                f"cannot {verb} in {self._url}: there is no bucket named {self._bucket}",
                "Create it, or correct the store's URL.",
            )
        if "metadata.google.internal" in text or "/token" in text:
            return StoreMisconfigured(
                f"cannot {verb} in {self._url}: there are no Google credentials here", _CREDENTIALS
            )
        if "status code: 401" in text:
            return StoreMisconfigured(
                f"cannot {verb} in {self._url}: Google does not accept the credentials",
                f"They have expired or were revoked. {_CREDENTIALS}",
            )
        if _FORBIDDEN.search(text):
            return self._denied(verb, key)
        return super()._translate(verb, key, error)

    @property
    def _remedy(self) -> str:
        return f"Is {self._host} up and reachable from here?"


def _host(environment: Mapping[str, str]) -> str:
    """Return where to ask; an emulator's address may come without its scheme."""
    host = environment.get("STORAGE_EMULATOR_HOST", "")
    if host and "://" not in host:
        host = f"http://{host}"
    return host.rstrip("/") or _HOST


def _settings(environment: Mapping[str, str]) -> dict[str, Any]:
    token = environment.get("GOOGLE_BEARER_TOKEN")
    if token:
        return {"bearer_token": token}
    file = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    return {"application_credentials": file} if file else {}
