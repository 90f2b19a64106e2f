"""A stack through the Automation API: the real program and SDK, an engine in this process."""

import json
from pathlib import Path

import msgspec
import pytest

import pointsman
from pointsman.errors import VersionExists
from pointsman_infra import administrator as administration
from pointsman_infra import removal, rotation, settings
from pointsman_infra.automation.stack import Stack
from pointsman_infra.automation.steps import Steps
from pointsman_infra.errors import (
    AccessRefused,
    Guarded,
    InfraError,
    NameTaken,
    ProvisioningFailed,
    SettingsInvalid,
    StackLocked,
    StackMissing,
    StateUnusable,
)
from pointsman_infra.outputs import Credentials, Role
from pointsman_infra.settings import Settings
from tests import models
from tests.fakes.pulumi_engine import Clouds
from tests.infra.conftest import MakeStack
from tests.servers.seaweedfs import SeaweedFS

AWS = settings.read({"provider": "aws", "bucket": "acme-models", "region": "eu-central-1"})
R2 = settings.read({"provider": "r2", "bucket": "acme", "account": "0123456789abcdef" * 2})
ARN = "arn:aws:iam::1:user/me"


def operations(steps: Steps) -> set[tuple[str, str]]:
    return {(step.operation, step.name) for step in steps.all()}


def up(stack: Stack, wanted: Settings) -> tuple[Steps, set[tuple[str, str]]]:
    steps = Steps()
    stack.up(wanted, steps)
    return steps, {each for each in operations(steps) if each[0] != "same"}


def test_a_preview_shows_everything_and_makes_nothing(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS
) -> None:
    steps = Steps()
    stack = make_stack()
    stack.preview(compatible, steps)
    assert ("create", "models") in operations(steps)
    assert ("create", "digits-v1") in operations(steps)
    assert stack.handed() is None
    buckets = administration.buckets(administrator.endpoint, "us-east-1")
    assert not buckets.exists(compatible.bucket)


def test_from_nothing_to_a_published_model_and_back(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS
) -> None:
    stack = make_stack()
    _, made = up(stack, compatible)
    assert ("create", "digits-v1") in made
    _, again = up(stack, compatible)
    assert again == set(), "a second up changes nothing"
    handed = stack.outputs()
    store = administration.open_with(handed.store, handed.environment(Role.RUNTIME))
    version = pointsman.Registry(store).version("digits", "v1")
    assert version.manifest.files

    with pytest.raises(Guarded, match="holds models: digits"):
        removal.check(handed, "")
    with pytest.raises(Guarded, match=f"the stack's bucket is {compatible.bucket}"):
        removal.check(handed, "another")
    removal.check(handed, compatible.bucket)
    removal.destroy(stack, compatible, handed, Steps())
    assert not administration.buckets(administrator.endpoint, "us-east-1").exists(compatible.bucket)
    with pytest.raises(StackMissing, match=r"no stack named production"):
        stack.outputs()


def test_drift_is_seen_and_repaired(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS
) -> None:
    stack = make_stack()
    up(stack, compatible)
    root = administration.open_with(f"s3://{compatible.bucket}", administrator.environment)
    root.delete("models/digits/versions/v1.json")
    seen = Steps()
    stack.drift(seen)
    assert {step.name for step in seen.all() if step.changes} == {"digits-v1"}
    again = Steps()
    stack.drift(again)
    assert {step.name for step in again.all() if step.changes} == {"digits-v1"}, "only looked"
    stack.refresh(Steps())
    _, repaired = up(stack, compatible)
    assert repaired == {("create", "digits-v1")}
    clean = Steps()
    stack.drift(clean)
    assert not [step for step in clean.all() if step.changes]


def test_a_rotation_never_leaves_a_role_without_a_key(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS
) -> None:
    stack = make_stack()
    up(stack, compatible)
    old = stack.outputs()
    begun = msgspec.structs.replace(compatible, keys=rotation.begun(old.keys, list(Role)))
    up(stack, begun)
    both = stack.outputs()
    for handed in (old, both):
        for role in Role:
            store = administration.open_with(handed.store, handed.environment(role))
            assert list(store.scan("models/"))
    assert both.runtime != old.runtime
    finished = msgspec.structs.replace(compatible, keys=rotation.finished(both.keys, list(Role)))
    _, changes = up(stack, finished)
    assert {("delete", "runtime-key-1"), ("delete", "publisher-key-1")} <= changes
    assert stack.outputs().runtime == both.runtime
    users = administration.principals(administrator.endpoint, "us-east-1")
    assert old.runtime is not None
    assert old.runtime.access_key_id not in users.keys(f"{compatible.bucket}-runtime")


def test_other_content_under_a_declared_name_is_refused_and_up_can_be_repeated(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS, tmp_path: Path
) -> None:
    stack = make_stack()
    up(stack, compatible)
    models.affine(tmp_path / "model.onnx", factor=5)
    with pytest.raises(ProvisioningFailed, match=r"digits v1 exists with other content") as caught:
        up(stack, compatible)
    assert "Versions never change: choose a new name" in caught.value.message
    assert VersionExists.__name__ not in caught.value.message
    models.affine(tmp_path / "model.onnx")
    assert up(stack, compatible)[1] == set()


def test_a_declared_model_that_is_not_there_is_named_before_anything_is_published(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS, tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(SettingsInvalid, match=r"digits-v1 cannot be published: there is no file"):
        make_stack().preview(compatible, Steps())


def test_a_bucket_is_never_replaced(
    make_stack: MakeStack, compatible: Settings, administrator: SeaweedFS
) -> None:
    stack = make_stack()
    up(stack, compatible)
    renamed = msgspec.structs.replace(compatible, bucket=f"{compatible.bucket}-2", models=())
    with pytest.raises(Guarded, match="protected bucket") as caught:
        up(stack, renamed)
    assert "--stack" in caught.value.hint
    assert up(stack, compatible)[1] == set()


@pytest.mark.parametrize("wanted", [AWS, R2], ids=["aws", "r2"])
def test_the_clouds_are_provisioned_by_the_same_program(
    make_stack: MakeStack, wanted: Settings
) -> None:
    stack = make_stack()
    up(stack, wanted)
    handed = stack.outputs()
    assert handed.store == f"s3://{wanted.bucket}"
    assert handed.runtime is not None
    assert handed.runtime.secret_access_key != handed.publisher.secret_access_key
    assert up(stack, wanted)[1] == set()


def test_secrets_are_in_no_argument_list_and_in_no_text(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("PUBLISHER", "RUNTIME"):
        monkeypatch.setenv(f"POINTSMAN_{role}_ACCESS_KEY_ID", f"{role}-id")
        monkeypatch.setenv(f"POINTSMAN_{role}_SECRET_ACCESS_KEY", f"{role}-hush")
    stack = make_stack()
    steps = Steps()
    wanted = settings.read({"provider": "existing", "bucket": "theirs"})
    handed = stack.up(wanted, steps)
    assert handed.publisher == Credentials("PUBLISHER-id", "PUBLISHER-hush")
    command = stack._command
    said = json.dumps([command.asked, handed.public(), steps.said], default=repr) + repr(handed)  # type: ignore[attr-defined]
    assert "hush" not in said


def test_without_their_keys_an_existing_bucket_cannot_be_adopted(make_stack: MakeStack) -> None:
    wanted = settings.read({"provider": "existing", "bucket": "theirs"})
    with pytest.raises(SettingsInvalid, match="publisher's key is not given") as caught:
        make_stack().up(wanted, Steps())
    assert "POINTSMAN_PUBLISHER_ACCESS_KEY_ID" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "answer", "error", "words"),
    [
        (
            "aws:s3/bucket:Bucket",
            f"api error AccessDenied: User: {ARN} is not authorized to perform: s3:CreateBucket",
            AccessRefused,
            "lack the permission s3:CreateBucket",
        ),
        (
            "aws:iam/user:User",
            "operation error IAM: CreateUser, StatusCode: 403, api error AccessDenied: denied",
            AccessRefused,
            "lack the permission iam:CreateUser",
        ),
        (
            "aws:s3/bucket:Bucket",
            "creating S3 Bucket (acme-models): BucketAlreadyExists: the name is not available",
            NameTaken,
            "taken by another account",
        ),
        (
            "aws:s3/bucket:Bucket",
            "api error InvalidLocationConstraint: The specified location-constraint is not valid",
            SettingsInvalid,
            "region",
        ),
        (
            "aws:s3/bucket:Bucket",
            "no valid credential sources for S3 found",
            AccessRefused,
            "does not accept your credentials, or found none",
        ),
        ("aws:s3/bucket:Bucket", "error: the moon is full", ProvisioningFailed, "the moon is full"),
    ],
)
def test_what_aws_refuses_becomes_a_cause_and_a_fix(
    make_stack: MakeStack, kind: str, answer: str, error: type[InfraError], words: str
) -> None:
    clouds = Clouds({kind: answer})
    stack = make_stack(clouds)
    with pytest.raises(error, match=words) as caught:
        up(stack, AWS)
    assert caught.value.hint
    assert caught.value.document["steps"]
    clouds.refusing.clear()
    up(stack, AWS)
    assert stack.outputs().bucket == "acme-models", "a failed up can be repeated"


@pytest.mark.parametrize(
    ("kind", "permission"),
    [("r2Bucket:R2Bucket", "Workers R2 Storage"), ("accountToken:AccountToken", "Account API Tok")],
)
def test_what_cloudflare_refuses_names_the_permission(
    make_stack: MakeStack, kind: str, permission: str
) -> None:
    token = f"cloudflare:index/{kind}"
    word = "tokens" if "Token" in kind else "r2/buckets"
    answer = f'POST "https://api.cloudflare.com/…/{word}": 403 Forbidden Authentication error'
    with pytest.raises(AccessRefused, match=permission):
        up(make_stack(Clouds({token: answer})), R2)


def test_a_locked_stack_tells_who_holds_it(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack()
    up(stack, AWS)
    lock = tmp_path / ".pointsman" / "infra" / "state" / "production.lock"
    lock.write_text("file:///…: created by ada@laptop (pid 4711) at 2026-11-22T10:00:00Z")
    with pytest.raises(StackLocked, match=r"by ada@laptop, process 4711") as caught:
        up(stack, AWS)
    assert "pulumi cancel" in caught.value.hint
    lock.unlink()
    assert up(stack, AWS)[1] == set()


def test_a_wrong_passphrase_is_named(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(make_stack(), AWS)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    with pytest.raises(StateUnusable, match="passphrase is not the one"):
        make_stack().outputs()


def test_a_stack_that_was_never_made_is_missing(make_stack: MakeStack) -> None:
    with pytest.raises(StackMissing, match="no stack named staging") as caught:
        make_stack(name="staging").outputs()
    assert "infra up" in caught.value.hint


def test_stacks_are_apart(make_stack: MakeStack) -> None:
    up(make_stack(), AWS)
    staging = msgspec.structs.replace(AWS, bucket="acme-staging")
    up(make_stack(name="staging"), staging)
    assert make_stack().outputs().bucket == "acme-models"
    assert make_stack(name="staging").outputs().bucket == "acme-staging"


def test_only_what_was_said_is_written_into_the_stacks_configuration(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    up(make_stack(), AWS)
    written = (tmp_path / ".pointsman" / "infra" / "Pulumi.production.yaml").read_text()
    for word in ("aws", "acme-models", "eu-central-1"):
        assert word in written
    assert "jurisdiction" not in written
    assert (tmp_path / ".pointsman" / "infra").stat().st_mode & 0o077 == 0
