"""Logs: a line for people, or a JSON object a line."""

import json
import logging
import sys

from pointsman_service.logs import JsonFormatter


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
