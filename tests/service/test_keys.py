"""API keys: how they are given, kept and compared."""

import hashlib

import pytest

from pointsman.errors import InvalidName
from pointsman_service import settings
from pointsman_service.errors import KeyRefused
from pointsman_service.keys import Keys, hashed, presented
from pointsman_service.settings import SettingsInvalid
from tests.service.in_process import Surroundings, serving

KEY = "sesame-open-yourself"
OTHER = "another-key-altogether"
ROW = [[1, 2, 3, 4]]


def test_keys_are_kept_as_digests_and_may_be_given_as_such() -> None:
    digest = "sha256:" + hashlib.sha256(KEY.encode()).hexdigest()
    assert hashed(KEY) == hashed(digest) == digest
    assert hashed(f"{KEY}, {OTHER}").split() == [digest, hashed(OTHER)]


def test_what_is_no_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidName) as refused:
        hashed("too-short")
    assert "too-short" not in str(refused.value) + refused.value.hint
    environment = {"POINTSMAN_STORE": "s", "POINTSMAN_MODEL": "m", "POINTSMAN_API_KEYS": "shorty"}
    with pytest.raises(SettingsInvalid) as invalid:
        settings.from_environment(environment)
    assert "shorty" not in str(invalid.value) + invalid.value.hint
    assert "POINTSMAN_API_KEYS" in str(invalid.value)


def test_settings_never_hold_a_key() -> None:
    environment = {"POINTSMAN_STORE": "s", "POINTSMAN_MODEL": "m", "POINTSMAN_API_KEYS": KEY}
    assert KEY not in repr(settings.from_environment(environment))


@pytest.mark.parametrize("text", [" ", ",", " , "])
def test_white_space_is_not_taken_for_no_keys(text: str) -> None:
    environment = {"POINTSMAN_STORE": "s", "POINTSMAN_MODEL": "m", "POINTSMAN_API_KEYS": text}
    with pytest.raises(SettingsInvalid, match="POINTSMAN_API_KEYS"):
        settings.from_environment(environment)


def test_only_the_keys_themselves_are_accepted() -> None:
    keys = Keys(hashed(f"{KEY} {OTHER}"))
    assert keys.accepts(KEY.encode())
    assert keys.accepts(OTHER.encode())
    for wrong in (b"", KEY[:-1].encode(), hashed(KEY).encode(), KEY.upper().encode()):
        assert not keys.accepts(wrong)
    assert not Keys("")
    assert not Keys("").accepts(b"")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({b"x-api-key": b"k"}, b"k"),
        ({b"authorization": b"Bearer k"}, b"k"),
        ({b"authorization": b"bearer  k "}, b"k"),
        ({b"authorization": b"Basic k"}, b""),
        ({b"x-api-key": b"k", b"authorization": b"Bearer other"}, b"k"),
        ({}, b""),
    ],
)
def test_a_key_comes_in_either_header(headers: dict[bytes, bytes], key: bytes) -> None:
    assert presented(headers) == key


def test_a_refusal_says_whether_there_was_a_key() -> None:
    keys = Keys(hashed(KEY))
    keys.require({b"x-api-key": KEY.encode()})
    with pytest.raises(KeyRefused, match="needs an API key"):
        keys.require({})
    with pytest.raises(KeyRefused, match="not accepted"):
        keys.require({b"x-api-key": b"wrong"})


@pytest.mark.anyio
async def test_predictions_need_a_key_and_nothing_else_does(surroundings: Surroundings) -> None:
    surroundings.shelf.activate(surroundings.shelf.affine("v1", 2.0))
    async with serving(surroundings, POINTSMAN_API_KEYS=f"{KEY},{OTHER}") as service:
        await service.until_serving("v1")
        for path in ("/predict", "/v2/models/m/infer"):
            refused = await service.client.post(path, content=b"{}")
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert refused.json()["error"]
        for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {OTHER}"}):
            assert (await service.predict(ROW, headers=headers)).status_code == 200
        assert (await service.health())[0] == 200
        assert (await service.client.get("/v2")).status_code == 200
