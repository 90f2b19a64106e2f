"""What the service can be told, and what it answers to what it cannot be."""

from pathlib import Path

import pytest

from pointsman_service import settings
from pointsman_service.settings import Settings, SettingsInvalid

LEAST = {"POINTSMAN_STORE": "file:///models", "POINTSMAN_MODEL": "digits"}


def test_a_store_and_a_model_are_enough() -> None:
    configured = settings.from_environment(LEAST)
    assert (configured.store, configured.model) == ("file:///models", "digits")
    assert (configured.channel, configured.host, configured.port) == ("production", "0.0.0.0", 8000)


@pytest.mark.parametrize("name", sorted(LEAST))
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_needed_is_named_when_it_is_missing_or_empty(
    name: str, value: str | None
) -> None:
    environment = {key: text for key, text in LEAST.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsInvalid, match=f"{name} is not set"):
        settings.from_environment(environment)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "eighty", "a whole number"),
        ("PORT", "65536", "a whole number <= 65535"),
        ("PORT", "-1", "a whole number >= 0"),
        ("POINTSMAN_MODEL", "../digits", "Names are"),
        ("POINTSMAN_CHANNEL", "a/b", "Names are"),
        ("POINTSMAN_INSTANCE", "a b", "Names are"),
        ("POINTSMAN_POLL_SECONDS", "0", "a number > 0"),
        ("POINTSMAN_POLL_SECONDS", "nan", "a number > 0"),
        ("POINTSMAN_HEARTBEAT_SECONDS", "-1", "a number > 0"),
        ("POINTSMAN_HEARTBEAT_SECONDS", "inf", "a number <= 86400"),
        ("POINTSMAN_DRAIN_GRACE", "-1", "a number >= 0"),
        ("POINTSMAN_DRAIN_TIMEOUT", "nan", "a number >= 0"),
        ("POINTSMAN_MAX_BODY_BYTES", "0", "a whole number >= 1"),
        ("POINTSMAN_MAX_BODY_BYTES", "1.5", "a whole number"),
        ("POINTSMAN_THREADS", "-1", "a whole number >= 0"),
        ("POINTSMAN_LOG_FORMAT", "xml", "console, json"),
    ],
)
def test_a_value_that_cannot_be_names_its_variable_and_what_can(
    name: str, value: str, hint: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings.from_environment(LEAST | {name: value})
    assert refused.value.message == f"{name} cannot be {value!r}"
    assert hint in refused.value.hint


def test_values_are_read_as_what_they_are() -> None:
    configured = settings.from_environment(
        LEAST | {"PORT": " 0 ", "POINTSMAN_DRAIN_GRACE": "0", "POINTSMAN_POLL_SECONDS": "0.5"}
    )
    assert (configured.port, configured.drain_grace, configured.poll_seconds) == (0, 0.0, 0.5)


def test_every_field_has_a_variable_of_its_own() -> None:
    variables = [settings.variable(field) for field in Settings.__struct_fields__]
    assert len(set(variables)) == len(variables)
    assert settings.variable("port") == "PORT"
    assert settings.variable("drain_grace") == "POINTSMAN_DRAIN_GRACE"


def test_variables_that_mean_nothing_are_reported_with_their_likely_meaning() -> None:
    environment = LEAST | {
        "POINTSMAN_POLL_SECOND": "1",
        "POINTSMAN_PORT": "tcp://10.0.0.1:8000",
        "POINTSMAN_QQQ": "1",
        "PATH": "/bin",
    }
    strange = settings.unknown(environment)
    assert strange["POINTSMAN_POLL_SECOND"] == "POINTSMAN_POLL_SECONDS"
    assert strange["POINTSMAN_PORT"] == "PORT"
    assert strange["POINTSMAN_QQQ"] == ""
    assert strange.keys() == environment.keys() - LEAST.keys() - {"PATH"}


def test_the_cache_lies_where_caches_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    at_home = settings.from_environment(LEAST)
    elsewhere = settings.from_environment(LEAST | {"XDG_CACHE_HOME": "/caches"})
    named = settings.from_environment(LEAST | {"POINTSMAN_CACHE_DIR": "/mine"})
    assert at_home.cache == Path("/home/somebody/.cache/pointsman")
    assert elsewhere.cache == Path("/caches/pointsman")
    assert named.cache == Path("/mine")
