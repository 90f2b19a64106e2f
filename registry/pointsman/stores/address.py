"""Where a bucket is: what a URL and the environment say together, checked before anything is asked.

    s3://bucket/prefix                  Amazon, or what AWS_ENDPOINT_URL_S3 names
    s3://bucket?endpoint=https://host   any other; &region=… and &style=path|virtual where needed
    r2://account/bucket/prefix          Cloudflare R2; account.eu for a jurisdiction

The variables are those of AWS's own tools: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
`AWS_REGION`, `AWS_DEFAULT_REGION`. A URL gets shown, so that keys never stand in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pointsman.errors import StoreMisconfigured
from pointsman.stores import quirks
from pointsman.stores.quirks import Quirks

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}")
_ENDPOINT = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?"
)
_ACCOUNT = re.compile(r"[0-9a-f]{32}(\.(eu|fedramp))?")
_OPTIONS = {"endpoint", "region", "style"}
_STYLES = {"": None, "path": False, "virtual": True}


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket and a prefix in it, at an endpoint ("" is Amazon's) and in a region ("" unknown)."""

    url: str
    bucket: str
    prefix: str
    endpoint: str
    region: str
    virtual_host: bool | None = None

    @property
    def quirks(self) -> Quirks:
        """What is special about who answers there."""
        return quirks.of(self.endpoint)

    @property
    def signing_region(self) -> str:
        """The region to sign requests with."""
        return self.region or self.quirks.region

    @property
    def is_virtual_host(self) -> bool:
        """Whether the bucket is part of the host's name."""
        return self.quirks.virtual_host if self.virtual_host is None else self.virtual_host

    @property
    def request_endpoint(self) -> str:
        """The endpoint as obstore wants it: with the bucket, where that is part of the host."""
        if not self.endpoint or not self.is_virtual_host:
            return self.endpoint
        parts = urlsplit(self.endpoint)
        return parts._replace(netloc=f"{self.bucket}.{parts.netloc}").geturl()

    @property
    def clock_url(self) -> str:
        """An address that answers with the time."""
        return self.endpoint or f"https://s3.{self.signing_region}.amazonaws.com"

    def completed(self, endpoint: str, region: str) -> "Address":
        """Fill in what neither the URL nor the environment said."""
        return replace(self, endpoint=self.endpoint or endpoint, region=self.region or region)


def s3(url: SplitResult, environment: Mapping[str, str]) -> Address:
    """Read `s3://bucket/prefix`; raises `StoreMisconfigured` for what cannot be an address."""
    options = _options(url)
    endpoint = options.get("endpoint") or _first(
        environment, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"
    )
    region = options.get("region") or _first(environment, "AWS_REGION", "AWS_DEFAULT_REGION")
    return _checked(url, url.netloc, url.path, endpoint, region, options)


def r2(url: SplitResult) -> Address:
    """Read `r2://account/bucket/prefix`; raises `StoreMisconfigured` like `s3`."""
    options = _options(url)
    if not _ACCOUNT.fullmatch(url.netloc):
        raise StoreMisconfigured(
            f"{url.netloc!r} is not a Cloudflare account id, which has 32 hexadecimal digits",
            "The dashboard's R2 page shows it; the URL is r2://ACCOUNT_ID/BUCKET/PREFIX.",
        )
    bucket, _, prefix = url.path.lstrip("/").partition("/")
    endpoint = options.get("endpoint") or f"https://{url.netloc}.r2.cloudflarestorage.com"
    # Of the environment nothing counts: a variable meant for Amazon would lead elsewhere.
    return _checked(url, bucket, prefix, endpoint, options.get("region") or "auto", options)


def _checked(
    url: SplitResult,
    bucket: str,
    prefix: str,
    endpoint: str,
    region: str,
    options: Mapping[str, str],
) -> Address:
    if not _BUCKET.fullmatch(bucket):
        raise StoreMisconfigured(
            f"{bucket!r} cannot be the name of a bucket",
            "Names of buckets have 3 to 63 letters, digits, '.' or '-'.",
        )
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        raise StoreMisconfigured(
            "the endpoint is not a plain URL", "It looks like https://host or http://host:port."
        )
    style = options.get("style", "")
    if style not in _STYLES:
        raise StoreMisconfigured(
            f"?style={style} is neither path nor virtual", "Leave it out if in doubt."
        )
    return Address(
        url=url.geturl(),
        bucket=bucket,
        prefix=prefix.strip("/"),
        endpoint=endpoint,
        region=region,
        virtual_host=_STYLES[style],
    )


def _options(url: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(url.query))
    if unknown := options.keys() - _OPTIONS:
        raise StoreMisconfigured(
            f"the store URL has an unknown option {min(unknown)!r}",
            "It knows ?endpoint=, ?region= and ?style=.",
        )
    return options


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((value for name in names if (value := environment.get(name))), "")
