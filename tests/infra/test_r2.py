"""The R2 provider against Pulumi's mocks, and its declarations against Cloudflare's own package."""

import hashlib
import inspect
import json
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from pointsman_infra import cloudflare, providers, settings
from pointsman_infra.providers.r2 import ITEM_READ, ITEM_WRITE
from pointsman_infra.provisioned import Provisioned
from pointsman_infra.settings import Settings
from tests.infra.recording import Registration, recorded

ACCOUNT = "0123456789abcdef0123456789abcdef"
R2 = {"provider": "r2", "bucket": "acme", "account": ACCOUNT}


@pytest.fixture(params=["up", "preview"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def provisioned(wanted: Settings, *, mode: str = "up") -> dict[str, Registration]:
    return recorded(lambda: providers.provision(wanted), mode=mode)


def r2(**members: Any) -> Settings:
    return settings.read(R2 | members)


def test_models_and_heartbeats_have_a_bucket_each(mode: str) -> None:
    made = provisioned(r2(), mode=mode)
    assert made["models"].inputs["name"] == "acme"
    assert made["fleet"].inputs["name"] == "acme-fleet"


@pytest.mark.parametrize("bucket", ["models", "fleet"])
def test_buckets_are_protected_and_retained(bucket: str, mode: str) -> None:
    options = provisioned(r2(), mode=mode)[bucket].options
    assert options.protect
    assert options.retainOnDelete


def test_the_runtime_reads_one_bucket_and_writes_the_other(mode: str) -> None:
    policies = provisioned(r2(), mode=mode)["runtime-key-1"].inputs["policies"]
    assert access(policies) == {"acme": ITEM_READ, "acme-fleet": ITEM_WRITE}


def test_the_publisher_writes_one_bucket_and_reads_the_other(mode: str) -> None:
    policies = provisioned(r2(), mode=mode)["publisher-key-1"].inputs["policies"]
    assert access(policies) == {"acme": ITEM_WRITE, "acme-fleet": ITEM_READ}


def test_a_scope_names_the_jurisdiction() -> None:
    made = provisioned(r2(jurisdiction="eu"))
    (scope,) = json.loads(made["runtime-key-1"].inputs["policies"][0]["resources"])
    assert scope == f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_eu_acme"


def test_uploads_that_were_cut_off_go_after_three_days_counted_in_seconds(mode: str) -> None:
    (rule,) = provisioned(r2(), mode=mode)["models-lifecycle"].inputs["rules"]
    assert rule["abortMultipartUploadsTransition"]["condition"]["maxAge"] == 3 * 86_400


def test_a_lock_covers_what_never_changes_and_leaves_channels_alone(mode: str) -> None:
    made = provisioned(r2(lock_days=30, lock_models=["digits"]), mode=mode)
    prefixes = [rule["prefix"] for rule in made["models-lock"].inputs["rules"]]
    assert prefixes == ["models/digits/blobs/", "models/digits/versions/"]
    assert "models-lock" not in provisioned(r2(), mode=mode)


def test_a_stack_that_is_destroyed_has_no_lock() -> None:
    wanted = r2(lock_days=30, lock_models=["digits"], destroying=True)
    assert "models-lock" not in provisioned(wanted)


def test_a_location_in_capitals_is_no_reason_to_replace_a_bucket() -> None:
    bucket = provisioned(r2(location="weur"))["models"]
    assert bucket.inputs["location"] == "weur"
    assert list(bucket.options.ignoreChanges) == ["location"]


def test_the_secret_is_the_digest_of_the_tokens_value() -> None:
    secrets: list[dict[str, str]] = []

    def program() -> Any:
        return providers.provision(r2()).publisher.output().apply(secrets.append)

    recorded(program)
    expected = hashlib.sha256(b"value-of-publisher-key-1").hexdigest()
    assert secrets == [{"access_key_id": "publisher-key-1-id", "secret_access_key": expected}]


def test_the_tokens_value_is_declared_a_secret(mode: str) -> None:
    token = provisioned(r2(), mode=mode)["runtime-key-1"]
    assert "value" in token.options.additionalSecretOutputs


@pytest.mark.parametrize(
    ("jurisdiction", "host"),
    [("default", "r2.cloudflarestorage.com"), ("eu", "eu.r2.cloudflarestorage.com")],
)
def test_the_endpoint_follows_the_jurisdiction(jurisdiction: str, host: str) -> None:
    handed: list[Provisioned] = []
    wanted = r2(jurisdiction=jurisdiction)
    recorded(lambda: handed.append(providers.provision(wanted)))
    assert handed[0].endpoint == f"https://{ACCOUNT}.{host}"
    assert (handed[0].store, handed[0].fleet) == ("s3://acme", "s3://acme-fleet")


def test_plugins_are_pinned(mode: str) -> None:
    made = provisioned(r2(), mode=mode).values()
    versions = {each.options.version for each in made if each.kind.startswith("cloudflare:")}
    assert versions == {cloudflare.PLUGIN_VERSION}


def test_cloudflares_own_package_is_never_imported() -> None:
    provisioned(r2())
    assert "pulumi_cloudflare" not in sys.modules


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("pulumi_cloudflare") is None,
    reason="the contract with Cloudflare's package needs it: pip install pulumi-cloudflare",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_declarations_agree_with_cloudflares_package() -> None:
    import pulumi_cloudflare as official

    made = provisioned(r2(lock_days=1, lock_models=["digits"]))
    for registration in made.values():
        name = registration.kind.rsplit(":", 1)[-1]
        if not registration.kind.startswith("cloudflare:"):
            continue
        parameters = inspect.signature(getattr(official, name)._internal_init).parameters
        known = {_camel(parameter) for parameter in parameters}
        assert registration.inputs.keys() - {"value"} <= known, name
        assert registration.kind == getattr(official, name).pulumi_type


def access(policies: list[dict[str, Any]]) -> dict[str, str]:
    """Return which permission group each bucket is given."""
    return {
        next(iter(json.loads(policy["resources"]))).rsplit("_", 1)[-1]: policy["permissionGroups"][
            0
        ]["id"]
        for policy in policies
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
