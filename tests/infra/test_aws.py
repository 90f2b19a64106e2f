"""The AWS provider against Pulumi's mocks: private, encrypted, versioned, guarded, narrow."""

import json
from typing import Any

import pulumi
import pytest

from pointsman_infra import providers, settings
from pointsman_infra.provisioned import Provisioned
from pointsman_infra.settings import Settings
from tests.infra.recording import Registration, recorded

AWS = {"provider": "aws", "bucket": "acme-models", "region": "eu-central-1"}
FLY = {"fly_organization": "acme", "fly_app": "digits"}


@pytest.fixture(params=["up", "preview"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def provisioned(wanted: Settings, *, mode: str = "up") -> dict[str, Registration]:
    return recorded(lambda: providers.provision(wanted), mode=mode)


def aws(**members: Any) -> Settings:
    return settings.read(AWS | members)


def test_the_bucket_is_closed_to_the_public(mode: str) -> None:
    made = provisioned(aws(), mode=mode)
    block = made["models-private"].inputs
    assert all(
        block[name]
        for name in (
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        )
    )
    assert made["models-owned"].inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_the_bucket_is_encrypted_and_keeps_old_versions(mode: str) -> None:
    made = provisioned(aws(), mode=mode)
    (rule,) = made["models-encrypted"].inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    versioning = made["models-versioned"].inputs["versioningConfiguration"]
    assert versioning == {"status": "Enabled"}


def test_dangling_uploads_and_old_versions_are_tidied_away(mode: str) -> None:
    rules = provisioned(aws(), mode=mode)["models-lifecycle"].inputs["rules"]
    aborted, noncurrent = rules
    assert aborted["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 3}
    assert noncurrent["noncurrentVersionExpiration"] == {"noncurrentDays": 90}


def test_the_bucket_is_protected_and_retained(mode: str) -> None:
    options = provisioned(aws(), mode=mode)["models"].options
    assert options.protect
    assert options.retainOnDelete


def test_only_a_stack_that_is_destroyed_lifts_the_protection() -> None:
    bucket = provisioned(aws(destroying=True))["models"]
    assert not bucket.options.protect
    assert not bucket.options.retainOnDelete
    assert bucket.inputs["forceDestroy"] is True


def test_nobody_may_speak_without_tls_or_replace_a_manifest(mode: str) -> None:
    policy = json.loads(provisioned(aws(), mode=mode)["models-policy"].inputs["policy"])
    tls, once = policy["Statement"]
    assert tls["Effect"] == once["Effect"] == "Deny"
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert once["Resource"] == "arn:aws:s3:::acme-models/models/*/versions/*"


def test_the_runtime_can_neither_write_models_nor_reach_another_bucket(mode: str) -> None:
    policy = json.loads(provisioned(aws(), mode=mode)["runtime-policy"].inputs["policy"])
    allowed = {
        (action, statement["Resource"])
        for statement in policy["Statement"]
        for action in statement["Action"]
    }
    bucket = "arn:aws:s3:::acme-models"
    assert allowed == {
        ("s3:GetObject", f"{bucket}/models/*"),
        ("s3:PutObject", f"{bucket}/fleet/*"),
        ("s3:GetObject", f"{bucket}/fleet/*"),
        ("s3:DeleteObject", f"{bucket}/fleet/*"),
        ("s3:ListBucket", bucket),
    }


def test_the_publisher_can_delete_nothing(mode: str) -> None:
    policy = provisioned(aws(), mode=mode)["publisher-policy"].inputs["policy"]
    assert "Delete" not in policy
    assert '"s3:*"' not in policy


def test_each_principal_has_a_key_and_its_secret_is_one(mode: str) -> None:
    hidden: list[bool] = []

    def program() -> Any:
        handed = providers.provision(aws())
        assert handed.runtime is not None
        for key in (handed.publisher, handed.runtime):
            secret: Any = key.output().is_secret()
            pulumi.Output.from_input(secret).apply(hidden.append)
        return handed.publisher.output()

    made = recorded(program, mode=mode)
    assert {"publisher-key-1", "runtime-key-1"} <= made.keys()
    assert hidden == [True, True]


def test_a_rotation_declares_the_new_key_beside_the_old_one(mode: str) -> None:
    made = provisioned(aws(keys={"publisher": [1], "runtime": [1, 2]}), mode=mode)
    assert {"runtime-key-1", "runtime-key-2", "publisher-key-1"} <= made.keys()
    assert "publisher-key-2" not in made


def test_with_fly_the_runtime_is_a_role_without_any_key(mode: str) -> None:
    made = provisioned(aws(**FLY), mode=mode)
    assert "runtime-key-1" not in made
    assert made["fly"].inputs["url"] == "https://oidc.fly.io/acme"
    assert made["runtime"].kind == "aws:iam/role:Role"


def test_only_machines_of_the_app_can_take_on_the_role() -> None:
    arn = "arn:aws:iam::123456789012:oidc-provider/oidc.fly.io/acme"
    made = provisioned(aws(**FLY, fly_identity_provider=arn))
    assert "fly" not in made, "an account holds one provider per issuer: the given one is used"
    (statement,) = json.loads(made["runtime"].inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Federated": arn}
    assert statement["Condition"]["StringLike"] == {"oidc.fly.io/acme:sub": "acme:digits:*"}
    assert statement["Condition"]["StringEquals"] == {"oidc.fly.io/acme:aud": "sts.amazonaws.com"}


def test_every_resource_is_tagged_and_in_the_region(mode: str) -> None:
    provider = provisioned(aws(), mode=mode)["aws"].inputs
    assert provider["region"] == "eu-central-1"
    assert "pointsman" in str(provider["defaultTags"])


def test_what_is_handed_over_names_the_bucket_and_region() -> None:
    handed: list[Provisioned] = []
    recorded(lambda: handed.append(providers.provision(aws())))
    assert handed[0].store == "s3://acme-models"
    assert handed[0].region == "eu-central-1"
