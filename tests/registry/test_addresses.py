"""URLs become addresses: endpoints, regions and what is special about each provider."""

import pytest

from pointsman.errors import StoreMisconfigured
from pointsman.stores import open_store, quirks
from pointsman.stores.s3 import S3Store

ACCOUNT = "0123456789abcdef0123456789abcdef"
KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


def opened(url: str, **environment: str) -> S3Store:
    store = open_store(url, KEYS | environment)
    assert isinstance(store, S3Store)
    return store


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"r2://{ACCOUNT}/bucket/a/b", f"https://{ACCOUNT}.r2.cloudflarestorage.com"),
        (f"r2://{ACCOUNT}.eu/bucket/a/b", f"https://{ACCOUNT}.eu.r2.cloudflarestorage.com"),
    ],
)
def test_an_r2_url_is_all_that_r2_needs(url: str, endpoint: str) -> None:
    # A variable meant for another store must not lead the request there.
    address = opened(url, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1", AWS_REGION="eu-west-1").address

    assert address.endpoint == endpoint
    assert (address.bucket, address.prefix) == ("bucket", "a/b")
    assert address.signing_region == "auto"
    assert address.quirks is quirks.R2


@pytest.mark.parametrize(
    "url", ["r2://bucket/prefix", f"r2://{ACCOUNT}x/bucket", f"r2://{ACCOUNT}", f"r2://{ACCOUNT}/x"]
)
def test_what_is_no_account_or_bucket_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        open_store(url, KEYS)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("endpoint", "row", "region"),
    [
        ("", quirks.AMAZON, "us-east-1"),
        ("https://s3.eu-west-1.amazonaws.com", quirks.AMAZON, "us-east-1"),
        ("https://fly.storage.tigris.dev", quirks.TIGRIS, "auto"),
        ("https://t3.storage.dev", quirks.TIGRIS, "auto"),
        ("https://storage.railway.app", quirks.RAILWAY, "auto"),
        ("https://s3.eu-central-003.backblazeb2.com", quirks.BACKBLAZE, "us-east-1"),
        ("https://minio.example.com:9000", quirks.UNKNOWN, "us-east-1"),
        ("https://amazonaws.com.example.org", quirks.UNKNOWN, "us-east-1"),
    ],
)
def test_every_provider_has_its_row_by_the_endpoints_host(
    endpoint: str, row: quirks.Quirks, region: str
) -> None:
    address = opened("s3://bucket", AWS_ENDPOINT_URL_S3=endpoint).address
    assert address.quirks is row
    assert address.signing_region == region


def test_every_row_says_why_it_is_there() -> None:
    for row in (*quirks.TABLE, quirks.UNKNOWN):
        assert len(row.because) > 40
        assert bool(row.ignores_conditions) == bool(row.use_instead)


def test_railways_buckets_are_part_of_the_host_unless_they_are_old() -> None:
    new = opened("s3://bucket", AWS_ENDPOINT_URL="https://storage.railway.app").address
    old = opened("s3://bucket?style=path", AWS_ENDPOINT_URL="https://storage.railway.app").address

    assert new.request_endpoint == "https://bucket.storage.railway.app"
    assert old.request_endpoint == "https://storage.railway.app"


@pytest.mark.parametrize(
    ("endpoint", "fix"),
    [("https://storage.googleapis.com", "gs://"), ("https://s3.x.backblazeb2.com", "R2")],
)
def test_a_store_known_to_lose_writes_is_refused_before_it_can(endpoint: str, fix: str) -> None:
    store = opened(f"s3://bucket?endpoint={endpoint}")
    with pytest.raises(StoreMisconfigured, match="undo each other") as caught:
        store.create("a/b.json", b"")
    assert fix in caught.value.hint
    with pytest.raises(StoreMisconfigured, match="undo each other"):
        store.update("a/b.json", b"", "etag")


def test_the_urls_endpoint_wins_over_the_environments() -> None:
    store = opened("s3://bucket?endpoint=http://127.0.0.1:9", AWS_ENDPOINT_URL_S3="http://x:1")
    assert store.address.endpoint == "http://127.0.0.1:9"
