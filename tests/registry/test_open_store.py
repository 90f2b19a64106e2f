"""Which URLs open a store, and what a store says when it cannot be used."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.errors import (
    ObjectNotFound,
    PointsmanError,
    StoreDenied,
    StoreMisconfigured,
    StoreUnreachable,
)
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman.stores.clock import HttpClock
from tests.registry.versions import bytes_of
from tests.servers.canned import Canned, answering


@pytest.fixture
def keys_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")


@pytest.mark.parametrize(
    "url",
    [
        *("", "s3://", "s3:bucket", "file:/tmp/x", "file://host/path", "file://relative/path"),
        *("http://host/x", "ftp://host/x", "file:///a?x=1", "file:///a#b", "file:///a%00b"),
        *(
            "s3://[bad",
            "s3://bucket:80/x",
            "s3://buck et/x",
            "s3://bucket/../x",
            "s3://user:pw@bucket/x",
        ),
        *("s3://bucket?endpoint=host:80", "s3://bucket?endpoint=file:///etc", "s3://bucket?x=1"),
        *("s3://bucket?endpoint=http://[", "s3://bucket?endpoint=http://user:pw@host"),
    ],
)
@pytest.mark.usefixtures("keys_set")
def test_a_url_that_cannot_work_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(StoreMisconfigured) as caught:
        open_store(url)

    assert "\n" not in caught.value.message
    assert "pw" not in caught.value.message


def test_a_path_is_a_directory_and_so_is_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = (tmp_path / "the store?").as_uri()

    assert open_store("the store?").url == directory
    assert open_store(str(tmp_path / "the store?")).url == directory
    assert open_store(directory).url == directory
    assert open_store(directory.replace("file://", "file://localhost")).url == directory


def test_reading_a_mistyped_path_leaves_nothing_behind(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "typo"))

    assert list(store.scan("models/")) == []
    assert store.folders("models/") == []
    with pytest.raises(ObjectNotFound):
        store.get("models/x.json")
    store.delete("models/x.json")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_somebody_else_made_meanwhile_is_seen(tmp_path: Path) -> None:
    early, late = open_store(str(tmp_path / "store")), open_store(str(tmp_path / "store"))
    assert early.folders("models/") == []

    late.create("models/m/versions/v1.json", b"{}")

    assert early.folders("models/") == ["m"]


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreMisconfigured, match="is a file; a store is a directory"):
        open_store(str(tmp_path / "file"))


@pytest.mark.usefixtures("keys_set")
def test_a_bucket_of_aws_needs_no_endpoint() -> None:
    assert open_store("s3://bucket/prefix").url == "s3://bucket/prefix"
    assert open_store("s3://bucket?region=eu-west-1").url == "s3://bucket?region=eu-west-1"


def test_without_credentials_nothing_is_asked_of_anybody() -> None:
    with pytest.raises(StoreMisconfigured, match="no credentials") as caught:
        open_store("s3://bucket")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_half_of_the_credentials_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    with pytest.raises(StoreMisconfigured, match="AWS_SECRET_ACCESS_KEY is not"):
        open_store("s3://bucket")


CALLS: dict[str, Callable[[ObjectStore], object]] = {
    "get": lambda store: store.get("a/b.json"),
    "scan": lambda store: list(store.scan("a/")),
    "folders": lambda store: store.folders("a/"),
    "create": lambda store: store.create("a/b.json", b""),
    "update": lambda store: store.update("a/b.json", b"", "etag"),
    "overwrite": lambda store: store.overwrite("a/b.json", b""),
    "get_range": lambda store: bytes_of(store, "a/b", 0, 1),
}


def s3_error(code: str) -> bytes:
    return (
        f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    )


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", StoreDenied),
        (403, "InvalidAccessKeyId", StoreMisconfigured),
        (403, "SignatureDoesNotMatch", StoreMisconfigured),
        (400, "ExpiredToken", StoreMisconfigured),
        (403, "RequestTimeTooSkewed", StoreMisconfigured),
        (404, "NoSuchBucket", StoreMisconfigured),
        (301, "PermanentRedirect", StoreMisconfigured),
        (400, "AuthorizationHeaderMalformed", StoreMisconfigured),
        (400, "SomethingNew", StoreUnreachable),
    ],
)
@pytest.mark.usefixtures("keys_set")
def test_what_s3_says_is_told_in_our_words_by_every_call(
    call: str, status: int, code: str, error: type[PointsmanError]
) -> None:
    with answering(Canned(status=status, body=s3_error(code))) as server:
        store = open_store(f"s3://bucket/prefix?endpoint={server.url}")

        with pytest.raises(error) as caught:
            CALLS[call](store)

    assert "\n" not in caught.value.message
    assert "<" not in caught.value.message
    assert "hidden" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.usefixtures("keys_set")
def test_a_server_in_trouble_is_asked_again_and_then_called_unreachable(status: int) -> None:
    with answering(Canned(status=status, body=s3_error("SlowDown"))) as server:
        store = open_store(f"s3://bucket/prefix?endpoint={server.url}")

        with pytest.raises(StoreUnreachable, match=str(status)) as caught:
            store.get("a/b.json")

        assert len(server.asked) > 1
        assert "Try again" in caught.value.hint


@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_any_answer_of_a_server_tells_its_time_and_is_asked_for_once(status: int) -> None:
    elsewhere = {"Location": "http://127.0.0.1:1/elsewhere"}
    with answering(Canned(status=status, headers=elsewhere)) as server:
        clock = HttpClock(server.url)
        first, second = clock.now(), clock.now()

    assert abs(first - datetime.now(UTC)) < timedelta(minutes=1)
    assert first <= second
    assert server.asked == ["HEAD /"]


def test_a_server_that_tells_no_time_is_not_replaced_by_our_own_clock() -> None:
    with (
        answering(Canned(with_date=False)) as server,
        pytest.raises(StoreUnreachable, match="does not tell the time"),
    ):
        HttpClock(server.url).now()


def test_a_server_that_is_down_tells_no_time() -> None:
    with pytest.raises(StoreUnreachable, match="does not tell the time"):
        HttpClock("http://127.0.0.1:1").now()
