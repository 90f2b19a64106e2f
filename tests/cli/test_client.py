"""Asking a service: an answer, or a sentence about why there is none."""

import json

import pytest

from pointsman_cli import client
from pointsman_cli.errors import CommandError, UsageError
from tests.cli.workspace import Workspace
from tests.servers.canned import Canned, answering

JSON = {"Content-Type": "application/json"}
ANSWER = {"outputs": {"y": [[1.0]]}, "model": {"name": "m", "version": "v7", "digest": "d"}}


def canned(document: object, status: int = 200, version: str = "v7") -> Canned:
    headers = JSON | {"X-Model-Version": version}
    return Canned(status, headers, json.dumps(document).encode())


def test_a_prediction_names_who_made_it() -> None:
    with answering(canned(ANSWER)) as service:
        answer = client.predict(f"{service.url}/", b"{}")
    assert (answer.document, answer.version) == (ANSWER, "v7")
    assert service.asked == ["POST /predict"]


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (canned({"error": "the input 'x' is missing"}, 400), "answered 400: the input 'x' is"),
        (canned(["strange"], 500), 'answered 500: ["strange"]'),
        (Canned(502, {}, b"Bad   Gateway\n"), "answered 502: Bad Gateway"),
        (Canned(503, {}, b""), "answered 503: Service Unavailable"),
        (Canned(404, {"Content-Type": "text/html"}, b"<html>"), "answered 404: a page of HTML"),
        (Canned(302, {"Location": "/elsewhere"}), "answered 302"),
        (Canned(200, {}, b"hello"), "something else than a prediction: hello"),
        (canned({"outputs": 3}), "something else than a prediction"),
        (canned([1, 2]), "something else than a prediction"),
        (Canned(200, {"Content-Encoding": "gzip"}, b"not gzip"), "does not answer"),
    ],
)
def test_whatever_else_is_answered_becomes_a_sentence(service: Canned, says: str) -> None:
    with answering(service), pytest.raises(CommandError) as caught:
        client.predict(service.url, b"{}")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_nobody_there() -> None:
    with pytest.raises(CommandError, match="does not answer") as caught:
        client.predict("http://127.0.0.1:9", b"{}")
    assert "pointsman status" in caught.value.hint
    assert client.health("http://127.0.0.1:9") is None


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::", "http://x:99999"]
)
def test_what_is_no_url_is_a_mistake_of_usage(url: str) -> None:
    with pytest.raises(UsageError):
        client.predict(url, b"{}")


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        client.predict("http://user:hunter2@127.0.0.1:9", b"{}")
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("service", [Canned(200, {}, b"hi"), canned([1]), Canned(503, {}, b"")])
def test_a_health_that_makes_no_sense_is_empty(service: Canned) -> None:
    with answering(service):
        health = client.health(service.url)
    assert health is not None
    assert health.body == {}


def test_a_proxy_is_not_asked_for_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(canned(ANSWER)) as service:
        assert client.predict(service.url, b"{}").document == ANSWER


def test_a_request_comes_from_a_file_or_from_standard_input(workspace: Workspace) -> None:
    (workspace.folder / "request.json").write_text('{"inputs": [[1]]}')
    with answering(canned(ANSWER)) as service:
        result = workspace.run("predict", "request.json", "--url", service.url)
        piped = workspace.run("predict", "-", "--url", service.url, stdin=b"{}")
        document = workspace.json("predict", "request.json", "--url", service.url)
    assert result.out == piped.out == '{"y": [[1.0]]}\n'
    assert "answered by v7 in " in result.err
    assert document == ANSWER


def test_no_store_is_needed_to_ask_a_service(workspace: Workspace) -> None:
    workspace.file.unlink()
    with answering(canned(ANSWER)) as service:
        workspace.run("predict", "-", "--url", service.url, "--store", "s3://bucket")
