"""What a deployed service is told: the runtime's credentials, and never the operator's."""

from pathlib import Path

import pytest

from pointsman.findings import Finding, Severity
from pointsman_cli.configuration import load
from pointsman_cli.context import Context
from pointsman_cli.output import Output
from pointsman_cli.platforms import variables

OWN = {
    "AWS_ACCESS_KEY_ID": "own-id",
    "AWS_SECRET_ACCESS_KEY": "own-secret",
    "AWS_SESSION_TOKEN": "own-token",
    "AWS_PROFILE": "own",
    "POINTSMAN_SIGNING_KEY": "key.pem",
    "AWS_REGION": "eu-central-1",
}
RUNTIME = {
    "POINTSMAN_RUNTIME_ACCESS_KEY_ID": "runtime-id",
    "POINTSMAN_RUNTIME_SECRET_ACCESS_KEY": "runtime-secret",
}


def context(folder: Path, store: str = "s3://models/prefix", more: str = "") -> Context:
    (folder / "pointsman.toml").write_text(f'model = "digits"\nstore = "{store}"\n{more}')
    here = Context(Output(), {})
    here.configured = load({}, {}, folder)
    return here


def severities(found: list[Finding]) -> list[Severity]:
    return [each.severity for each in found]


def test_a_service_gets_the_runtime_s_keys_and_nothing_of_the_operator_s(tmp_path: Path) -> None:
    told = variables.of_service(context(tmp_path), "fly", OWN | RUNTIME)
    assert told.plain == {
        "POINTSMAN_STORE": "s3://models/prefix",
        "POINTSMAN_MODEL": "digits",
        "POINTSMAN_CHANNEL": "production",
        "POINTSMAN_PLATFORM": "fly",
        "AWS_REGION": "eu-central-1",
    }
    assert told.secret == {
        "AWS_ACCESS_KEY_ID": "runtime-id",
        "AWS_SECRET_ACCESS_KEY": "runtime-secret",
    }
    assert "own" not in str(told.all())


def test_printing_the_variables_gives_no_secret_away(tmp_path: Path) -> None:
    assert "runtime-secret" not in repr(variables.of_service(context(tmp_path), "fly", RUNTIME))


def test_without_keys_of_its_own_a_service_is_not_deployed(tmp_path: Path) -> None:
    here = context(tmp_path)
    [found] = variables.check(here, variables.of_service(here, "fly", OWN))
    assert found.severity is Severity.ERROR
    assert "POINTSMAN_RUNTIME_ACCESS_KEY_ID" in found.remediation


@pytest.mark.parametrize(
    "present", [{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, {"AWS_ROLE_ARN"}]
)
def test_what_the_platform_has_already_need_not_be_given(tmp_path: Path, present: set[str]) -> None:
    here = context(tmp_path)
    told = variables.of_service(here, "fly", OWN)
    assert severities(variables.check(here, told, present)) == [Severity.OK]


def test_a_folder_of_this_machine_is_no_store_for_a_service_elsewhere(tmp_path: Path) -> None:
    here = context(tmp_path, store=(tmp_path / "models").as_uri())
    [found] = variables.check(here, variables.of_service(here, "fly", OWN | RUNTIME))
    assert found.severity is Severity.ERROR
    assert "no service elsewhere sees it" in found.message


def test_an_address_for_the_service_beats_the_operator_s(tmp_path: Path) -> None:
    given = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "POINTSMAN_RUNTIME_ENDPOINT_URL": "http://store.internal:9000",
    }
    told = variables.of_service(context(tmp_path), "kubernetes", given)
    assert told.plain["AWS_ENDPOINT_URL_S3"] == "http://store.internal:9000"


@pytest.mark.parametrize(
    ("store", "given"),
    [
        ("s3://models", {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000"}),
        ("s3://models?endpoint=http://localhost:9000", {}),
    ],
)
def test_an_address_of_this_machine_is_warned_of(
    tmp_path: Path, store: str, given: dict[str, str]
) -> None:
    here = context(tmp_path, store=store)
    found = variables.check(here, variables.of_service(here, "fly", RUNTIME | given))
    assert severities(found) == [Severity.WARNING, Severity.OK]
    assert "leads to this machine" in found[0].message
    assert "POINTSMAN_RUNTIME_ENDPOINT_URL" in found[0].remediation


def test_an_r2_store_needs_no_address(tmp_path: Path) -> None:
    here = context(tmp_path, store=f"r2://{'0' * 32}/models")
    told = variables.of_service(here, "fly", OWN | RUNTIME)
    assert "AWS_REGION" not in told.plain
