"""Publishing in trouble: the file changes, or the store does not do its part."""

import shutil
import socket
from pathlib import Path

import pytest

import pointsman
from pointsman import keys
from pointsman.cache import Cache
from pointsman.errors import InvalidModel, StoreDenied, StoreMisconfigured, StoreUnreachable
from pointsman.publishing import Progress
from pointsman.registry import Registry
from tests import models
from tests.fakes.unreliable_store import FlakyStore, OfflineStore
from tests.registry.publishing import MODEL, nothing_is_visible, one_sentence


def test_a_file_that_changes_while_it_is_published_is_refused(
    registry: Registry, good: Path
) -> None:
    def retrain(step: str) -> None:
        if step == "uploading":
            models.affine(good, factor=3)

    with pytest.raises(InvalidModel, match="changed while it was being published"):
        registry.publish(MODEL, "v1", good, progress=Progress(step=retrain))
    assert nothing_is_visible(registry)


def test_publishing_again_restores_what_the_store_lost(
    registry: Registry, good: Path, tmp_path: Path
) -> None:
    version = registry.publish(MODEL, "v1", good).version
    registry.store.delete(keys.blob(MODEL, version.manifest.files[0].sha256))

    assert not registry.publish(MODEL, "v1", good).created
    Cache(tmp_path / "cache").fetch(registry.store, version)


@pytest.mark.parametrize("lost", ["upload", "create"])
def test_a_write_whose_answer_was_lost_is_recognised(
    registry: Registry, good: Path, lost: str
) -> None:
    flaky = FlakyStore(registry.store, lost)

    published = Registry(flaky).publish(MODEL, "v1", good)

    assert published.created
    assert registry.version(MODEL, "v1") == published.version
    assert flaky.calls.count(lost) == 1


def test_a_store_that_answers_nothing_is_an_error_and_not_a_version(
    registry: Registry, good: Path
) -> None:
    with pytest.raises(StoreUnreachable):
        Registry(OfflineStore(registry.store)).publish(MODEL, "v1", good)
    assert nothing_is_visible(registry)


def test_a_directory_that_cannot_be_written_is_refused_with_advice(
    tmp_path: Path, good: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    registry = pointsman.open((tmp_path / "file" / "store").as_uri())

    with pytest.raises(StoreMisconfigured, match="Not a directory") as caught:
        registry.publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert "must be a directory" in caught.value.hint


def test_a_store_nobody_listens_at_is_unreachable(
    s3_url: str, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)

        with pytest.raises(StoreUnreachable, match="nobody listens there") as caught:
            pointsman.open(s3_url).publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert endpoint in caught.value.hint


def test_a_bucket_that_does_not_exist_is_named(s3_url: str, good: Path) -> None:
    registry = pointsman.open("s3://never-made/prefix")

    with pytest.raises(StoreMisconfigured, match="there is no bucket named never-made") as caught:
        registry.publish(MODEL, "v1", good)

    assert one_sentence(caught.value)
    assert "Create it" in caught.value.hint


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("AWS_ACCESS_KEY_ID", "someone-else", "the access key does not exist"),
        ("AWS_SECRET_ACCESS_KEY", "not-the-secret", "the secret key is wrong"),
    ],
)
def test_credentials_that_do_not_fit_are_told_from_a_store_that_is_down(
    s3_url: str,
    good: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    cause: str,
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises((StoreMisconfigured, StoreDenied), match=cause) as caught:
        pointsman.open(s3_url).publish(MODEL, "v1", good)

    assert value not in caught.value.message
    assert variable in caught.value.hint


def test_the_source_may_vanish_and_is_then_missed_in_one_sentence(
    registry: Registry, tmp_path: Path
) -> None:
    source = tmp_path / "export"
    models.affine(source / "model.onnx")

    def lose(step: str) -> None:
        if step == "hashing":
            shutil.rmtree(source)

    with pytest.raises(InvalidModel, match=r"cannot read .*model.onnx: No such file"):
        registry.publish(MODEL, "v1", source, progress=Progress(step=lose))
    assert nothing_is_visible(registry)
