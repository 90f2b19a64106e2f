"""What an engine is told to start a container of the service, and what is no part of it."""

import os
from pathlib import Path

import pytest

from pointsman_cli.platforms.addresses import is_loopback
from pointsman_cli.platforms.containers.arguments import Run, volume

GOLDEN = Path(__file__).parent / "golden" / "run.txt"
SECRET = "hunter2"  # noqa: S105 — nobody's
VARIABLES = {
    "POINTSMAN_STORE": "s3://models",
    "POINTSMAN_MODEL": "digits",
    "AWS_SECRET_ACCESS_KEY": SECRET,
}


def run(network: str = "", store: str = "s3://models", host: str = "127.0.0.1") -> Run:
    in_folder = store.startswith("file:")
    return Run(
        name="pointsman-digits-production-abcdef",
        image="pointsman-service:0123456789ab",
        host=host,
        port=8001,
        network=network,
        variables=VARIABLES | {"POINTSMAN_STORE": store},
        owner="1000:1000" if in_folder else "",
        cache=Path("/project/.pointsman/cache") if in_folder else None,
        restarts=not in_folder,
    )


def test_the_arguments_are_those_that_were_agreed_on() -> None:
    """WRITE_GOLDEN=write makes the file anew."""
    runs = [
        run(),
        run("host"),
        run("models"),
        run(store="file:///project/my%20models"),
        run(host="::1"),
    ]
    text = "".join(f"docker run --detach {' '.join(each.arguments)}\n" for each in runs)
    assert SECRET not in text
    if os.environ.get("WRITE_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_variable_is_named_in_the_arguments_and_has_its_value_beside_them() -> None:
    wanted = run()
    named = [
        word
        for option, word in zip(wanted.arguments, wanted.arguments[1:], strict=False)
        if option == "--env"
    ]
    assert sorted(named) == sorted(wanted.environment)
    assert wanted.environment["AWS_SECRET_ACCESS_KEY"] == SECRET


def test_it_listens_where_it_is_reached() -> None:
    assert run().environment["PORT"] == "8000"
    assert "POINTSMAN_HOST" not in run().environment
    shared = run("host").environment
    assert (shared["PORT"], shared["POINTSMAN_HOST"]) == ("8001", "127.0.0.1")


def test_a_trial_shares_the_cache_of_what_runs() -> None:
    assert volume("pointsman-a-b-c-trial") == volume("pointsman-a-b-c")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000", True),
        ("http://[::1]:9000", True),
        ("https://s3.example.com", False),
        ("", False),
    ],
)
def test_an_address_of_this_machine_is_recognised(url: str, *, here: bool) -> None:
    assert is_loopback(url) is here
