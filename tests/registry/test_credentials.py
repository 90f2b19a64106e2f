"""Where credentials come from: each link of AWS's chain opens a real store, or says why not."""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from pointsman.errors import StoreMisconfigured
from pointsman.stores import credentials, open_store
from tests.servers import aws_identity
from tests.servers.aws_identity import ROLE, Identity
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedFS

JWT = "header.payload.signature"


@pytest.fixture
def url(s3_server: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store on SeaweedFS whose keys the environment does not hold."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return f"s3://{s3_server.bucket}/{uuid4().hex}?endpoint={s3_server.endpoint}"


@pytest.fixture
def identity() -> Identity:
    return Identity(ACCESS_KEY, SECRET_KEY, tokens=(JWT,))


@pytest.fixture
def metadata(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    with aws_identity.metadata_service(identity) as served:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", served.url)
        yield served


@pytest.fixture
def web_identity(
    identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Identity]:
    (tmp_path / "token").write_text(JWT)
    with aws_identity.sts(identity, tmp_path) as served:
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", served.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        yield served


def profile(monkeypatch: pytest.MonkeyPatch, directory: Path, config: str) -> None:
    (directory / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / "config"))


def works(url: str) -> None:
    store = open_store(url)
    store.create("a/doc.json", b"{}")
    stored = store.get("a/doc.json")
    assert stored is not None
    assert stored.data == b"{}"


def test_web_identity_assumes_the_role_as_on_fly(url: str, web_identity: Identity) -> None:
    works(url)
    assert len(web_identity.asked) >= 1


def test_a_web_identity_nobody_trusts_is_said_to_be_one_and_its_token_is_not_shown(
    url: str, web_identity: Identity
) -> None:
    web_identity.tokens = ()
    with pytest.raises(StoreMisconfigured, match="web identity token") as caught:
        open_store(url).get("a/doc.json")
    assert "identity provider" in caught.value.hint
    assert JWT not in f"{caught.value} {caught.value.__cause__}"


def test_a_role_that_does_not_trust_this_identity_is_named_as_the_cause(
    url: str, web_identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "another-role")
    with pytest.raises(StoreMisconfigured, match="assume its role") as caught:
        open_store(url).get("a/doc.json")
    assert "AWS_ROLE_ARN" in caught.value.hint


def test_a_machine_with_a_role_needs_no_keys(url: str, metadata: Identity) -> None:
    works(url)
    assert metadata.asked[0] == "PUT /latest/api/token"


def test_a_machine_without_a_role_is_told_to_get_one(url: str, metadata: Identity) -> None:
    metadata.has_role = False
    with pytest.raises(StoreMisconfigured, match="has no role") as caught:
        open_store(url).get("a/doc.json")
    assert "instance profile" in caught.value.hint


def test_where_there_is_no_metadata_service_one_question_settles_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    store = open_store(url)  # asks nobody yet

    with pytest.raises(StoreMisconfigured, match="no metadata service") as caught:
        store.get("a/doc.json")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_containers_credentials_are_used_with_its_token(
    url: str, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(JWT)
    with aws_identity.container(identity) as served:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{served.url}/creds")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        works(url)
    assert served.asked


def test_a_profile_gives_its_keys_region_and_endpoint(
    s3_server: SeaweedFS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(
        monkeypatch,
        tmp_path,
        f"[profile lab]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
        f"region = eu-north-1\nendpoint_url = {s3_server.endpoint}\n",
    )
    monkeypatch.setenv("AWS_PROFILE", "lab")

    works(f"s3://{s3_server.bucket}/{uuid4().hex}")

    found = credentials.find({"AWS_PROFILE": "lab", "AWS_CONFIG_FILE": str(tmp_path / "config")})
    assert (found.region, found.endpoint) == ("eu-north-1", s3_server.endpoint)


def test_a_profiles_process_is_asked_for_keys(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "keys.py"
    script.write_text(
        "import json\n"
        f"print(json.dumps({{'Version': 1, 'AccessKeyId': {ACCESS_KEY!r}, "
        f"'SecretAccessKey': {SECRET_KEY!r}}}))\n"
    )
    profile(
        monkeypatch,
        tmp_path,
        f"[default]\nregion = us-east-1\ncredential_process = {sys.executable} {script}\n",
    )
    works(url)


def test_a_profile_that_does_not_exist_is_named(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(monkeypatch, tmp_path, "[profile lab]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_PROFILE", "typo")
    with pytest.raises(StoreMisconfigured, match="typo") as caught:
        open_store(url)
    assert "list-profiles" in caught.value.hint


def test_an_sso_session_nobody_signed_in_to_asks_to_sign_in(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    profile(
        monkeypatch,
        tmp_path,
        "[profile lab]\nregion = eu-north-1\nsso_session = s\nsso_account_id = 1\n"
        "sso_role_name = r\n[sso-session s]\nsso_region = eu-north-1\n"
        "sso_start_url = https://example.invalid/start\n",
    )
    monkeypatch.setenv("AWS_PROFILE", "lab")
    with pytest.raises(StoreMisconfigured, match="lab") as caught:
        open_store(url).get("a/doc.json")
    assert "aws sso login --profile lab" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"AWS_ACCESS_KEY_ID": "k"}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SECRET_ACCESS_KEY": "s"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nothing"}, "AWS_ROLE_ARN"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nothing", "AWS_ROLE_ARN": "r"}, "no such file"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x"},
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        ({}, "no credentials"),
    ],
)
def test_half_of_some_credentials_names_the_other_half(given: dict[str, str], missing: str) -> None:
    nobodys = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    with pytest.raises(StoreMisconfigured, match=missing) as caught:
        credentials.find(nobodys | given)
    assert caught.value.hint


def test_keys_come_before_everything_else(tmp_path: Path) -> None:
    found = credentials.find(
        {
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_PROFILE": "lab",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path),
        }
    )
    assert found.source == "keys"


def test_credentials_never_show_in_what_is_printed() -> None:
    found = credentials.find({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "hidden"})
    assert "hidden" not in repr(found)
