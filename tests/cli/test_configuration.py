"""Where the command gets its settings from, and how it refuses wrong ones."""

from pathlib import Path

import pytest

from pointsman_cli.configuration import Project, load
from pointsman_cli.errors import UsageError


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pointsman.toml").write_text(text)
    return folder


def configured(
    folder: Path, environment: dict[str, str] | None = None, flags: dict[str, str] | None = None
) -> Project:
    return load({**(flags or {})}, environment or {}, folder)


def test_without_anything_said_the_store_is_beside_the_work(tmp_path: Path) -> None:
    project = configured(tmp_path)
    assert project.configuration.store == (tmp_path / ".pointsman" / "store").as_uri()
    assert project.configuration.channel == "production"
    assert project.directory == tmp_path


def test_an_option_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'model = "file"\nchannel = "file"\nfleet = "s3://file"')
    environment = {"POINTSMAN_MODEL": "environment", "POINTSMAN_CHANNEL": "environment"}
    configuration = configured(tmp_path, environment, {"model": "option"}).configuration
    assert (configuration.model, configuration.channel, configuration.fleet) == (
        "option",
        "environment",
        "s3://file",
    )


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'model = "file"')
    assert configured(tmp_path, {"POINTSMAN_MODEL": ""}).configuration.model == "file"


@pytest.mark.parametrize("name", ["store", "model", "channel"])
def test_an_empty_option_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"--{name} is empty"):
        configured(tmp_path, flags={name: ""})


def test_the_file_is_found_from_folders_below_it(tmp_path: Path) -> None:
    write(tmp_path, 'model = "above"')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    project = configured(below)
    assert (project.configuration.model, project.directory) == ("above", tmp_path)


def test_the_nearest_file_counts_alone(tmp_path: Path) -> None:
    write(tmp_path, 'model = "above"\nchannel = "above"')
    project = configured(write(tmp_path / "a", 'model = "near"'))
    assert (project.configuration.model, project.configuration.channel) == ("near", "production")


def test_a_store_in_the_file_is_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'store = "models"\nfleet = "../fleet"')
    below = tmp_path / "below"
    below.mkdir()
    configuration = configured(below).configuration
    assert configuration.store == (tmp_path / "models").as_uri()
    assert configuration.fleet.startswith("file:///")


def test_a_store_on_the_command_line_is_relative_to_where_it_is_typed(tmp_path: Path) -> None:
    write(tmp_path, "")
    below = tmp_path / "below"
    below.mkdir()
    assert (
        configured(below, flags={"store": "models"}).configuration.store
        == (below / "models").as_uri()
    )
    in_environment = configured(below, {"POINTSMAN_STORE": "models"})
    assert in_environment.configuration.store == (below / "models").as_uri()


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(tmp_path, 'store = "~/models"')
    assert configured(tmp_path).configuration.store == (tmp_path / "home" / "models").as_uri()


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "file:///models", "s3:mistyped"])
def test_a_url_is_left_as_it_is(tmp_path: Path, url: str) -> None:
    assert configured(tmp_path, flags={"store": url}).configuration.store == url


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ('modle = "x"', "there is no key modle", "Is it model?"),
        ("[local]\nprot = 3", "there is no key local.prot", "Is it local.port?"),
        ("[model]\nname = 1", "there is no key model.name", "model"),
        ("[zebra]\nx = 1", "there is no key zebra.x", "Known keys: store, model, channel"),
        ("model = 3", "model: expected `str`, got `int`", ""),
        ("local = 3", "local: expected `object`, got `int`", ""),
        ("[local]\nport = 70000", "local.port: expected `int` <= 65535", ""),
        ("model = ", "is not TOML: Invalid value", ""),
        ('model = "a"\nmodel = "b"', "is not TOML", ""),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_at_fault(
    tmp_path: Path, text: str, says: str, advises: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        configured(tmp_path)
    assert str(tmp_path / "pointsman.toml") in caught.value.message
    assert says in caught.value.message
    assert advises in caught.value.hint


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pointsman.toml").write_bytes(b'model = "\xff"')
    with pytest.raises(UsageError, match="is not TOML"):
        configured(tmp_path)


def test_an_empty_table_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, "[local]")
    assert configured(tmp_path).configuration.local.port == 8000


STAGED = """
model = "digits"
platform = "fly"
[local]
port = 9000
[env.staging]
channel = "staging"
[env.staging.local]
port = 9001
"""


def test_an_environment_says_only_what_is_different(tmp_path: Path) -> None:
    write(tmp_path, STAGED)
    plain, staged = configured(tmp_path), configured(tmp_path, flags={"env": "staging"})
    assert (plain.environment, staged.environment) == ("", "staging")
    assert (plain.configuration.channel, plain.configuration.local.port) == ("production", 9000)
    assert (staged.configuration.channel, staged.configuration.local.port) == ("staging", 9001)
    assert staged.configuration.platform == "fly"
    assert staged.configuration.local.host == "127.0.0.1"
    assert configured(tmp_path, {"POINTSMAN_ENV": "staging"}) == staged


def test_an_environment_that_nobody_described_is_refused(tmp_path: Path) -> None:
    write(tmp_path, STAGED)
    with pytest.raises(UsageError, match="there is no environment 'stagging'") as caught:
        configured(tmp_path, flags={"env": "stagging"})
    assert caught.value.hint == "There is: staging."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[env.staging.local]\nprot = 1", "there is no key env.staging.local.prot"),
        ("[env.staging]\nmodle = 1", "there is no key env.staging.modle"),
        ("[env]\nstaging = 1", "env.staging is no table"),
        ("env = 1", "env is no table"),
    ],
)
def test_a_mistake_in_an_environment_is_found_even_where_it_is_not_in_force(
    tmp_path: Path, text: str, says: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        configured(tmp_path)
    assert says in caught.value.message


def test_an_environment_s_relative_store_is_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, '[env.staging]\nstore = "staged"')
    configuration = configured(tmp_path, flags={"env": "staging"}).configuration
    assert configuration.store == (tmp_path / "staged").as_uri()


def test_a_platform_s_own_file_may_have_a_variant_for_an_environment(tmp_path: Path) -> None:
    write(tmp_path, STAGED)
    staged = configured(tmp_path, flags={"env": "staging"})
    assert staged.native("fly.toml") == tmp_path / "fly.toml"
    (tmp_path / "fly.staging.toml").touch()
    assert staged.native("fly.toml") == tmp_path / "fly.staging.toml"
    assert configured(tmp_path).native("fly.toml") == tmp_path / "fly.toml"


def test_names_of_variables_are_free(tmp_path: Path) -> None:
    write(tmp_path, '[railway.variables]\nPOINTSMAN_POLL_SECONDS = "5"')
    assert configured(tmp_path).configuration.railway.variables == {"POINTSMAN_POLL_SECONDS": "5"}
