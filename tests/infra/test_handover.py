"""The remembered outputs: for their owner only, whole or not there."""

import stat
from pathlib import Path

import pytest

from pointsman_infra import handover
from pointsman_infra.outputs import Credentials, KeySerials, OutputsInvalid, StoreOutputs

HANDED = StoreOutputs(
    store="s3://acme",
    region="eu-central-1",
    provider="aws",
    bucket="acme",
    publisher=Credentials("PUB", "hush"),
    runtime=Credentials("RUN", "hush"),
    keys=KeySerials((1,), (1, 2)),
)


def test_what_is_remembered_is_recalled_until_it_is_forgotten(tmp_path: Path) -> None:
    assert handover.recall(tmp_path, "production") is None
    handover.remember(tmp_path, "production", HANDED)
    assert handover.recall(tmp_path, "production") == HANDED
    assert handover.recall(tmp_path, "staging") is None
    handover.forget(tmp_path, "production")
    assert handover.recall(tmp_path, "production") is None


def test_the_file_is_for_its_owner_only_even_when_written_again(tmp_path: Path) -> None:
    for _ in range(2):
        handover.remember(tmp_path, "production", HANDED)
        (file,) = tmp_path.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_file_says_how_to_get_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "production.json").write_text("{")
    with pytest.raises(OutputsInvalid, match="cannot be read") as caught:
        handover.recall(tmp_path, "production")
    assert "infra outputs" in caught.value.hint
