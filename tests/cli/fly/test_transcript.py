"""Everything that flyctl is ever given: arguments and standard input, as a golden file."""

import os
from pathlib import Path

import pytest

from tests.cli.fly.bench import APP, RUNTIME_SECRET, TOKEN, Bench
from tests.cli.fly.conftest import Project

GOLDEN = Path(__file__).parent / "golden" / "flyctl.txt"
ODD = 'odd"#token'
"""What flyctl's import would cut, and so goes by a command of its own."""
FLY = ("-p", "fly")


def transcript(bench: Bench, project: Project, store: str) -> str:
    """Return every different command in the order of its first use."""
    told: dict[str, None] = {}
    for call in bench.calls:
        line = "$ fly " + " ".join(call["arguments"]) + "\n"
        stdin = "".join(f"  | {each}\n" for each in call["stdin"].splitlines())
        told[line + stdin] = None
    text = "".join(told).replace(str(project.folder), "PROJECT").replace(store, "STORE")
    return text.replace(os.environ["AWS_ENDPOINT_URL_S3"], "ENDPOINT")


def test_what_flyctl_is_given_is_known_and_no_secret_is_an_argument(
    project: Project, bench: Bench, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_RUNTIME_SESSION_TOKEN", ODD)
    image = ("--image", "digits:one", "--timeout", "0.1")
    project.run("deploy", *FLY, *image, code=9)
    project.rewrite('strategy = "bluegreen"', 'strategy = "rolling"')
    bench.turn(ill=["two"], log=["error: no room"])
    project.rewrite('wait_timeout = "20s"', 'wait_timeout = "1s"')
    broken = ("--image", "digits:two", "--timeout", "60", "--auto-rollback")
    project.run("deploy", *FLY, *broken, code=10)
    for index in range(2):
        bench.change(index, state="stopped")
    project.run("deploy", *FLY, *image, code=9)
    project.run("logs", *FLY)
    project.run("destroy", *FLY, "--yes")

    given = transcript(bench, project, s3_url)
    if os.environ.get("WRITE_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(given)
    assert given == GOLDEN.read_text()
    arguments = " ".join(word for call in bench.calls for word in call["arguments"])
    for secret in (RUNTIME_SECRET, "runtime-key", ODD, TOKEN):
        assert secret not in arguments
    assert APP in arguments
