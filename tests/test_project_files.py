"""The files at the root: what platforms read works with what the service does, and sizes hold."""

import ast
import json
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman_cli import configuration
from pointsman_service.settings import Settings

ROOT = Path(__file__).parents[1]
MEMBERS = ("registry", "service", "cli", "infra")
LONGEST_FILE = 350
MEDIAN_FILE = 120
LONG_FUNCTION = 30
DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Settings)}
GOODBYE_SECONDS = DEFAULTS["drain_grace"] + DEFAULTS["drain_timeout"]


def toml(*path: str) -> dict[str, Any]:
    return tomllib.loads(ROOT.joinpath(*path).read_text())


def seconds(text: str) -> float:
    """Read a duration as Fly writes it: 30s, 10m."""
    return float(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def test_the_configuration_at_the_root_has_only_keys_the_command_knows() -> None:
    project = configuration.load({}, {}, ROOT)
    assert project.directory == ROOT
    assert project.configuration.model == "digits"


def test_fly_asks_the_route_and_port_that_the_service_has() -> None:
    fly = toml("fly.toml")
    service = fly["http_service"]
    assert [check["path"] for check in service["checks"]] == ["/health"]
    assert service["internal_port"] == int(fly["env"]["PORT"]) == DEFAULTS["port"]
    assert [each["port"] for each in fly["metrics"]] == [service["internal_port"]]


def test_fly_lets_requests_in_flight_be_answered() -> None:
    fly = toml("fly.toml")
    assert fly["kill_signal"] == "SIGTERM"
    assert seconds(fly["kill_timeout"]) > GOODBYE_SECONDS


def test_fly_sets_only_variables_that_the_service_knows() -> None:
    known = {f"POINTSMAN_{name.upper()}" for name in DEFAULTS} | {"PORT"}
    assert set(toml("fly.toml")["env"]) <= known


def test_railway_asks_the_route_that_the_service_has_and_gives_numbers() -> None:
    deploy = json.loads((ROOT / "railway.json").read_text())["deploy"]
    assert deploy["healthcheckPath"] == "/health"
    numbers = [
        "healthcheckTimeout", "restartPolicyMaxRetries", "overlapSeconds", "drainingSeconds",
    ]  # fmt: skip
    assert all(type(deploy[name]) is int for name in numbers)
    assert deploy["drainingSeconds"] > GOODBYE_SECONDS


def test_both_platforms_build_the_same_image() -> None:
    railway = json.loads((ROOT / "railway.json").read_text())["build"]
    assert railway == {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}
    assert toml("fly.toml")["build"] == {"dockerfile": railway["dockerfilePath"]}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its words on one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, words) for name, words in lines]


def copied() -> set[str]:
    """Return what the image takes from the repository."""
    taken = [words.split() for name, words in instructions() if name in {"COPY", "ADD"}]
    return {word for words in taken if not words[0].startswith("--from") for word in words[:-1]}


def test_the_image_takes_what_it_is_built_from_and_no_model() -> None:
    packages = {"registry/pointsman", "service/pointsman_service"}
    assert copied() == {*packages, "service/pointsman_service/requirements.lock"}
    models = [path for name in copied() for path in (ROOT / name).rglob("*.onnx")]
    assert models == []


def test_the_build_context_is_what_the_image_takes() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == {
        name for name in copied() if not name.endswith(".lock")
    }


def test_the_image_runs_one_process_that_is_not_root() -> None:
    last = dict(instructions())
    assert last["USER"].split(":")[0] not in {"", "0", "root"}
    assert json.loads(last["ENTRYPOINT"]) == ["python", "-m", "pointsman_service"]
    assert "CMD" not in last
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "--workers" not in (ROOT / "Dockerfile").read_text()


def test_the_image_is_probed_on_the_port_it_listens_on() -> None:
    last = dict(instructions())
    assert f"PORT={last['EXPOSE']}" in last["ENV"]
    assert "/health" in last["HEALTHCHECK"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Return what the members and the groups of the root depend on, without the members."""
    groups = list(toml("pyproject.toml")["dependency-groups"].values())
    for member in MEMBERS:
        project = toml(member, "pyproject.toml")["project"]
        groups += [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    names = {normal(re.split(r"[\s\[<>=~!;]", each)[0]) for group in groups for each in group}
    return names - {f"pointsman-{member}" for member in MEMBERS}


def locked() -> dict[str, str]:
    """Return every entry of the lock by its name."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    return {normal(re.split(r"==", entry)[0]): entry for entry in entries}


def test_the_lock_pins_everything_with_hashes_and_says_not_where_from() -> None:
    lock = locked()
    assert declared() <= lock.keys()
    assert all(re.match(r"[\w.-]+==[\w.]+ ", entry) for entry in lock.values())
    assert all("--hash=sha256:" in entry for entry in lock.values())
    assert "://" not in "".join(lock.values())


def test_the_image_s_lock_is_a_part_of_the_whole_one() -> None:
    entries = re.split(
        r"\n(?=\S)", (ROOT / "service/pointsman_service/requirements.lock").read_text()
    )
    pinned = {entry.split()[0] for entry in entries if entry.strip()}
    whole = {line.split()[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert pinned <= whole
    assert all("--hash=sha256:" in entry for entry in entries)
    needed = {normal(re.split(r"[\[<>=~!;]", each)[0]) for each in service_needs()}
    assert needed <= {normal(each.split("==")[0]) for each in pinned}


def service_needs() -> list[str]:
    service = toml("service", "pyproject.toml")["project"]["dependencies"]
    registry = toml("registry", "pyproject.toml")["project"]
    extras = registry["optional-dependencies"]
    needs = [*service, *registry["dependencies"], *extras["runtime"], *extras["signing"]]
    return [each for each in needs if not each.startswith("pointsman-")]


def sources() -> list[Path]:
    return [path for member in MEMBERS for path in sorted((ROOT / member).rglob("*.py"))]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> Iterator[int]:
    """Yield the lines of every function, from its signature to its end."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_long_and_most_are_short() -> None:
    assert {str(path): lines(path) for path in sources() if lines(path) > LONGEST_FILE} == {}
    assert statistics.median(map(lines, sources())) <= MEDIAN_FILE


@pytest.mark.parametrize("member", MEMBERS)
def test_nine_functions_of_ten_are_short(member: str) -> None:
    found = [length for path in (ROOT / member).rglob("*.py") for length in functions(path)]
    assert statistics.quantiles(found, n=10)[-1] <= LONG_FUNCTION


def test_a_module_begins_with_what_it_promises() -> None:
    silent = [
        str(path)
        for path in sources()
        if path.read_text() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []
