"""Settings: every mistake that can be found without asking anybody is one sentence with a fix."""

from typing import Any

import pytest

from pointsman_infra import settings
from pointsman_infra.errors import SettingsInvalid
from pointsman_infra.settings import Provider

AWS = {"provider": "aws", "bucket": "acme-models", "region": "eu-central-1"}
R2 = {"provider": "r2", "bucket": "acme", "account": "0123456789abcdef" * 2}
COMPATIBLE = {"provider": "compatible", "bucket": "acme", "endpoint": "https://s3.example.com"}
MODEL = {"model": "digits", "version": "v1", "path": "model.onnx"}


@pytest.mark.parametrize(
    ("values", "cause", "fix"),
    [
        ({"provider": "azure", "bucket": "b"}, "Invalid enum value 'azure'", "Known: provider"),
        (AWS | {"regoin": "x"}, "unknown field `regoin`", "region"),
        ({"provider": "aws", "region": "eu-central-1"}, "no bucket is named", "--bucket"),
        (AWS | {"bucket": "Acme"}, "'Acme' cannot be the name of a bucket", "lower-case"),
        (AWS | {"bucket": "a"}, "'a' cannot be the name", "3 to 63"),
        (AWS | {"bucket": "acme.models"}, "cannot be the name", "lower-case"),
        (AWS | {"bucket": "xn--acme"}, "cannot be the name", "lower-case"),
        (AWS | {"bucket": "a" * 64}, "cannot be the name", "3 to 63"),
        ({"provider": "aws", "bucket": "acme"}, "no region is named", "eu-central-1"),
        (AWS | {"region": "Frankfurt"}, "'Frankfurt' is not a region of AWS", "--region"),
        (AWS | {"fly_app": "digits"}, "needs both fly_organization and fly_app", "missing"),
        (
            AWS | {"fly_organization": "a", "fly_app": "b", "fly_identity_provider": "x"},
            "'x' is not the ARN",
            "aws iam",
        ),
        ({"provider": "r2", "bucket": "acme"}, "no Cloudflare account", "CLOUDFLARE_ACCOUNT_ID"),
        (R2 | {"account": "acme"}, "'acme' is not a Cloudflare account id", "dashboard"),
        (R2 | {"location": "WEUR"}, "'WEUR' is not a location of R2", "weur"),
        (R2 | {"jurisdiction": "de"}, "'de' is not a jurisdiction of R2", "fedramp"),
        (R2 | {"fleet_bucket": "acme"}, "heartbeats need a bucket of their own", "fleet_bucket"),
        (R2 | {"lock_days": 3}, "a lock needs both", "both"),
        ({"provider": "compatible", "bucket": "acme"}, "no endpoint is named", "--endpoint"),
        (COMPATIBLE | {"endpoint": "s3.example.com"}, "is not a URL", "https://"),
        (COMPATIBLE | {"endpoint": "https://u:p@host"}, "is not a URL", "https://"),
        (AWS | {"models": [MODEL, MODEL]}, "digits v1 is declared twice", "Remove"),
        (AWS | {"models": [MODEL | {"version": "../x"}]}, "cannot be the name", "letters"),
        (AWS | {"models": [{"model": "digits"}]}, "missing required field `version`", "models"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_fix(values: dict[str, Any], cause: str, fix: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        settings.read(values)
    assert cause in caught.value.message
    assert fix in caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("provider", "environment", "member", "value"),
    [
        ("aws", {"AWS_REGION": "eu-west-1"}, "region", "eu-west-1"),
        ("aws", {"AWS_DEFAULT_REGION": "us-east-1"}, "region", "us-east-1"),
        ("r2", {"CLOUDFLARE_ACCOUNT_ID": "abc"}, "account", "abc"),
        ("compatible", {"AWS_ENDPOINT_URL_S3": "http://h"}, "endpoint", "http://h"),
        ("r2", {}, "bucket", "pointsman-staging"),
    ],
)
def test_what_the_shell_says_need_not_be_said_again(
    provider: str, environment: dict[str, str], member: str, value: str
) -> None:
    found = settings.completed({"provider": provider}, environment, "staging")
    assert found[member] == value


def test_what_is_said_beats_what_the_shell_says() -> None:
    found = settings.completed(AWS, {"AWS_REGION": "us-east-1"}, "production")
    assert found["region"] == "eu-central-1"


def test_a_bucket_of_aws_has_to_be_named_because_names_are_global() -> None:
    assert "bucket" not in settings.completed({"provider": "aws"}, {}, "production")


def test_only_r2_keeps_heartbeats_in_another_bucket() -> None:
    assert settings.read(R2).fleet == "acme-fleet"
    assert settings.read(AWS).fleet == ""
    assert settings.read(COMPATIBLE).provider is Provider.COMPATIBLE
