"""`s3://bucket/prefix`: AWS S3, and by endpoint everything that speaks its protocol.

The endpoint and region come from the URL (`?endpoint=https://…&region=…`) or from the
environment, in the names AWS's own tools use: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
`AWS_REGION`, `AWS_DEFAULT_REGION`. Keys come from the environment only: a URL gets shown.
"""

import os
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, parse_qsl

from obstore.store import S3Store as Bucket

from pointsman.errors import StoreError, StoreMisconfigured, StoreUnreachable
from pointsman.stores.adapter import ObstoreAdapter

_CLOCK_TIMEOUT_SECONDS = 5
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
# Each text is what S3's protocol answers, and means that trying again is useless.
_CAUSES = {
    "NoSuchBucket": ("there is no bucket named {bucket}", "Create it, or correct the store's URL."),
    "InvalidAccessKeyId": ("the access key does not exist", "Check AWS_ACCESS_KEY_ID."),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "PermanentRedirect": ("the bucket is in another region", "Set AWS_REGION to the bucket's."),
    "AuthorizationHeaderMalformed": ("the region is wrong", "Set AWS_REGION to the bucket's."),
}


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
        environment = os.environ
        self._bucket_name = url.netloc
        self._endpoint = (
            options.get("endpoint")
            or environment.get("AWS_ENDPOINT_URL_S3")
            or environment.get("AWS_ENDPOINT_URL")
        )
        self._region = (
            options.get("region")
            or environment.get("AWS_REGION")
            or environment.get("AWS_DEFAULT_REGION")
            or "us-east-1"
        )
        _require_credentials()
        self._bucket = self._connect(url.path.strip("/"))

    @property
    def _client(self) -> Any:
        return self._bucket

    def _connect(self, prefix: str) -> Bucket:
        allow_http = bool(self._endpoint and self._endpoint.startswith("http://"))
        return Bucket(
            self._bucket_name,
            prefix=prefix or None,
            endpoint=self._endpoint,
            region=self._region,
            client_options={
                "allow_http": allow_http,
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )

    def now(self) -> datetime:
        """Return the time in the `Date` header of the endpoint's answer, whatever it answers."""
        endpoint = self._endpoint or f"https://s3.{self._region}.amazonaws.com"
        request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310 — configured
        try:
            with urllib.request.urlopen(request, timeout=_CLOCK_TIMEOUT_SECONDS) as answer:  # noqa: S310
                date = answer.headers["Date"]
        except HTTPError as error:
            date = error.headers["Date"]
        except OSError as error:
            raise StoreUnreachable(f"{endpoint} does not answer: {error}") from error
        return parsedate_to_datetime(date) if date else datetime.now(UTC)

    def _explained(self, verb: str, key: str, error: Exception) -> StoreError:
        text = str(error)
        for code, (cause, hint) in _CAUSES.items():
            if code in text:
                explanation = cause.format(bucket=self._bucket_name)
                return StoreMisconfigured(f"cannot {verb} in {self._url}: {explanation}", hint)
        unreachable = super()._explained(verb, key, error)
        unreachable.hint = f"Is {self._endpoint or 'the network'} up and reachable from here?"
        return unreachable


def _require_credentials() -> None:
    """Fail at once instead of asking a metadata service that is not there."""
    if not any(os.environ.get(name) for name in _CREDENTIALS):
        raise StoreMisconfigured(
            "there are no credentials for the store in the environment",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
