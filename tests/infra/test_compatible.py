"""The providers of other people's servers, against Pulumi's mocks."""

import json
from typing import Any

import pulumi
import pytest

from pointsman_infra import providers, settings
from pointsman_infra.errors import SettingsInvalid
from pointsman_infra.provisioned import Provisioned
from tests.infra.recording import recorded

ENDPOINT = "https://s3.example.com"
COMPATIBLE = {"provider": "compatible", "bucket": "acme", "endpoint": ENDPOINT}
WITH_PRINCIPALS = COMPATIBLE | {"iam_endpoint": ENDPOINT, "keys": {"runtime": [1, 2]}}
EXISTING = {"provider": "existing", "bucket": "theirs", "prefix": "/ml/", "endpoint": ENDPOINT}


@pytest.fixture(params=["up", "preview"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def given_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("PUBLISHER", "RUNTIME"):
        monkeypatch.setenv(f"POINTSMAN_{role}_ACCESS_KEY_ID", f"{role}-id")
        monkeypatch.setenv(f"POINTSMAN_{role}_SECRET_ACCESS_KEY", f"{role}-hush")


def test_the_bucket_is_protected_retained_and_not_emptied(mode: str, given_keys: None) -> None:
    made = recorded(lambda: providers.provision(settings.read(COMPATIBLE)), mode=mode)
    bucket = made["models"]
    assert bucket.options.protect
    assert bucket.options.retainOnDelete
    assert bucket.inputs["force"] is False


def test_principals_are_made_where_the_server_knows_them(mode: str) -> None:
    made = recorded(lambda: providers.provision(settings.read(WITH_PRINCIPALS)), mode=mode)
    assert {"publisher-key-1", "runtime-key-1", "runtime-key-2"} <= made.keys()
    policy = json.loads(made["runtime"].inputs["policy"])
    writes = [
        statement["Resource"]
        for statement in policy["Statement"]
        if "s3:PutObject" in statement["Action"]
    ]
    assert writes == ["arn:aws:s3:::acme/fleet/*"]
    secret = made["runtime-key-2"].options.additionalSecretOutputs
    assert list(secret) == ["secret_access_key"]


def test_given_keys_make_nothing_and_stay_secret(mode: str, given_keys: None) -> None:
    handed: list[Provisioned] = []
    hidden: list[bool] = []

    def program() -> Any:
        provisioned = providers.provision(settings.read(EXISTING))
        handed.append(provisioned)
        secret: Any = provisioned.publisher.secret_access_key.is_secret()
        return pulumi.Output.from_input(secret).apply(hidden.append)

    assert recorded(program, mode=mode).keys() <= {"pointsman-production"}
    assert hidden == [True]
    assert handed[0].store == "s3://theirs/ml"
    assert handed[0].endpoint == ENDPOINT


@pytest.mark.parametrize("values", [EXISTING, COMPATIBLE])
def test_a_key_that_was_not_given_is_named(
    values: dict[str, Any], given_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY")
    with pytest.raises(SettingsInvalid, match="POINTSMAN_RUNTIME_SECRET_ACCESS_KEY is not set"):
        recorded(lambda: providers.provision(settings.read(values)))
