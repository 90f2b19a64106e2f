"""`s3://bucket/prefix`: AWS S3, and by endpoint everything that speaks its protocol.

The endpoint and region come from the URL (`?endpoint=https://…&region=…`) or from the
environment, in the names AWS's own tools use: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
`AWS_REGION`, `AWS_DEFAULT_REGION`. Keys come from the environment only: a URL gets shown.
"""

import os
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qsl

from obstore.exceptions import BaseError, GenericError
from obstore.store import S3Store as Bucket

from pointsman.errors import StoreError, StoreMisconfigured, StoreUnreachable
from pointsman.stores.adapter import ObstoreAdapter
from pointsman.stores.clock import HttpClock

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_ENDPOINT = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?"
)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}")

# Each code is what S3's protocol answers, and means that trying again is useless.
_CAUSES = {
    "NoSuchBucket": ("there is no bucket named {bucket}", "Create it, or correct the store's URL."),
    "InvalidAccessKeyId": ("the access key does not exist", "Check AWS_ACCESS_KEY_ID."),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "ExpiredToken": ("the credentials have expired", "Get new ones; AWS_SESSION_TOKEN is old."),
    "RequestTimeTooSkewed": ("this machine's clock is wrong", "Set the clock."),
    "PermanentRedirect": ("the bucket is in another region", "Set AWS_REGION to the bucket's."),
    "AuthorizationHeaderMalformed": ("the region is wrong", "Set AWS_REGION to the bucket's."),
}
_CODE = re.compile(r"<Code>(\w+)</Code>")
# Deleting is a bulk request: it succeeds as a whole, and refuses each object by a code of its own.
_FORBIDDEN = re.compile(r"status code: 40[13]\b|\(code: AccessDenied\)")
# The client's own message is the same for all of these; its details tell them apart.
_NO_ANSWER = {
    "ConnectionRefused": "nobody listens there",
    "dns error": "its name is not known",
    "certificate": "its certificate is not trusted",
    "TimedOut": "no answer in time",
}

# `timeout` covers a whole request with its body. A document is small, and somebody waits for it;
# a part of 8 MiB may take its time on a slow line. No retry begins after `retry_timeout`.
_DOCUMENTS = (
    {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=10)},
    {"max_retries": 4, "retry_timeout": timedelta(seconds=8)},
)
_BLOBS = (
    {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=180)},
    {"max_retries": 5, "retry_timeout": timedelta(seconds=30)},
)


class S3Store(ObstoreAdapter):
    """A bucket and a prefix in it."""

    def __init__(self, url: SplitResult) -> None:
        options = dict(parse_qsl(url.query))
        if unknown := options.keys() - {"endpoint", "region"}:
            raise StoreMisconfigured(
                f"the store URL has an unknown option {min(unknown)!r}",
                "It knows ?endpoint= and ?region=.",
            )
        super().__init__(url.geturl())
        if not _BUCKET.fullmatch(url.netloc):
            raise StoreMisconfigured(
                f"{url.netloc!r} cannot be the name of a bucket",
                "Names of buckets have 3 to 63 letters, digits, '.' or '-'.",
            )
        self._bucket_name = url.netloc
        self._prefix = url.path.strip("/")
        named_region = options.get("region") or _first("AWS_REGION", "AWS_DEFAULT_REGION")
        self._region = named_region or "us-east-1"
        self._endpoint = _endpoint(options)
        _require_credentials()
        self._small = self._connect(*_DOCUMENTS)
        self._large = self._connect(*_BLOBS)
        self._clock = HttpClock(self._endpoint or f"https://s3.{self._region}.amazonaws.com")

    @property
    def _client(self) -> Any:
        return self._small

    @property
    def _blobs(self) -> Any:
        return self._large

    def now(self) -> datetime:
        """Return the present time by the store's own clock."""
        return self._clock.now()

    def _connect(self, client_options: dict[str, Any], retry_config: dict[str, Any]) -> Bucket:
        settings: dict[str, Any] = {"region": self._region}
        if self._endpoint:
            settings["endpoint"] = self._endpoint
            client_options = client_options | {"allow_http": self._endpoint.startswith("http://")}
        try:
            return Bucket(
                self._bucket_name,
                prefix=self._prefix or None,
                client_options=client_options,  # type: ignore[arg-type]
                retry_config=retry_config,  # type: ignore[arg-type]
                **settings,
            )
        except (BaseError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise StoreMisconfigured(f"{self._url} cannot be a store: {reason}") from error

    def _translate(self, verb: str, key: str, error: Exception) -> StoreError:
        text = str(error)
        answer = _CODE.search(text)
        code = answer[1] if answer else ""
        if "redirect without LOCATION" in text:
            code = "PermanentRedirect"  # the client drops the body that would say so
        if code in _CAUSES:
            cause, hint = _CAUSES[code]
            cause = cause.format(bucket=self._bucket_name)
            return StoreMisconfigured(f"cannot {verb} in {self._url}: {cause}", hint)
        if _FORBIDDEN.search(text):
            return self._denied(verb, key)
        for mark, reason in _NO_ANSWER.items():
            if isinstance(error, GenericError) and mark in text:
                return self._unreachable(verb, key, reason)
        return super()._translate(verb, key, error)

    def _unreachable(self, verb: str, key: str, reason: str) -> StoreUnreachable:
        # What stands before the last dash repeats the request, and after the "<" the answer.
        cause = reason.rsplit(" - ", 1)[-1].split(": <", 1)[0]
        return StoreUnreachable(
            f"cannot {verb} {key} in {self._url}: {cause[:300]}",
            f"Is {self._endpoint or 'the network'} up and reachable from here?",
        )


def _first(*names: str) -> str:
    return next((value for name in names if (value := os.environ.get(name))), "")


def _endpoint(options: dict[str, str]) -> str:
    endpoint = options.get("endpoint") or _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        raise StoreMisconfigured(
            "the endpoint is not a plain URL", "It looks like https://host or http://host:port."
        )
    return endpoint


def _require_credentials() -> None:
    """Fail at once instead of asking a metadata service that is not there."""
    if not _first(*_CREDENTIALS):
        raise StoreMisconfigured(
            "there are no credentials for the store in the environment",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    if _first("AWS_ACCESS_KEY_ID") and not _first("AWS_SECRET_ACCESS_KEY"):
        raise StoreMisconfigured(
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not", "Set both."
        )
