"""Every document that is sent: valid by the schema written by hand, and by Railway's own."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_client_schema, build_schema, parse, validate

from pointsman_cli.platforms.railway import api
from pointsman_cli.platforms.railway.api import client
from tests.fakes.railway.server import SCHEMA

FOLDER = Path(api.__path__[0])
DOCUMENTS = sorted(path.stem for path in FOLDER.glob("*.graphql"))
PUBLISHED = Path(__file__).parents[4] / "shared" / "reference" / "railway" / "schema.json"


def published() -> dict[str, Any]:
    """Return Railway's own schema, which is too large to be part of this project."""
    if not PUBLISHED.is_file():
        reason = f"Railway's published schema is not at {PUBLISHED}"
        print(f"skipping: {reason}", file=sys.__stderr__)
        pytest.skip(reason)
    document: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return document.get("data", document)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def railways_schema() -> GraphQLSchema:
    # Not checked itself: it breaks a rule about deprecation that matters to nobody.
    return build_client_schema(published(), assume_valid=True)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def our_schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_by_the_schema_written_by_hand(
    name: str, our_schema: GraphQLSchema
) -> None:
    assert validate(our_schema, parse(client.document(name))) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_by_railways_schema(name: str, railways_schema: GraphQLSchema) -> None:
    assert validate(railways_schema, parse(client.document(name))) == []


def test_the_schema_written_by_hand_says_nothing_else_than_railways(
    railways_schema: GraphQLSchema, our_schema: GraphQLSchema
) -> None:
    """Values, fields, arguments and inputs are Railway's; only connections have shorter names."""
    wrong = []
    for name, kind in our_schema.type_map.items():
        if name.startswith("__") or _CONNECTION.search(name):
            continue
        theirs = _parts(railways_schema.type_map[name])
        wrong += [f"{name}.{part}" for part, of in _parts(kind).items() if theirs.get(part) != of]
    assert wrong == []


_CONNECTION = re.compile(
    r"^\[?(Projects|Environments|Services|ServiceInstances|Deployments|DeploymentEvents"
    r"|\w+(Connection|Edge))!?\]?!?$"
)


def _parts(kind: Any) -> dict[str, str]:
    """Return what a type is made of, each part with its type."""
    parts = dict.fromkeys(getattr(kind, "values", {}), "value")
    for field, what in getattr(kind, "fields", {}).items():
        parts[field] = "connection" if _CONNECTION.search(str(what.type)) else str(what.type)
        for argument, of in getattr(what, "args", {}).items():
            parts[f"{field}({argument})"] = str(of.type)
    return parts


def test_every_document_is_sent_by_code_and_every_sent_one_exists() -> None:
    code = "\n".join(path.read_text() for path in FOLDER.glob("*.py"))
    # The two logs share a line of code, which puts their names together.
    code += '"build_logs" "deployment_logs"'
    unused = [name for name in DOCUMENTS if f'"{name}"' not in code]
    assert unused == []
    asked = re.findall(r'\.(?:ask|change)\(\s*f?"?[^,]*,\s*"(\w+)"', code)
    assert asked
    assert set(asked) <= set(DOCUMENTS)


def test_every_operation_has_a_name_of_its_own() -> None:
    operations = [
        re.findall(r"^(?:query|mutation) (\w+)", client.document(name)) for name in DOCUMENTS
    ]
    assert all(len(each) == 1 for each in operations)
    assert len({each[0] for each in operations}) == len(DOCUMENTS)
