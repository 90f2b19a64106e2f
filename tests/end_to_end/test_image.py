"""The image as it really is: built, pushed, run read-only as nobody, switched and stopped.

A real engine, a real registry and a real S3 server. One worker sets them up once: see
`tests/scheduling.py`.
"""

import json
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import models
from tests.cli.workspace import MODEL, Result, Workspace, until
from tests.end_to_end.clients import Clients
from tests.servers.container_engine import ContainerEngine
from tests.servers.image_registry import ImageRegistry

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/python:3.13-slim"
ADDED_BYTES = 160_000_000
PUSHED_BYTES = 2_000_000
SECRET = "hunter2-hunter2"  # noqa: S105 — nobody's
_BUILD_SECONDS = 900.0
FACTORS = {"v1": 2.0, "v2": 3.0}


@dataclass(frozen=True, slots=True)
class Deployed:
    """A service that was deployed, for `Clients`."""

    url: str

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something."""
        until(condition, what)


@pytest.fixture(scope="session")
def image(
    container_engine_once: ContainerEngine,
    image_registry_once: ImageRegistry,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """The image, built and pushed once by the command, in a folder full of secrets."""
    folder = Workspace(tmp_path_factory.mktemp("project"))
    configure(folder, f'repository = "{image_registry_once.address}/digits"')
    for name in (".env", ".env.production", "key.pem"):
        (folder.folder / name).write_text(SECRET)
    variables = container_engine_once.environment | {
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "POINTSMAN_RUNTIME_SECRET_ACCESS_KEY": SECRET,
    }
    built = folder.typed("build", "--push", "--json", variables=variables, seconds=_BUILD_SECONDS)
    made: dict[str, Any] = built.document
    return made


@pytest.fixture
def operator(
    engine: ContainerEngine,
    image: dict[str, Any],
    s3_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workspace]:
    """Somebody with a bucket that holds v1 and v2, of which v1 is active."""
    monkeypatch.setenv("POINTSMAN_POLL_SECONDS", "0.1")
    monkeypatch.setenv("POINTSMAN_HEARTBEAT_SECONDS", "1")
    operator = Workspace(tmp_path / "operator")
    configure(operator, store=s3_url)
    for version, factor in FACTORS.items():
        model = models.affine(tmp_path / f"{version}.onnx", factor)
        golden = models.affine_golden(tmp_path / f"{version}.npz", factor)
        operator.run("upload-model", version, model, "--golden", golden)
    operator.run("activate", "v1", "--no-wait")
    yield operator
    operator.run("destroy", "--platform", "local")


def configure(workspace: Workspace, image: str = "", store: str = "") -> None:
    """Let builds and containers use this machine's own network."""
    named = f'store = "{store}"\n' if store else ""
    workspace.file.write_text(
        f'model = "{MODEL}"\n{named}[image]\nnetwork = "host"\n{image}\n'
        '[local]\nnetwork = "host"\nport = 0\n'
    )


def container(engine: ContainerEngine) -> dict[str, Any]:
    """Return what the engine knows of the one container that runs."""
    [name] = engine.run("ps", "--quiet").split()
    found: dict[str, Any] = json.loads(engine.run("container", "inspect", name))[0]
    return found


def in_image(engine: ContainerEngine, image: dict[str, Any], script: str) -> str:
    return engine.run(
        "run", "--rm", "--entrypoint", "sh", "--network", "none", image["image"], "-c", script
    )


def test_it_adds_little_to_its_base(engine: ContainerEngine, image: dict[str, Any]) -> None:
    [base] = json.loads(engine.run("image", "inspect", BASE))
    assert image["bytes"] - base["Size"] < ADDED_BYTES


def test_it_holds_no_build_tools_and_runs_as_nobody(
    engine: ContainerEngine, image: dict[str, Any]
) -> None:
    assert in_image(engine, image, "id -u; id -g").split() == ["10001", "10001"]
    tools = "for each in pip pip3 gcc cc make strip ld uv; do command -v $each || true; done"
    assert in_image(engine, image, tools) == ""
    assert in_image(engine, image, "python -m pip 2>&1 || true").endswith("No module named pip")
    strange = "find / -xdev -name '*.onnx' -o -name '.env*' -o -name key.pem 2>/dev/null || true"
    assert in_image(engine, image, strange) == ""


def test_it_says_what_it_is_made_of(engine: ContainerEngine, image: dict[str, Any]) -> None:
    [facts] = json.loads(engine.run("image", "inspect", image["image"]))
    labels = facts["Config"]["Labels"]
    assert image["image"] == f"pointsman-service:{labels['pointsman.content'][:12]}"
    version = in_image(engine, image, "python -c 'import onnxruntime as o; print(o.__version__)'")
    assert labels["pointsman.onnxruntime"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert "/health" in str(facts["Config"]["Healthcheck"]["Test"])
    assert facts["Config"]["StopSignal"] == "SIGTERM"


def test_no_layer_holds_a_secret(engine: ContainerEngine, image: dict[str, Any]) -> None:
    with engine.stream("save", image["image"]) as saving:
        assert saving.stdout
        assert not contains(saving.stdout.read, SECRET.encode())
    assert saving.returncode == 0
    assert SECRET not in engine.run("history", "--no-trunc", image["image"])


def contains(read: Callable[[int], bytes], needle: bytes) -> bool:
    """Tell whether a stream contains some bytes."""
    tail = b""
    while chunk := read(1 << 20):
        if needle in tail + chunk:
            return True
        tail = chunk[-len(needle) :]
    return False


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder into which the command was installed from its packages: there is no checkout."""
    site = tmp_path / "site"
    for member in ("registry", "service", "infra", "cli"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
        subprocess.run(build, cwd=ROOT / member, check=True, capture_output=True)
    for wheel in tmp_path.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    return site


def test_who_installed_packages_builds_the_same_and_a_change_of_code_moves_little(
    engine: ContainerEngine,
    image: dict[str, Any],
    image_registry_once: ImageRegistry,
    installed: Path,
    tmp_path: Path,
) -> None:
    folder = Workspace(tmp_path / "elsewhere")
    configure(folder, f'repository = "{image_registry_once.address}/digits"')
    variables = engine.environment | {"PYTHONPATH": str(installed)}

    same = folder.typed("build", "--json", variables=variables).document
    assert (same["image"], same["built"]) == (image["image"], False)

    before = image_registry_once.blobs()
    with (installed / "pointsman_service" / "service.py").open("a") as file:
        file.write("\n# changed\n")
    again = folder.typed("build", "--push", "--json", variables=variables, seconds=_BUILD_SECONDS)
    changed = again.document
    assert changed["built"]
    assert changed["image"] != image["image"]
    added = {k: v for k, v in image_registry_once.blobs().items() if k not in before}
    assert 0 < sum(added.values()) < PUSHED_BYTES


def test_it_serves_read_only_as_nobody_and_switches_under_load(
    operator: Workspace, engine: ContainerEngine
) -> None:
    deployed = operator.json("deploy", "--docker")
    assert (deployed["version"], deployed["verdict"]) == ("v1", "verified")
    assert deployed["golden_rows"] == 3
    facts = container(engine)
    assert facts["HostConfig"]["ReadonlyRootfs"] is True
    assert facts["Config"]["User"] == "10001:10001"
    assert SECRET_KEY not in json.dumps(facts["Args"]) + json.dumps(facts["HostConfig"])
    with Clients(Deployed(deployed["url"]), FACTORS) as clients:
        clients.until_answered(50)
        there = operator.json("activate", "v2")
        clients.until_answered(50)
        back = operator.json("rollback")
        clients.until_answered(50)
    assert (there["failed_requests"], back["failed_requests"]) == (0, 0)
    assert not clients.failures
    assert set(clients.answers) == {"v1", "v2"}
    until(lambda: container(engine)["State"]["Health"]["Status"] == "healthy", "it is healthy")
    assert "serving v2" in operator.run("logs").out


SECRET_KEY = "test-secret"  # noqa: S105 — of a server that lives for one test session


def test_stopping_it_loses_no_request(operator: Workspace, engine: ContainerEngine) -> None:
    url = operator.json("deploy", "--docker")["url"]
    answers: list[str] = []
    threads = [threading.Thread(target=ask_until_told_to_go, args=(url, answers)) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) > 50, "requests are answered")
    name = container(engine)["Name"].lstrip("/")
    engine.run("stop", "--time", "30", name)
    for thread in threads:
        thread.join(300)
    assert answers.count("200, and go") == 3
    assert set(answers) == {"200", "200, and go"}
    found = json.loads(engine.run("container", "inspect", name))[0]
    assert (found["State"]["ExitCode"], found["State"]["OOMKilled"]) == (0, False)


def ask_until_told_to_go(url: str, answers: list[str]) -> None:
    """Ask as a router does, which sends no more to an instance that says it is about to end."""
    deadline = time.monotonic() + 240
    with httpx.Client(base_url=url, timeout=120) as client:
        while time.monotonic() < deadline:
            try:
                answer = client.post("/predict", json={"inputs": [[1.0, 2.0, 3.0, 4.0]]})
            except httpx.TransportError as error:
                answers.append(repr(error))
                return
            gone = answer.headers.get("connection") == "close"
            answers.append(f"{answer.status_code}{', and go' if gone else ''}")
            if gone:
                return


def test_an_image_that_does_not_start_leaves_the_old_one_serving(
    operator: Workspace, engine: ContainerEngine, image: dict[str, Any], tmp_path: Path
) -> None:
    first = operator.json("deploy", "--docker")
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        f"FROM {image['image']}\n"
        'ENTRYPOINT ["python", "-c", "raise SystemExit(\'error: out of order\')"]\n'
    )
    engine.run("build", "--network", "host", "--tag", "broken:1", str(folder))

    failed = operator.run("deploy", "--image", "broken:1", code=10)
    assert "the image broken:1 does not serve: it ended with 1: out of order" in failed.err
    assert f"{image['image']} goes on serving at {first['url']}" in failed.err
    assert operator.json("deploy", "--image", "broken:1", code=10)["verdict"] == "failed"
    health = httpx.get(f"{first['url']}/health", timeout=120).json()
    assert (health["status"], health["instance"]) == ("ok", first["instance"])
    assert len(engine.run("ps", "--all", "--quiet").split()) == 1


def test_going_back_runs_the_image_that_ran_before(
    operator: Workspace, engine: ContainerEngine, image: dict[str, Any]
) -> None:
    operator.run("deploy", "--docker")
    nowhere: Result = operator.run("rollback", "--image", code=1)
    assert "no image ran here before" in nowhere.err
    engine.run("tag", image["image"], "second:1")
    assert operator.json("deploy", "--image", "second:1")["image"] == "second:1"
    back = operator.json("rollback", "--image")
    assert (back["image"], back["verdict"]) == (image["image"], "verified")
    assert operator.json("status")["deployment"]["image"] == image["image"]


def test_ctrl_c_while_one_image_takes_the_other_s_place_leaves_one_serving(
    operator: Workspace,
    engine: ContainerEngine,
    image: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POINTSMAN_DRAIN_GRACE", "2")  # seconds in which it is about to end
    url = operator.json("deploy", "--docker")["url"]
    engine.run("tag", image["image"], "third:1")
    with operator.start("deploy", "--image", "third:1", variables=engine.environment) as process:
        assert process.stderr
        said = iter(process.stderr)
        assert any("requests in flight first" in line for line in said)
        process.send_signal(signal.SIGINT)
        told = "".join(said)
        code = process.wait(120)
    assert (code, "goes on serving at" in told) == (130, True), told
    until(lambda: serves(url), "it serves again")
    assert operator.json("status")["deployment"]["image"] == image["image"]
    assert len(engine.run("ps", "--all", "--quiet").split()) == 1


def serves(url: str) -> bool:
    """Tell whether a service is ready there; one that is just starting does not listen yet."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/health", timeout=10).status_code == httpx.codes.OK
    return False
