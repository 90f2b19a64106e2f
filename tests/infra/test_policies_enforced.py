"""The policies, enforced by a real server: what each principal may do, and what it may not."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from pointsman.errors import ObjectExists, ObjectNotFound, StoreDenied, StoreError
from pointsman.stores.base import ObjectStore
from pointsman_infra import administrator as administration
from pointsman_infra import policies
from pointsman_infra.outputs import Credentials
from tests.servers.seaweedfs import REGION, SeaweedFS

MODEL = "models/digits/blobs/abc"
MANIFEST = "models/digits/versions/v1.json"
CHANNEL = "models/digits/channels/production.json"
BEAT = "fleet/digits/production/i1.json"


@dataclass(frozen=True)
class Principals:
    """The same bucket, as seen by its administrator and by both principals."""

    bucket: str
    root: ObjectStore
    publisher: ObjectStore
    runtime: ObjectStore


@pytest.fixture(scope="module")
def principals(s3_server: SeaweedFS) -> Iterator[Principals]:
    bucket = f"policies-{uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        administration.buckets(s3_server.endpoint, REGION).create(bucket)
        users = administration.principals(s3_server.endpoint, REGION)
        documents = {
            "publisher": policies.publisher(bucket, lists_uploads=False),
            "runtime": policies.runtime(bucket),
        }
        keys = {}
        for role, document in documents.items():
            users.create(f"{bucket}-{role}", document)
            keys[role] = users.issue(f"{bucket}-{role}")
        root = opened(s3_server, bucket, None)
        yield Principals(
            bucket,
            root,
            opened(s3_server, bucket, keys["publisher"]),
            opened(s3_server, bucket, keys["runtime"]),
        )


def opened(server: SeaweedFS, bucket: str, key: Credentials | None) -> ObjectStore:
    environment = dict(server.environment)
    if key:
        environment |= {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        }
    return administration.open_with(f"s3://{bucket}", environment)


def test_the_publisher_writes_and_reads_models(principals: Principals) -> None:
    principals.publisher.overwrite(MODEL, b"weights")
    read = principals.publisher.get(MODEL)
    assert read is not None
    assert read.data == b"weights"


def test_the_publisher_commits_a_manifest_only_once(principals: Principals) -> None:
    principals.publisher.create(MANIFEST, b"{}")
    with pytest.raises(ObjectExists):
        principals.publisher.create(MANIFEST, b"{}")


def test_the_publisher_moves_a_channel_under_a_precondition(principals: Principals) -> None:
    principals.publisher.create(CHANNEL, b"1")
    principals.publisher.update(CHANNEL, b"2", principals.publisher.head(CHANNEL).etag)
    assert [info.key for info in principals.publisher.scan("models/digits/channels/")] == [CHANNEL]


def test_the_publisher_deletes_nothing(principals: Principals) -> None:
    principals.root.overwrite(MODEL, b"weights")
    with pytest.raises(StoreDenied):
        principals.publisher.delete(MODEL)
    assert principals.root.head(MODEL).size == 7


def test_the_publisher_reads_heartbeats_and_writes_none(principals: Principals) -> None:
    principals.root.overwrite(BEAT, b"{}")
    assert principals.publisher.head(BEAT).size == 2
    with pytest.raises(StoreDenied):
        principals.publisher.overwrite(BEAT, b"forged")


def test_the_publisher_writes_nowhere_else(principals: Principals) -> None:
    with pytest.raises(StoreDenied):
        principals.publisher.overwrite("elsewhere/x", b"")


def test_the_runtime_reads_models_and_channels(principals: Principals) -> None:
    principals.root.overwrite(MODEL, b"weights")
    assert principals.runtime.head(MODEL).size == 7


def test_what_is_missing_is_missing_for_the_runtime_and_not_denied(principals: Principals) -> None:
    with pytest.raises(ObjectNotFound):
        principals.runtime.get("models/digits/versions/v99.json")


@pytest.mark.parametrize("key", [MODEL, MANIFEST, CHANNEL])
def test_the_runtime_writes_neither_models_nor_channels(principals: Principals, key: str) -> None:
    with pytest.raises(StoreDenied):
        principals.runtime.overwrite(key, b"stolen")


def test_the_runtime_deletes_no_model(principals: Principals) -> None:
    principals.root.overwrite(MODEL, b"weights")
    with pytest.raises(StoreDenied):
        principals.runtime.delete(MODEL)
    assert principals.root.head(MODEL).size == 7


def test_the_runtime_writes_and_removes_its_heartbeat(principals: Principals) -> None:
    principals.runtime.overwrite(BEAT, b"{}")
    principals.runtime.delete(BEAT)
    with pytest.raises(ObjectNotFound):
        principals.root.head(BEAT)


@pytest.mark.parametrize("role", ["publisher", "runtime"])
def test_no_principal_reaches_another_bucket(
    principals: Principals, s3_server: SeaweedFS, role: str
) -> None:
    s3_server.put("models/other", b"")
    other = administration.open_with(f"s3://{s3_server.bucket}", {**s3_server.environment})
    assert other.head("models/other").size == 0
    user = f"{principals.bucket}-{role}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        key = administration.principals(s3_server.endpoint, REGION).issue(user)
    stranger = opened(s3_server, s3_server.bucket, key)
    with pytest.raises(StoreDenied):
        stranger.get("models/other")


def test_a_revoked_key_opens_nothing(principals: Principals, administrator: SeaweedFS) -> None:
    users = administration.principals(administrator.endpoint, REGION)
    user = f"{principals.bucket}-runtime"
    key = users.issue(user)
    store = opened(administrator, principals.bucket, key)
    principals.root.overwrite(MODEL, b"weights")
    assert store.head(MODEL).size == 7
    users.revoke(user, key.access_key_id)
    assert key.access_key_id not in users.keys(user)
    with pytest.raises(StoreError):
        store.get(MODEL)
