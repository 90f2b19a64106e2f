"""The files that other tools read, and the promises that CONTRIBUTING.md makes of the code."""

import ast
import json
import re
import statistics
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pointsman_cli import configuration
from pointsman_service.settings import Settings

ROOT = Path(__file__).parent.parent
MEMBERS = {
    "registry": "pointsman",
    "service": "pointsman_service",
    "cli": "pointsman_cli",
    "infra": "pointsman_infra",
}
MODULES = [
    path
    for member, package in MEMBERS.items()
    for path in sorted((ROOT / member / package).rglob("*.py"))
]
DEFAULTS = Settings(store="file:///store", model="m")
KILL_SECONDS = DEFAULTS.drain_grace + DEFAULTS.drain_timeout


def test_the_example_configuration_is_one() -> None:
    project = configuration.load({}, {}, ROOT)
    assert project.configuration.model == "digits"


def test_fly_waits_for_health_and_lets_requests_end() -> None:
    fly = _toml("fly.toml")
    service = fly["http_service"]
    assert [check["path"] for check in service["checks"]] == ["/health"]
    assert str(service["internal_port"]) == fly["env"]["PORT"]
    assert fly["kill_signal"] == "SIGTERM"
    assert int(fly["kill_timeout"].removesuffix("s")) > KILL_SECONDS
    # The platform cuts a service check's grace period to 60 s, so more of it would be a lie.
    assert all(int(check["grace_period"].removesuffix("s")) <= 60 for check in service["checks"])
    assert fly["metrics"] == [{"port": service["internal_port"], "path": "/metrics"}]


def test_railway_waits_for_health_and_lets_requests_end() -> None:
    deploy = json.loads((ROOT / "railway.json").read_text())["deploy"]
    assert deploy["healthcheckPath"] == "/health"
    numbers = ("healthcheckTimeout", "overlapSeconds", "drainingSeconds", "restartPolicyMaxRetries")
    assert all(isinstance(deploy[name], int) for name in numbers)
    assert deploy["drainingSeconds"] > KILL_SECONDS


def test_the_image_runs_as_nobody_in_particular_and_holds_no_model() -> None:
    instructions = (ROOT / "Dockerfile").read_text()
    final = instructions.rsplit("FROM ", 1)[1]
    assert re.search(r"^USER (?!0|root)", final, re.MULTILINE)
    assert "ORT_DISABLE_TELEMETRY=1" in final
    copied = re.findall(r"^COPY (?!--from)(\S+)", instructions, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert sorted(copied) == sorted(line[1:] for line in ignored if line.startswith("!"))
    assert not [path for name in copied for path in (ROOT / name).rglob("*.onnx")]


def test_every_dependency_is_locked_with_hashes_and_by_name_alone() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    locked = {_canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    assert locked >= _wanted() - {_canonical(f"pointsman-{member}") for member in MEMBERS}
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_example_models_are_small() -> None:
    sizes = {path: path.stat().st_size for path in (ROOT / "examples").rglob("*") if path.is_file()}
    assert [path for path, size in sizes.items() if size > 60_000] == []


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > 350} == {}
    assert statistics.median(lengths.values()) <= 120


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) * 9 // 10] <= 30
    assert sum(length > 50 for length in lengths) < 0.03 * len(lengths)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_opens_with_what_it_promises(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text())


def _wanted() -> set[str]:
    """Return what the members depend on, extras included."""
    wanted: set[str] = set()
    for member in MEMBERS:
        project = _toml(f"{member}/pyproject.toml")["project"]
        extras = project.get("optional-dependencies", {}).values()
        for requirement in [
            *project["dependencies"],
            *(each for extra in extras for each in extra),
        ]:
            wanted.add(_canonical(re.split(r"[\[<>=!~; ]", requirement)[0]))
    return wanted


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
