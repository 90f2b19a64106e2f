"""Uploads that were begun and never finished: invisible to readers, and paid for by the byte.

A publisher that is killed leaves one behind. obstore neither lists nor aborts those of others, so
that boto3 does, which is the extra `[aws]`; a store of another kind has none that can be listed.
Only uploads older than a day count: a younger one may be somebody's, still under way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

from pointsman.errors import StoreError, StoreUnreachable
from pointsman.stores.base import ObjectStore

ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that nobody completed; `key` is relative to the store."""

    key: str
    upload_id: str
    begun: datetime


def abandoned(
    store: ObjectStore, prefix: str, older_than: timedelta = ABANDONED_AFTER
) -> list[Upload]:
    """Return the unfinished uploads under `prefix`; none where they cannot be listed.

    Raises `StoreError` when the store does not let these credentials list them.
    """
    from pointsman.stores.s3 import S3Store

    if not isinstance(store, S3Store) or find_spec("boto3") is None:
        return []
    oldest = datetime.now(UTC) - older_than
    base = f"{store.address.prefix}/" if store.address.prefix else ""
    with _translated(store.url):
        pages = _client(store).get_paginator("list_multipart_uploads")
        return [
            Upload(found["Key"].removeprefix(base), found["UploadId"], found["Initiated"])
            for page in pages.paginate(Bucket=store.address.bucket, Prefix=base + prefix)
            for found in page.get("Uploads", ())
            if found["Initiated"] <= oldest
        ]


def abort(store: ObjectStore, uploads: list[Upload]) -> None:
    """Give their parts' space back; one that ended meanwhile is no error."""
    from pointsman.stores.s3 import S3Store

    if not uploads or not isinstance(store, S3Store):
        return
    base = f"{store.address.prefix}/" if store.address.prefix else ""
    client = _client(store)
    with _translated(store.url):
        for upload in uploads:
            try:
                client.abort_multipart_upload(
                    Bucket=store.address.bucket, Key=base + upload.key, UploadId=upload.upload_id
                )
            except client.exceptions.NoSuchUpload:
                continue


def _client(store: Any) -> Any:
    """Return boto3's client for the same place, with the same keys and the same restraint."""
    import boto3
    from botocore.config import Config

    # What boto3 finds by itself (web identity, container, instance) it is not given.
    provider = store.credentials.settings.get("credential_provider", dict)
    keys = provider()
    address = store.address
    return boto3.client(
        "s3",
        endpoint_url=address.endpoint or None,
        region_name=address.signing_region,
        aws_access_key_id=keys.get("access_key_id"),
        aws_secret_access_key=keys.get("secret_access_key"),
        aws_session_token=keys.get("token"),
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 3},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "virtual" if address.is_virtual_host else "path"},
        ),
    )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise StoreError(f"{url} does not list unfinished uploads: {code}") from error
    except BotoCoreError as error:
        raise StoreUnreachable(f"{url} does not list unfinished uploads: {error}") from error
