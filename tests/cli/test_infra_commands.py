"""`pointsman infra`, as it is typed: a `pulumi` on PATH, a real S3 server behind it."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pointsman_cli.context import Context
from pointsman_cli.errors import EXIT_CODES, Exit
from pointsman_cli.output import Output
from pointsman_infra import administrator as administration
from tests.fakes.pulumi_engine import FakePulumi, relay
from tests.fakes.pulumi_engine import plugin as dynamic
from tests.infra.conftest import _no_login, _swept  # noqa: F401 — fixtures of every test here
from tests.infra.sdk_warnings import BEARABLE
from tests.infra.typing_it import (
    Run,
    declare,
    forget_the_administrator,
    new_project,
    runner,
)
from tests.servers.seaweedfs import REGION, SeaweedFS

pytestmark = BEARABLE


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def plugin(s3_server: SeaweedFS) -> Iterator[dynamic.Plugin]:
    with dynamic.running(s3_server.environment) as running:
        yield running


@pytest.fixture
def fake(plugin: dynamic.Plugin) -> FakePulumi:
    return FakePulumi(plugin=plugin)


@pytest.fixture
def project(
    tmp_path: Path, fake: FakePulumi, monkeypatch: pytest.MonkeyPatch, s3_server: SeaweedFS
) -> Iterator[Path]:
    """A project with an administrator's key, and `pulumi` on PATH."""
    directory = new_project(tmp_path / "project", s3_server, monkeypatch)
    with relay.installed(tmp_path / "p", fake) as binaries:
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        yield directory


def test_after_up_models_are_uploaded_without_copying_a_key(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = run("infra", "up")
    assert up.code == Exit.DONE, up.err
    assert "is provisioned" in up.err
    forget_the_administrator(monkeypatch)
    upload = run("upload-model", "v1", "model.onnx", "--activate", "--no-wait")
    assert upload.code == Exit.DONE, upload.err
    listed = run("models", "list", "--json")
    assert [each["version"] for each in listed.document] == ["v1"]


def test_a_service_gets_the_runtimes_key_and_never_the_publishers(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("infra", "up")
    runtime = run("infra", "env", "--json").document
    publisher = run("infra", "env", "--role", "publisher", "--json").document
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-somebody-else")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    context = Context(Output(quiet=True), {"store": None, "model": None, "channel": None})
    assert context.project.configuration.store == runtime["POINTSMAN_STORE"]
    assert os.environ["AWS_ACCESS_KEY_ID"] == publisher["AWS_ACCESS_KEY_ID"]
    handed = context.service_environment
    assert handed["AWS_ACCESS_KEY_ID"] == runtime["AWS_ACCESS_KEY_ID"]
    assert publisher["AWS_SECRET_ACCESS_KEY"] not in handed.values()
    assert "AWS_SESSION_TOKEN" not in handed
    assert context.runtime_environment == runtime


def test_a_preview_lists_what_would_be_made_and_a_second_up_makes_nothing(
    run: Run, project: Path
) -> None:
    preview = run("infra", "preview", "--json")
    assert preview.document["summary"] == {"create": 5}
    assert run("infra", "up", "--dry-run", "--json").document["summary"] == {"create": 5}
    first = run("infra", "up", "--json")
    assert {step["state"] for step in first.document["steps"]} == {"done"}
    assert run("infra", "up", "--json").document["summary"] == {"same": 5}


def test_no_secret_is_printed_unless_it_is_asked_for(
    run: Run, project: Path, fake: FakePulumi
) -> None:
    up = run("infra", "up", "--json")
    secrets = [
        value
        for role in ("publisher", "runtime")
        for name, value in run("infra", "env", "--role", role, "--json").document.items()
        if name == "AWS_SECRET_ACCESS_KEY"
    ]
    assert len(set(secrets)) == 2
    shown = up.out + up.err + run("infra", "outputs", "--json").out + run("infra", "outputs").out
    shown += run("infra", "doctor").err + json.dumps(fake.asked)
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize("form", ["dotenv", "fly", "railway"])
def test_the_runtimes_environment_comes_in_the_platforms_form(
    run: Run, project: Path, form: str
) -> None:
    run("infra", "up")
    printed = run("infra", "env", "--format", form)
    names = {line.partition("=")[0] for line in printed.out.splitlines()}
    assert {"POINTSMAN_STORE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= names
    assert run("infra", "env", "--format", "xml").code == Exit.USAGE


def test_declared_models_are_published_and_drift_ends_with_seven(
    run: Run, project: Path, s3_server: SeaweedFS
) -> None:
    declare(project, "v1")
    up = run("infra", "up", "--json")
    assert up.code == Exit.DONE, up.err
    assert run("models", "show", "v1", "--json").document["model"] == "digits"
    assert run("infra", "drift").code == Exit.DONE
    root = administration.open_with(up.document["outputs"]["store"], s3_server.environment)
    root.delete("models/digits/versions/v1.json")
    drifted = run("infra", "drift", "--json")
    assert drifted.code == int(Exit.DRIFT) == 7
    assert drifted.document["drifted"] is True
    assert "digits-v1 (gone)" in drifted.document["error"]
    assert run("infra", "up", "--refresh").code == Exit.DONE
    assert run("infra", "drift").code == Exit.DONE


def test_a_rotation_hands_out_the_new_key_before_the_old_one_goes(run: Run, project: Path) -> None:
    run("infra", "up")
    old = run("infra", "env", "--json").document["AWS_ACCESS_KEY_ID"]
    plan = run("infra", "rotate", "--dry-run")
    assert "runtime [1] → publisher [1, 2], runtime [1, 2]" in plan.out
    assert run("infra", "rotate").code == Exit.DONE
    new = run("infra", "env", "--json").document["AWS_ACCESS_KEY_ID"]
    assert new != old
    again = run("infra", "rotate")
    assert again.code == Exit.FAILED
    assert "is not finished" in again.err
    assert run("infra", "up").code == Exit.DONE, "an up in between keeps both keys"
    finish = run("infra", "rotate", "--finish", "--json")
    assert finish.document["outputs"]["keys"] == {"publisher": [2], "runtime": [2]}
    assert run("infra", "doctor").code == Exit.DONE
    assert run("infra", "rotate", "--role", "nobody").code == Exit.USAGE


def test_destroy_refuses_while_models_exist_unless_forced_by_name(
    run: Run, project: Path, s3_server: SeaweedFS
) -> None:
    bucket = run("infra", "up", "--json").document["outputs"]["bucket"]
    assert run("upload-model", "v1", "model.onnx").code == Exit.DONE
    refused = run("infra", "destroy")
    assert refused.code == Exit.FAILED
    assert "holds models: digits" in refused.err
    assert f"--force {bucket}" in refused.err
    assert run("infra", "destroy", "--force", "another").code == Exit.FAILED
    assert run("infra", "destroy", "--force", bucket, "--dry-run").code == Exit.DONE
    buckets = administration.buckets(s3_server.endpoint, REGION)
    assert buckets.exists(bucket)
    assert run("infra", "destroy", "--force", bucket).code == Exit.DONE
    assert not buckets.exists(bucket)
    gone = run("infra", "outputs")
    assert gone.code == Exit.STATE
    assert "`pointsman infra up` makes it" in gone.err


def test_an_empty_stack_is_destroyed_without_force(run: Run, project: Path) -> None:
    run("infra", "up")
    destroyed = run("infra", "destroy", "--json")
    assert destroyed.document["summary"]["delete"] == 5
    assert not list((project / ".pointsman" / "infra").glob("*.json"))


def test_the_doctor_tells_what_it_tried(run: Run, project: Path) -> None:
    run("infra", "up")
    examined = run("infra", "doctor", "--json")
    assert examined.code == Exit.DONE
    questions = {finding["question"] for finding in examined.document["findings"]}
    assert {"pulumi", "state", "runtime cannot write models"} <= questions


def test_a_doctor_without_a_stack_says_what_to_do(run: Run, project: Path) -> None:
    examined = run("infra", "doctor")
    assert examined.code == Exit.FAILED
    assert "`pointsman infra up` makes it" in examined.err


def test_a_locked_stack_has_an_exit_code_of_its_own(run: Run, project: Path) -> None:
    run("infra", "up")
    lock = project / ".pointsman" / "infra" / "state" / "production.lock"
    lock.write_text("created by ada@laptop (pid 4711) at noon")
    locked = run("infra", "up")
    assert locked.code == int(Exit.LOCKED) == 8
    assert "by ada@laptop, process 4711" in locked.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--provider", "azure"], Exit.USAGE, "Invalid enum value 'azure'"),
        (["--bucket", "Not A Bucket"], Exit.USAGE, "cannot be the name of a bucket"),
        (["--provider", "aws", "--region", "Mars"], Exit.USAGE, "'Mars' is not a region"),
        (["--endpoint", "nowhere"], Exit.USAGE, "is not a URL"),
        (["--stack", "a/b"], Exit.USAGE, "cannot be the name of a stack"),
        (["--backend", "s3://team-state"], Exit.STATE, "there is no passphrase"),
    ],
)
def test_bad_input_is_a_sentence_and_makes_nothing(
    run: Run, project: Path, fake: FakePulumi, arguments: list[str], code: Exit, words: str
) -> None:
    failed = run("infra", "up", *arguments)
    assert failed.code == code
    assert words in failed.err
    assert "Traceback" not in failed.err
    assert not [asked for asked in fake.asked if "up" in asked]


def test_without_settings_the_provider_is_asked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failed = run("infra", "up")
    assert failed.code == Exit.USAGE
    assert "--provider aws, r2, compatible or existing" in failed.err


def test_r2_without_an_account_says_where_to_find_it(run: Run, project: Path) -> None:
    (project / "pointsman.toml").write_text('[infra]\nprovider = "r2"\n')
    failed = run("infra", "preview")
    assert failed.code == Exit.USAGE
    assert "no Cloudflare account is named" in failed.err


def test_without_pulumi_the_command_says_how_to_install_it(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    failed = run("infra", "up", "--json")
    assert failed.code == int(Exit.STATE) == 6
    assert "it is not installed" in failed.document["error"]
    assert "get.pulumi.com" in failed.document["hint"]


def test_an_administrator_without_permission_is_told_which_one_is_missing(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, s3_server: SeaweedFS
) -> None:
    run("infra", "up")
    runtime = run("infra", "env", "--json").document
    refused = {**s3_server.environment, **runtime}
    with (
        dynamic.running(refused) as weak,
        relay.installed(project / "w", FakePulumi(plugin=weak)) as binaries,
    ):
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        failed = run("infra", "up", "--stack", "second", "--bucket", f"cli-{uuid4().hex[:8]}")
    assert failed.code == Exit.STORE
    assert "lacks the permission" in failed.err
    assert "iam:CreateUser" in failed.err or "s3:CreateBucket" in failed.err


def test_what_was_provisioned_is_kept_closed(run: Run, project: Path) -> None:
    run("infra", "up")
    directory = project / ".pointsman" / "infra"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("passphrase", "production.json"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600


def test_a_store_that_somebody_named_beats_the_provisioned_one(run: Run, project: Path) -> None:
    run("infra", "up")
    own = project / "own"
    assert run("upload-model", "v1", "model.onnx", "--store", own.as_uri()).code == Exit.DONE
    assert run("models", "list", "--json").document == []
    assert len(run("models", "list", "--store", own.as_uri(), "--json").document) == 1


def test_with_remember_off_nothing_is_written_and_the_stack_is_asked(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project / "pointsman.toml").open("a") as file:
        file.write("remember = false\n")
    run("infra", "up")
    assert not (project / ".pointsman" / "infra" / "production.json").exists()
    forget_the_administrator(monkeypatch)
    assert run("upload-model", "v1", "model.onnx").code == Exit.DONE


def test_costs_are_estimated_from_a_dated_table(run: Run) -> None:
    estimated = run("infra", "cost", "--provider", "r2", "--stored", "100", "--json").document
    assert estimated["dollars_per_month"]["r2"]["storage"] == 1.5
    assert estimated["as_of"]
    table = run("infra", "cost")
    assert all(name in table.out for name in ("aws", "r2", "railway"))
    assert run("infra", "cost", "--provider", "azure").code == Exit.USAGE


def test_help_does_not_import_pulumi(run: Run) -> None:
    import subprocess

    program = (
        "import sys; sys.argv = ['pointsman', 'infra', '--help']\n"
        "from pointsman_cli.application import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name.split('.')[0] in {'pulumi', 'grpc'} for name in sys.modules))"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert child.returncode == 0


def test_exit_codes_are_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code.value} | {meaning} |" in documented
