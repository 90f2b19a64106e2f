"""`gs://`: Google's own preconditions, against a stand-in that refuses what Google refuses."""

import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import obstore
import pytest
from obstore.store import GCSStore

from pointsman.errors import (
    InvalidModel,
    PreconditionFailed,
    StoreDenied,
    StoreMisconfigured,
)
from pointsman.registry import Registry
from pointsman.stores import open_store
from tests.registry.versions import MODEL, store_version
from tests.servers.gcs import READER_TOKEN, TOKEN, GoogleDouble


def put(server: GoogleDouble, headers: dict[str, str], query: str = "") -> int:
    """Put an object past our store, and return what the server says."""
    request = urllib.request.Request(  # noqa: S310 — loopback
        f"{server.endpoint}/{server.bucket}/x{query}",
        data=b"data",
        headers={"Authorization": f"Bearer {TOKEN}"} | headers,
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_the_stand_in_keeps_generations_and_ignores_s3s_conditions(
    gcs_server: GoogleDouble,
) -> None:
    assert put(gcs_server, {"x-goog-if-generation-match": "0"}) == 200
    assert put(gcs_server, {"x-goog-if-generation-match": "0"}) == 412
    assert put(gcs_server, {"x-goog-if-generation-match": "17"}) == 412
    assert put(gcs_server, {"x-goog-if-generation-match": '"etag"'}) == 400
    assert put(gcs_server, {"If-None-Match": "*"}) == 200
    assert put(gcs_server, {"If-Match": '"other"'}) == 200
    assert put(gcs_server, {"Authorization": "Bearer wrong"}) == 401
    assert put(gcs_server, {"Authorization": f"Bearer {READER_TOKEN}"}) == 403
    assert put(gcs_server, {}, "?uploadId=none&partNumber=1") == 404


def test_the_stand_in_refuses_parts_that_google_finds_too_small(gcs_server: GoogleDouble) -> None:
    client = GCSStore(
        gcs_server.bucket,
        base_url=gcs_server.endpoint,
        bearer_token=TOKEN,
        client_options={"allow_http": True},
    )
    with pytest.raises(obstore.exceptions.GenericError, match="EntityTooSmall"):
        obstore.put(client, "x", iter([b"a" * 1000] * 3), chunk_size=1000)
    assert gcs_server.objects == {}


def test_a_token_of_an_earlier_generation_is_refused_even_for_equal_bytes(gcs_url: str) -> None:
    store = open_store(gcs_url)
    store.create("a/doc.json", b"same")
    first = store.head("a/doc.json").etag
    store.update("a/doc.json", b"same", first)

    with pytest.raises(PreconditionFailed):
        store.update("a/doc.json", b"same", first)


def test_a_version_is_published_activated_and_rolled_back(gcs_url: str) -> None:
    registry = Registry(open_store(gcs_url))
    for version in ("v1", "v2"):
        store_version(registry.store, version)
        registry.activate(MODEL, version)

    assert registry.rollback(MODEL).stable.version == "v1"
    assert registry.channel(MODEL, "production").generation == 3


def test_an_upload_that_fails_leaves_no_parts(
    gcs_server: GoogleDouble, gcs_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"x" * (20 << 20))
    with pytest.raises(InvalidModel):
        open_store(gcs_url).upload("blobs/x", path, "0" * 64, lambda _: None)
    assert gcs_server.uploads == {}
    assert gcs_server.objects == {}


def test_what_google_refuses_is_told_with_its_cause(
    gcs_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreMisconfigured, match="no bucket named nobucket"):
        open_store("gs://nobucket/x").get("a/doc.json")
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", READER_TOKEN)
    with pytest.raises(StoreDenied) as denied:
        open_store(gcs_url).create("a/doc.json", b"")
    assert denied.value.hint
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "expired")
    with pytest.raises(StoreMisconfigured, match="does not accept the credentials") as expired:
        open_store(gcs_url).get("a/doc.json")
    assert "gcloud auth" in expired.value.hint
    assert "expired" not in expired.value.message


@pytest.mark.parametrize("url", ["gs://", "gs://b", "gs://Bucket/x", "gs://bucket?x=1"])
def test_what_cannot_be_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(StoreMisconfigured):
        open_store(url, {"GOOGLE_BEARER_TOKEN": "t"})
