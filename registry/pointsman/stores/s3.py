"""`s3://` and `r2://`: a bucket of Amazon S3, or of whatever speaks its protocol.

Where it is says `address`, who asks says `credentials`, what is special there says `quirks`, and
what its errors mean says `causes`; here they are put together into two obstore clients.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from pointsman.errors import StoreError, StoreMisconfigured
from pointsman.stores import causes, credentials
from pointsman.stores.adapter import ObstoreAdapter
from pointsman.stores.address import Address
from pointsman.stores.base import OnBytes, Span
from pointsman.stores.clock import HttpClock
from pointsman.stores.signed import SignedReads, behind_proxy

# Deleting is a bulk request: it succeeds as a whole, and refuses each object by a code of its own.
_FORBIDDEN = re.compile(r"status code: 40[13]\b|\(code: AccessDenied\)")

# `timeout` covers a whole request with its body. A document is small, and somebody waits for it;
# a part of 8 MiB may take its time on a slow line. No retry begins after `retry_timeout`.
DOCUMENTS = (
    {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=10)},
    {"max_retries": 4, "retry_timeout": timedelta(seconds=8)},
)
BLOBS = (
    {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=180)},
    {"max_retries": 10, "retry_timeout": timedelta(seconds=30)},
)
_SIGNED_FOR = timedelta(minutes=15)
_WORTH_A_CONNECTION = 1 << 20


class S3Store(ObstoreAdapter):
    """A bucket and a prefix in it."""

    def __init__(self, address: Address, environment: Mapping[str, str]) -> None:
        super().__init__(address.url)
        self.credentials = credentials.find(environment)
        self.address = address.completed(self.credentials.endpoint, self.credentials.region)
        self._authorities = _authorities(environment)
        headers = dict(self.address.quirks.document_headers)
        self._small = self._connect(DOCUMENTS[0] | {"default_headers": headers}, DOCUMENTS[1])
        self._clock = HttpClock(self.address.clock_url)
        bundle = environment.get("AWS_CA_BUNDLE")
        self._signed = None if behind_proxy(environment) else SignedReads(self._sign, bundle)

    @property
    def _client(self) -> Any:
        self.credentials.check()
        return self._small

    @property
    def _blobs(self) -> Any:
        self.credentials.check()
        return self._large

    @cached_property
    def _large(self) -> Bucket:
        return self._connect(*BLOBS)

    def get_range(self, key: str, span: Span, on_bytes: OnBytes) -> int:
        """Bring a span of a blob into a file, and return how many bytes there were."""
        done = 0
        if self._signed is not None and span.length >= _WORTH_A_CONNECTION:
            done = self._signed.get_range(key, span, on_bytes)
        if done == span.length:
            return done
        return done + super().get_range(key, span.after(done), on_bytes)

    def create(self, key: str, data: bytes) -> None:
        """Write a document that must not be there yet; raises `ObjectExists` if it is."""
        self._require_conditions()
        super().create(key, data)

    def update(self, key: str, data: bytes, etag: str) -> None:
        """Replace a document that still has `etag`; raises `PreconditionFailed` if not."""
        self._require_conditions()
        super().update(key, data, etag)

    def now(self) -> datetime:
        """Return the present time by the store's own clock."""
        return self._clock.now()

    def _sign(self, key: str) -> str:
        with self._translated("read", key):
            return str(obstore.sign(self._client, "GET", key, _SIGNED_FOR))

    def _connect(self, timeouts: Mapping[str, Any], retries: Mapping[str, Any]) -> Bucket:
        settings: dict[str, Any] = {"region": self.address.signing_region}
        options = dict(timeouts) | self._authorities
        if endpoint := self.address.request_endpoint:
            # By this name, because obstore lets the variable AWS_ENDPOINT_URL_S3 win over others.
            settings["aws_endpoint_url_s3"] = endpoint
            options["allow_http"] = endpoint.startswith("http://")
        if self.address.is_virtual_host:
            settings["virtual_hosted_style_request"] = True
        try:
            return Bucket(
                self.address.bucket,
                prefix=self.address.prefix or None,
                client_options=options,  # type: ignore[arg-type]
                retry_config=retries,  # type: ignore[arg-type]
                **settings,
                **self.credentials.settings,
            )
        except (BaseError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise StoreMisconfigured(f"{self._url} cannot be a store: {reason}") from error

    def _require_conditions(self) -> None:
        """Refuse a store of which it is known that it would lose writes."""
        quirks = self.address.quirks
        if quirks.ignores_conditions:
            raise StoreMisconfigured(
                f"{quirks.provider} {quirks.ignores_conditions}, so that writers could undo each "
                "other unseen",
                quirks.use_instead,
            )

    def _translate(self, verb: str, key: str, error: Exception) -> StoreError:
        text = str(error)
        if known := causes.explained(text, verb, self._url, self.address.bucket):
            return known
        if _FORBIDDEN.search(text):
            return self._denied(verb, key)
        return super()._translate(verb, key, error)

    @property
    def _remedy(self) -> str:
        return f"Is {self.address.endpoint or 'the network'} up and reachable from here?"


def _authorities(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return whom to trust besides the system's authorities: `AWS_CA_BUNDLE`, as AWS's tools do."""
    bundle = environment.get("AWS_CA_BUNDLE")
    if not bundle:
        return {}
    try:
        return {"root_certificate": Path(bundle).read_bytes()}
    except OSError as error:
        raise StoreMisconfigured(
            f"AWS_CA_BUNDLE names {bundle}, which cannot be read: {error.strerror}",
            "Correct it, or unset it.",
        ) from error
