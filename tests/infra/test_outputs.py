"""The contract between provisioning and everything that uses what was provisioned."""

from typing import Any

import pytest

import pointsman
from pointsman_infra.outputs import OutputsInvalid, Role, read

OUTPUTS: dict[str, Any] = {
    "store": "s3://models/prod",
    "endpoint": "http://127.0.0.1:9",
    "region": "eu-central-1",
    "publisher": {"access_key_id": "PUB", "secret_access_key": "publisher-secret"},
    "runtime": {"access_key_id": "RUN", "secret_access_key": "runtime-secret"},
}


def test_each_role_gets_its_own_key() -> None:
    outputs = read(OUTPUTS)
    assert outputs.environment(Role.PUBLISHER)["AWS_ACCESS_KEY_ID"] == "PUB"
    assert outputs.environment(Role.RUNTIME)["AWS_ACCESS_KEY_ID"] == "RUN"
    assert "publisher-secret" not in str(outputs.environment(Role.RUNTIME))


def test_what_is_empty_does_not_become_a_variable() -> None:
    assert "POINTSMAN_FLEET" not in read(OUTPUTS).environment(Role.RUNTIME)


def test_no_secret_shows_when_the_contract_is_printed() -> None:
    shown = repr(read(OUTPUTS))
    assert "models/prod" in shown
    assert "secret" not in shown.replace("secret_access_key", "")
    assert "PUB" not in shown


def test_an_incomplete_stack_is_refused_without_quoting_a_secret() -> None:
    broken = OUTPUTS | {"runtime": {"access_key_id": "RUN", "secret_access_key": 17}}
    with pytest.raises(OutputsInvalid, match=r"runtime\.secret_access_key") as caught:
        read(broken)
    assert "17" not in caught.value.message


def test_the_variables_open_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in read(OUTPUTS).environment(Role.RUNTIME).items():
        monkeypatch.setenv(name, value)
    assert pointsman.open("s3://models/prod").store.url == "s3://models/prod"
