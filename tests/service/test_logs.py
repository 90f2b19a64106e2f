"""Logs: a line for people, or a JSON object a line."""

import json
import logging
import sys
from pathlib import Path

import pytest

from pointsman_service import logs
from pointsman_service.answered import Answered
from pointsman_service.logs import JsonFormatter
from tests.servers import service_process
from tests.servers.raw_http import conversation, head
from tests.service.shelf import Shelf


def record(message: str, *, broken: bool = False) -> logging.LogRecord:
    trace = None
    if broken:
        try:
            json.loads("inner")
        except ValueError:
            trace = sys.exc_info()
    return logging.LogRecord("pointsman_service", logging.WARNING, "", 1, message, ("v1",), trace)


def test_a_record_is_one_line_of_json_whatever_it_says() -> None:
    line = JsonFormatter().format(record('%s said "no"\nand more'))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == 'v1 said "no"\nand more'
    assert (entry["level"], entry["logger"]) == ("warning", "pointsman_service")


def test_an_exception_comes_with_its_trace() -> None:
    entry = json.loads(JsonFormatter().format(record("%s broke", broken=True)))
    assert "JSONDecodeError" in entry["exception"]


def test_an_answered_request_is_a_line_and_in_json_its_parts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "pointsman_service.access")
    logs.access(Answered("POST", "/predict", 200, "id-1", "v3", 0.0125, {b"x-api-key": b"secret"}))
    (logged,) = caplog.records
    assert logged.getMessage() == "POST /predict 200 in 12.5 ms, request id-1, v3"
    line = JsonFormatter().format(logged)
    entry = json.loads(line)
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/predict", 200)
    assert (entry["milliseconds"], entry["request"], entry["version"]) == (12.5, "id-1", "v3")
    assert "secret" not in line


def test_nobody_forges_a_line_by_a_path(tmp_path: Path) -> None:
    url = (tmp_path / "store").as_uri()
    shelf = Shelf.at(url, tmp_path / "models")
    shelf.activate(shelf.affine("v1", 2.0))
    variables = {"POINTSMAN_ACCESS_LOG": "true", "POINTSMAN_LOG_FORMAT": "console"}
    with service_process.running(tmp_path / "service", url, **variables) as process:
        process.until_healthy(version="v1")
        conversation(process, head("GET", "/a%0A12:00:00%20INFO%20forged%1b[2J?b=%0A"))
        process.until(lambda: "forged" in process.log, "it is logged")
        (line,) = (line for line in process.log.splitlines() if "forged" in line)
    assert " GET /a%0A12:00:00%20INFO%20forged%1b[2J 404 in " in line
