"""What Railway is sent, word for word; a change of it is a change of a file beside this test."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.railway.conftest import IMAGE
from tests.cli.workspace import Workspace
from tests.fakes.railway.server import Railway
from tests.servers.seaweedfs import SECRET_KEY

GOLDEN = Path(__file__).parent / "golden"
PASSWORD = "ghp_verysecret"  # noqa: S105 — nobody's
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def plain(railway: Railway, store: str, endpoint: str) -> list[dict[str, Any]]:
    """Return the requests without what differs from run to run, and without watching."""
    names: dict[str, str] = {}
    text = json.dumps([(each.operation, each.variables) for each in railway.asked])
    text = _ID.sub(lambda found: names.setdefault(found[0], f"<id {len(names) + 1}>"), text)
    text = text.replace(store, "<store>").replace(endpoint, "<endpoint>")
    for secret in (SECRET_KEY, PASSWORD):
        text = text.replace(secret, "<secret>")
    requests = [{"operation": name, "variables": given} for name, given in json.loads(text)]
    watching = {"DeploymentStatus", "DeploymentEvents"}
    return [each for each in requests if each["operation"] not in watching]


def same(name: str, found: Any) -> None:
    """Compare with a golden file; one that does not exist is written, and fails once."""
    path = GOLDEN / name
    text = json.dumps(found, indent=2) + "\n"
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"{path} was written: look at it, and keep it")
    assert json.loads(path.read_text()) == found, f"if that is meant, delete {path} and run again"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("image.json", ["--image", IMAGE]), ("source.json", [])],
    ids=["image", "source"],
)
def test_a_first_deployment_sends_exactly_this(
    shipping: Workspace,
    railway: Railway,
    shipped_store: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    arguments: list[str],
) -> None:
    railway.world.add_project("digits", plan="pro")
    monkeypatch.setenv("RAILWAY_REGISTRY_USERNAME", "octocat")
    monkeypatch.setenv("RAILWAY_REGISTRY_PASSWORD", PASSWORD)
    result = shipping.run("deploy", *arguments)
    variables = railway.world.instance("digits", "production", "digits").variables
    found = plain(railway, shipped_store, variables["AWS_ENDPOINT_URL_S3"])
    assert SECRET_KEY not in result.out + result.err
    same(name, found)


def test_no_secret_is_in_a_document_a_path_or_a_header_but_the_tokens(
    shipping: Workspace, railway: Railway
) -> None:
    shipping.run("deploy", "--image", IMAGE)
    for each in railway.asked:
        # Values travel as variables of their documents, and only the token in a header.
        assert SECRET_KEY not in each.document
        assert SECRET_KEY not in json.dumps(each.headers)
    carrying = {
        each.operation for each in railway.asked if SECRET_KEY in json.dumps(each.variables)
    }
    assert carrying == {"VariablesSet"}
