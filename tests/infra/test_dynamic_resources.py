"""Dynamic resources over gRPC, by the real `python -m pulumi.dynamic`, on a real S3 server."""

import base64
from pathlib import Path
from typing import Any
from uuid import uuid4

import dill  # type: ignore[import-untyped]
import pytest
from pulumi.dynamic import ResourceProvider

import pointsman
from pointsman_infra import administrator as administration
from pointsman_infra import policies
from pointsman_infra.dynamic.access_key import AccessKeyProvider
from pointsman_infra.dynamic.bucket import BucketProvider
from pointsman_infra.dynamic.model_version import ModelVersionProvider
from pointsman_infra.dynamic.principal import PrincipalProvider
from tests import models
from tests.fakes.pulumi_engine.plugin import Plugin, PluginFailed
from tests.servers.seaweedfs import REGION, SeaweedFS

URN = "urn:pulumi:production::pointsman::test::test"
PROVIDERS = [AccessKeyProvider, BucketProvider, ModelVersionProvider, PrincipalProvider]


def backed(provider: ResourceProvider, **members: Any) -> dict[str, Any]:
    """Return inputs with the provider beside them, as the engine sends them."""
    return members | {"__provider": base64.b64encode(dill.dumps(provider)).decode()}


@pytest.fixture
def bucket(administrator: SeaweedFS) -> dict[str, Any]:
    return backed(
        BucketProvider(),
        bucket=f"dynamic-{uuid4().hex[:8]}",
        endpoint=administrator.endpoint,
        region=REGION,
        force=False,
    )


@pytest.fixture
def version(administrator: SeaweedFS, tmp_path: Path) -> dict[str, Any]:
    return backed(
        ModelVersionProvider(),
        store=f"s3://{administrator.bucket}/{uuid4().hex}",
        environment=administrator.environment,
        model="digits",
        version="v1",
        source=str(models.affine(tmp_path / "model.onnx")),
        golden="",
        metrics={"accuracy": 0.97},
        labels={},
        note="declared",
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_kept_by_its_name_and_not_by_its_code(
    provider: type[ResourceProvider],
) -> None:
    pickled = dill.dumps(provider())
    assert len(pickled) < 120
    assert provider.__module__.encode() in pickled
    assert not provider.serialize_as_secret_always


def test_a_bucket_is_made_and_made_again_without_harm(
    plugin: Plugin, bucket: dict[str, Any], administrator: SeaweedFS
) -> None:
    name, made = plugin.create(URN, bucket)
    again, _ = plugin.create(URN, bucket)
    assert name == again == bucket["bucket"]
    assert made["versioning"] == "on"
    assert administration.buckets(administrator.endpoint, REGION).versioned(name)


def test_versioning_that_was_turned_off_is_seen_and_repaired(
    plugin: Plugin, bucket: dict[str, Any], administrator: SeaweedFS
) -> None:
    name, made = plugin.create(URN, bucket)
    buckets = administration.buckets(administrator.endpoint, REGION)
    suspended = (
        '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<Status>Suspended</Status></VersioningConfiguration>"
    )
    buckets._endpoint.send("PUT", f"/{name}", {"versioning": ""}, suspended.encode())
    _, seen = plugin.read(name, URN, made)
    assert seen["versioning"] == "off"
    diff = plugin.diff(name, URN, seen, bucket)
    assert diff.changes == diff.DIFF_SOME
    assert not diff.replaces
    assert plugin.update(name, URN, seen, bucket)["versioning"] == "on"


def test_a_bucket_that_vanished_is_missed(plugin: Plugin, bucket: dict[str, Any]) -> None:
    name, made = plugin.create(URN, bucket)
    plugin.delete(name, URN, made)
    assert plugin.read(name, URN, made)[0] == ""
    plugin.delete(name, URN, made)


def test_another_name_is_another_bucket(plugin: Plugin, bucket: dict[str, Any]) -> None:
    diff = plugin.diff("x", URN, bucket, bucket | {"bucket": "another"})
    assert list(diff.replaces) == ["bucket"]


def test_a_bucket_with_something_in_it_goes_only_by_force(
    plugin: Plugin, bucket: dict[str, Any], administrator: SeaweedFS
) -> None:
    name, made = plugin.create(URN, bucket)
    store = administration.open_with(f"s3://{name}", administrator.environment)
    store.overwrite("models/digits/x y", b"1")
    store.overwrite("models/digits/x y", b"2")
    with pytest.raises(PluginFailed, match="is not empty"):
        plugin.delete(name, URN, made)
    plugin.delete(name, URN, made | {"force": True})
    assert not administration.buckets(administrator.endpoint, REGION).exists(name)


def test_a_principal_gets_a_key_that_works_until_it_is_revoked(
    plugin: Plugin, bucket: dict[str, Any], administrator: SeaweedFS
) -> None:
    name, _ = plugin.create(URN, bucket)
    where = {"endpoint": administrator.endpoint, "region": REGION}
    user = f"{name}-runtime"
    wanted = backed(PrincipalProvider(), user=user, policy=policies.runtime(name), **where)
    principal, made = plugin.create(URN, wanted)
    id_, key = plugin.create(URN, backed(AccessKeyProvider(), user=principal, **where))
    environment = administrator.environment | {
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
    }
    store = administration.open_with(f"s3://{name}", environment)
    store.overwrite("fleet/digits/production/i1.json", b"{}")
    assert plugin.read(id_, URN, key)[0] == id_
    plugin.delete(id_, URN, key)
    assert plugin.read(id_, URN, key)[0] == ""
    plugin.delete(principal, URN, made)
    assert plugin.read(principal, URN, made)[0] == ""


def test_a_policy_that_somebody_widened_is_seen_and_put_back(
    plugin: Plugin, bucket: dict[str, Any], administrator: SeaweedFS
) -> None:
    where = {"endpoint": administrator.endpoint, "region": REGION}
    user = f"{bucket['bucket']}-runtime"
    narrow = policies.runtime(bucket["bucket"])
    wanted = backed(PrincipalProvider(), user=user, policy=narrow, **where)
    principal, made = plugin.create(URN, wanted)
    _, unchanged = plugin.read(principal, URN, made)
    assert unchanged["policy"] == narrow
    users = administration.principals(administrator.endpoint, REGION)
    users.permit(user, policies.publisher(bucket["bucket"], lists_uploads=False))
    _, seen = plugin.read(principal, URN, made)
    diff = plugin.diff(principal, URN, seen, wanted)
    assert diff.changes == diff.DIFF_SOME
    plugin.update(principal, URN, seen, wanted)
    assert plugin.read(principal, URN, made)[1]["policy"] == narrow


def test_a_declared_version_is_published_by_the_code_that_everybody_uses(
    plugin: Plugin, version: dict[str, Any], administrator: SeaweedFS
) -> None:
    checked = plugin.check(URN, {}, version)
    id_, made = plugin.create(URN, checked)
    assert id_ == "digits/v1"
    published = pointsman.open(version["store"]).version("digits", "v1")
    assert published.digest == made["digest"]
    assert published.manifest.metrics == {"accuracy": 0.97}
    assert published.manifest.note == "declared"


def test_the_same_content_is_adopted_and_other_content_refused(
    plugin: Plugin, version: dict[str, Any], tmp_path: Path
) -> None:
    _, first = plugin.create(URN, plugin.check(URN, {}, version))
    _, adopted = plugin.create(URN, plugin.check(URN, {}, version))
    assert adopted["digest"] == first["digest"]
    models.affine(tmp_path / "model.onnx", factor=3)
    changed = plugin.check(URN, first, version)
    assert "content" in plugin.diff("digits/v1", URN, first, changed).replaces
    with pytest.raises(
        PluginFailed, match=r"\[VersionExists\] digits v1 exists with other content"
    ):
        plugin.create(URN, changed)


def test_the_file_may_be_gone_once_it_is_published(
    plugin: Plugin, version: dict[str, Any], tmp_path: Path
) -> None:
    checked = plugin.check(URN, {}, version)
    _, made = plugin.create(URN, checked)
    (tmp_path / "model.onnx").unlink()
    again = plugin.check(URN, checked, version)
    assert plugin.diff("digits/v1", URN, made, again).changes == 1
    with pytest.raises(PluginFailed, match="there is no file or directory"):
        plugin.check(URN, {}, version)


def test_a_changed_data_file_beside_the_model_is_noticed(
    plugin: Plugin, version: dict[str, Any], tmp_path: Path
) -> None:
    source = models.with_external_data(tmp_path / "external.onnx")
    wanted = version | {"source": str(source)}
    before = plugin.check(URN, {}, wanted)["content"]
    models.with_external_data(tmp_path / "external.onnx", factor=3)
    assert plugin.check(URN, {}, wanted)["content"] != before


@pytest.mark.parametrize("lost", ["versions/v1.json", "blobs/"])
def test_what_vanished_from_the_store_is_published_again(
    plugin: Plugin, version: dict[str, Any], administrator: SeaweedFS, lost: str
) -> None:
    checked = plugin.check(URN, {}, version)
    id_, made = plugin.create(URN, checked)
    assert plugin.read(id_, URN, made)[0] == id_
    registry = pointsman.open(version["store"])
    for info in list(registry.store.scan("models/digits/")):
        if lost in info.key:
            registry.store.delete(info.key)
    assert plugin.read(id_, URN, made)[0] == ""
    plugin.create(URN, checked)
    whole = registry.version("digits", "v1").manifest
    assert registry.store.head(f"models/digits/blobs/{whole.files[0].sha256}").size


def test_a_version_is_never_deleted_with_the_stack(
    plugin: Plugin, version: dict[str, Any], administrator: SeaweedFS
) -> None:
    id_, made = plugin.create(URN, plugin.check(URN, {}, version))
    plugin.delete(id_, URN, made)
    assert pointsman.open(version["store"]).version("digits", "v1").digest == made["digest"]


def test_a_new_key_is_noted_and_nothing_published_again(
    plugin: Plugin, version: dict[str, Any]
) -> None:
    checked = plugin.check(URN, {}, version)
    id_, made = plugin.create(URN, checked)
    rotated = checked | {"environment": version["environment"] | {"AWS_ACCESS_KEY_ID": "new"}}
    diff = plugin.diff(id_, URN, made, rotated)
    assert diff.changes == diff.DIFF_SOME
    assert not diff.replaces
    updated = plugin.update(id_, URN, made, rotated)
    assert updated["environment"]["AWS_ACCESS_KEY_ID"] == "new"
    assert updated["digest"] == made["digest"]
