"""Every wrong input is one sentence with a way out, a documented exit code, and no change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import models
from tests.cli.conftest import Sources
from tests.cli.workspace import MODEL, Workspace
from tests.servers.canned import Canned, answering

HOSTILE_NAMES = ["a/b", "..", "../x", "x" * 200, "a b", "é", "-", ".hidden", "a\x1bb", "a\nb"]
CLOSED_PORT = "http://127.0.0.1:9"
UNREACHABLE = f"s3://bucket?endpoint={CLOSED_PORT}"


def refused(workspace: Workspace, *arguments: str | Path, code: int) -> str:
    """Run what must fail; return the error, which is one sentence, after nothing has changed."""
    before = workspace.objects()
    result = workspace.run(*arguments, "--json", code=code)
    assert workspace.objects() == before
    assert not (workspace.folder / ".pointsman" / "local").exists()
    error = str(result.document["error"])
    assert error
    assert "\n" not in error
    assert "\x1b" not in result.err
    assert "Traceback" not in result.err
    return error


@pytest.mark.parametrize("name", ["", *HOSTILE_NAMES])
def test_names_of_versions_that_could_leave_their_place(
    listed: Workspace, sources: Sources, name: str
) -> None:
    for arguments in (
        ["activate", "--json", "--", name],
        ["models", "show", "--json", "--", name],
        ["rollback", "--json", "--to", name],
        ["upload-model", "--json", "--", name, str(sources.model("v1"))],
    ):
        before = listed.objects()
        result = listed.run(*arguments, code=2)
        assert "cannot be the name of a version" in result.document["error"]
        assert "\x1b" not in result.err
        assert listed.objects() == before


@pytest.mark.parametrize("name", HOSTILE_NAMES[::3])
@pytest.mark.parametrize("kind", ["model", "channel"])
def test_names_of_models_and_channels_that_could_leave_their_place(
    listed: Workspace, kind: str, name: str
) -> None:
    for command in ("activate v1", "status", "deploy", "destroy", "logs"):
        error = refused(listed, *command.split(), f"--{kind}={name}", code=2)
        assert f"cannot be the name of a {kind}" in error


@pytest.mark.parametrize(
    ("command", "says", "code"),
    [
        ("activate v9", "there is no version v9 of digits", 1),
        ("activate v1 --model nope", "there is no version v1 of nope", 1),
        ("models show v9", "there is no version v9 of digits", 1),
        ("models list nope", "there is no model named nope", 1),
        ("rollback", "nothing is active in the channel production", 1),
        ("rollback --to v1", "nothing is active in the channel production", 1),
        ("status", "nothing is active in the channel production", 1),
        ("history", "nothing is active in the channel production", 1),
        ("deploy", "there are 3 versions to choose from", 1),
        ("deploy --model nope", "there is no model named nope", 1),
        ("deploy --platform nope", "there is no platform 'nope'", 2),
        ("logs", "digits/production has no log here", 1),
        ("logs --follow", "a log that goes on is not one document", 2),
        ("predict nope.json", "digits/production is not deployed here", 2),
        (f"predict nope.json --url {CLOSED_PORT}", "cannot read nope.json: No such file", 2),
        ("status --store foo://bar", "'foo://bar' is not a store URL", 5),
        ("status --store s3:bucket", "'s3:bucket' is not a store URL", 5),
        ("status --store s3://user:key@bucket", "must not hold credentials", 5),
        ("status --store s3://bucket", "there are no credentials", 5),
        ("status --store pointsman.toml", "is a file; a store is a directory", 5),
    ],
)
def test_what_is_not_there_or_cannot_be(
    listed: Workspace, command: str, says: str, code: int
) -> None:
    assert says in refused(listed, *command.split(), code=code)


def test_no_model_is_named(listed: Workspace) -> None:
    listed.file.unlink()
    assert refused(listed, "status", code=2) == "no model is named"


def test_a_rollback_without_a_past(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    assert "v1 has no predecessor" in refused(listed, "rollback", code=1)
    assert "v2 did not serve before v1" in refused(listed, "rollback", "--to", "v2", code=1)
    assert refused(listed, "rollback", "--to", "v1", code=1) == "v1 is what the channel serves now"


@pytest.mark.parametrize("text", ["modle = 'x'", "[local]\nprot = 1", "model = ", "model = 3"])
@pytest.mark.parametrize("command", ["status", "models list", "deploy"])
def test_a_wrong_file_is_wrong_for_every_command(
    listed: Workspace, command: str, text: str
) -> None:
    listed.file.write_text(text)
    assert str(listed.file) in refused(listed, *command.split(), code=2)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("hello"), "is not an ONNX model"),
    "empty": (lambda path: path.write_bytes(b""), "is not an ONNX model"),
    "cut short": (models.truncated, "is not an ONNX model, or is cut short"),
    "never loads": (models.never_loads, "does not load model.onnx"),
    "not there": (lambda _: None, "there is no file or directory at"),
    "escaping": (models.escaping_external_data, "outside its own folder"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_files_that_cannot_be_served(listed: Workspace, tmp_path: Path, kind: str) -> None:
    make, says = BROKEN[kind]
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "model.onnx"
    make(path)
    assert says in refused(listed, "upload-model", "v9", path, code=1)


def test_weights_that_are_not_beside_their_model(listed: Workspace, tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path / "model.onnx")
    path.with_name("model.onnx.data").unlink()
    error = refused(listed, "upload-model", "v9", path, code=1)
    assert "model.onnx.data, which is not beside it" in error


def test_a_directory_without_a_model(listed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    error = refused(listed, "upload-model", "v9", tmp_path / "empty", code=1)
    assert "must hold one .onnx file and holds none" in error


def test_golden_sets_that_do_not_fit(listed: Workspace, sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    expectations = {
        sources.golden("v2"): "does not reproduce its golden set",
        tmp_path / "text.npz": "is not a golden set",
        tmp_path / "nope.npz": "there is no golden set at",
    }
    for golden, says in expectations.items():
        arguments = ("upload-model", "v9", sources.model("v1"), "--golden", golden)
        assert says in refused(listed, *arguments, code=1)


def test_other_content_under_a_used_name(published: Workspace, sources: Sources) -> None:
    error = refused(published, "upload-model", "v1", sources.root / "v2", code=1)
    assert "v1 exists with other content" in error


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--metric", "accuracy", "is not NAME=VALUE"),
        ("--metric", "=1", "is not NAME=VALUE"),
        ("--metric", "accuracy=high", "'high' is not a finite number"),
        ("--metric", "accuracy=nan", "'nan' is not a finite number"),
        ("--metric", "accuracy=inf", "'inf' is not a finite number"),
        ("--label", "team", "is not NAME=VALUE"),
    ],
)
def test_metrics_and_labels_that_say_nothing(
    listed: Workspace, sources: Sources, option: str, value: str, says: str
) -> None:
    arguments = ("upload-model", "v9", sources.model("v1"), option, value)
    assert says in refused(listed, *arguments, code=2)


def test_a_metric_given_twice(listed: Workspace, sources: Sources) -> None:
    twice = ["--metric", "accuracy=1", "--metric", "accuracy=2"]
    error = refused(listed, "upload-model", "v9", sources.model("v1"), *twice, code=2)
    assert error == "--metric accuracy is given twice"


@pytest.mark.parametrize("command", ["status", "activate v1", "models list", "deploy", "history"])
def test_a_store_out_of_reach(
    listed: Workspace, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    result = listed.run(*command.split(), "--store", UNREACHABLE, "--json", code=5)
    assert "in s3://bucket" in result.document["error"]
    assert "up and reachable" in result.document["hint"]
    assert "very-secret" not in result.out + result.err


def test_a_store_out_of_reach_is_noticed_before_a_model_is_tried(
    listed: Workspace, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = listed.run("upload-model", "v9", sources.model("v1"), "--store", UNREACHABLE, code=5)
    assert "validating" not in told.err


def test_a_store_that_cannot_be_written(listed: Workspace, sources: Sources) -> None:
    error = refused(
        listed, "upload-model", "v9", sources.model("v1"), "--store", "/dev/null/store", code=5
    )
    assert "Not a directory" in error


def test_a_port_in_use(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    with answering(Canned()) as canned:
        port = canned.url.rsplit(":", 1)[1]
        error = refused(listed, "deploy", "--port", port, code=1)
    assert error == f"port {port} on 127.0.0.1 cannot be used: Address already in use"


def test_an_address_that_is_not_here(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    assert "cannot be used" in refused(listed, "deploy", "--host", "192.0.2.1", code=1)


def test_a_state_directory_that_cannot_be_written(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    (listed.folder / ".pointsman" / "local").write_text("in the way")
    result = listed.run("deploy", "--port", "0", code=1)
    assert str(listed.folder / ".pointsman" / "local") in result.err
    assert "a bug in pointsman" not in result.err


CHANNEL = f"models/{MODEL}/channels/production.json"
MANIFEST = f"models/{MODEL}/versions/v2.json"


@pytest.mark.parametrize("content", [b"", b"garbage", b"[]", b"{}", b'{"schema":2}', b"\xff"])
def test_a_damaged_channel_is_never_overwritten(listed: Workspace, content: bytes) -> None:
    path = listed.store / CHANNEL
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    for command in ("status", "history", "activate v1", "rollback", "deploy"):
        assert refused(listed, *command.split(), code=1).startswith("the channel production")


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b'{"schema":2}'])
def test_a_damaged_manifest_can_be_listed_and_not_used(listed: Workspace, content: bytes) -> None:
    (listed.store / MANIFEST).write_bytes(content)
    for command in ("models show v2", "activate v2"):
        error = refused(listed, *command.split(), code=1)
        assert error.startswith("the manifest of digits v2")
    shown = listed.json("models", "list")
    assert [each["version"] for each in shown] == ["v1", "v3", "v2"]
    assert "the manifest of digits v2" in shown[2]["unreadable"]


def test_a_damaged_channel_hides_no_version(listed: Workspace) -> None:
    path = listed.store / CHANNEL
    path.parent.mkdir(parents=True)
    path.write_text("garbage")
    assert "v3" in listed.run("models", "list").out


def test_foreign_objects_in_the_store_are_overlooked(listed: Workspace) -> None:
    for key in (".DS_Store", "v1.json.bak", "sub/v9.json"):
        path = listed.store / "models" / MODEL / "versions" / key
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    shown = listed.run("models", "list").out
    assert [line.split()[1] for line in shown.splitlines()[1:4]] == ["v1", "v2", "v3"]
