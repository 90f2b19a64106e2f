"""`upload-model`: what becomes a version, and what is said about it."""

from pathlib import Path

from tests import models
from tests.cli.conftest import Sources
from tests.cli.workspace import MODEL, Workspace


def test_a_file_with_all_that_is_said_of_it_becomes_a_version(
    workspace: Workspace, sources: Sources
) -> None:
    document = workspace.json(
        "upload-model", "v1", sources.model("v1"), "--golden", sources.golden("v1"),
        "--metric", "accuracy=0.95", "--metric", "loss=0.1", "--label", "team=a=b",
        "--note", "the first",
    )  # fmt: skip
    found = workspace.registry.version(MODEL, "v1")
    assert document == {
        "model": MODEL,
        "version": "v1",
        "digest": found.digest,
        "created": True,
        "bytes": found.manifest.size,
        "files": ["golden.npz", "model.onnx"],
        "dry_run": False,
    }
    assert found.manifest.metrics == {"accuracy": 0.95, "loss": 0.1}
    assert (found.manifest.labels, found.manifest.note) == ({"team": "a=b"}, "the first")
    assert found.manifest.golden is not None


def test_a_directory_becomes_a_version_with_everything_in_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    source = tmp_path / "export"
    models.with_external_data(source / "model.onnx")
    (source / "config.json").write_text("{}")
    result = workspace.run("upload-model", "v1", source)
    assert "✓ published digits v1 · 3 files, " in result.err
    assert result.out == ""


def test_a_dry_run_does_all_but_writing(workspace: Workspace, sources: Sources) -> None:
    arguments = ("upload-model", "v1", sources.model("v1"), "--activate", "--dry-run")
    assert "would publish digits v1 · 1 file" in workspace.run(*arguments).err
    document = workspace.json(*arguments)
    assert (document["created"], document["dry_run"]) == (False, True)
    assert workspace.objects() == {}


def test_publishing_again_changes_nothing_and_says_so(
    published: Workspace, sources: Sources
) -> None:
    before = published.objects()
    result = published.run("upload-model", "v1", sources.root / "v1", "--note", "another")
    assert "digits v1 is already there, with the same content" in result.err
    assert "! its note stays as published: none" in result.err
    assert published.objects() == before


def test_metrics_that_come_too_late_are_told_beside_those_that_stay(
    workspace: Workspace, sources: Sources
) -> None:
    upload = ("upload-model", "v1", sources.model("v1"), "--metric")
    workspace.run(*upload, "accuracy=0.9", "--metric", "loss=0.1")
    told = workspace.run(*upload, "accuracy=0.95").err
    assert "! its metrics stay as published: accuracy=0.9, loss=0.1" in told


def test_a_model_is_tried_on_a_golden_set_or_on_a_sample(
    workspace: Workspace, sources: Sources
) -> None:
    both = ("--golden", sources.golden("v1"), "--sample", sources.golden("v1"))
    told = workspace.run("upload-model", "v1", sources.model("v1"), *both, code=2).err
    assert "--golden and --sample are both given" in told
    assert workspace.objects() == {}


def test_what_was_signed_is_said_to_be(workspace: Workspace, sources: Sources) -> None:
    workspace.run("keys", "new", "--out", "release.key")
    told = workspace.run("upload-model", "v1", sources.model("v1"), "--sign", "release.key").err
    assert told.splitlines()[-1].endswith(" · signed")


def test_a_key_that_is_none_is_told_once(workspace: Workspace, sources: Sources) -> None:
    arguments = ("upload-model", "v1", sources.model("v1"), "--sign", "lost.key")
    told = workspace.run(*arguments, code=2).err
    assert told.count("lost.key") == 1


def test_activating_at_once_tells_of_both_in_one_document(
    workspace: Workspace, sources: Sources
) -> None:
    document = workspace.json(
        "upload-model", "v1", sources.model("v1"), "--activate", "--why", "begin"
    )
    assert document["published"]["created"] is True
    assert (document["to"], document["generation"], document["from"]) == ("v1", 1, None)
    change = workspace.registry.channel(MODEL, "production").history[-1]
    assert (change.version, change.why) == ("v1", "begin")


def test_a_signature_that_clients_would_notice_is_warned_of(
    published: Workspace, tmp_path: Path
) -> None:
    published.registry.activate(MODEL, "v1")
    told = published.run("upload-model", "v3", models.integers(tmp_path / "model.onnx")).err
    assert "! its inputs differ from those of v1, which is active: x FP32[-1,4] → x INT64" in told


def test_a_damaged_channel_does_not_keep_a_version_from_being_published(
    published: Workspace, sources: Sources
) -> None:
    path = published.store / "models" / MODEL / "channels" / "production.json"
    path.parent.mkdir()
    path.write_text("garbage")
    told = published.run("upload-model", "v3", sources.model("v1")).err
    assert "! it cannot be compared with what is active" in told
    assert published.registry.version(MODEL, "v3").manifest.inputs


def test_a_terminal_sees_progress_and_a_pipe_does_not(
    workspace: Workspace, sources: Sources
) -> None:
    shown = workspace.on_terminal("upload-model", "v1", sources.model("v1"))
    assert "validating …" in shown
    assert "uploading model.onnx" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
    piped = workspace.run("upload-model", "v2", sources.model("v2"))
    assert piped.err.splitlines()[:3] == ["validating", "hashing", "uploading"]
    assert "\x1b" not in piped.err


def test_file_names_with_brackets_are_shown_as_they_are(
    workspace: Workspace, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    models.affine(source / "model.onnx")
    (source / "[red]notes[].txt").write_text("x" * 100)
    shown = workspace.on_terminal("upload-model", "v1", source)
    assert "published digits v1 · 2 files" in shown
