"""What a start does not import: imports are most of it, and scaling from zero waits for them."""

import re
from pathlib import Path

import httpx

from tests.servers import service_process
from tests.service.shelf import Shelf

LATER = (
    "fastapi",
    "starlette",
    "pydantic",
    "prometheus_client",
    "boto3",
    "onnx",
    "cryptography",
    "opentelemetry",
    "filelock",
    "statistics",
    "difflib",
    "getpass",
)
MODULES_LATER = ("pointsman.publishing", "pointsman.validation", "numpy.random")


def test_a_service_that_answers_has_not_imported_what_only_few_requests_need(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    shelf.activate(shelf.affine("v1", 2.0, golden_factor=2.0))
    variables = {"PYTHONPROFILEIMPORTTIME": "1"}
    with service_process.running(tmp_path / "service", file_url, **variables) as service:
        service.until_healthy(version="v1")
        assert service.predict([[1, 2, 3, 4]]).status_code == 200
        imported = _imported(service.log)
        assert "numpy" in imported
        assert not imported & set(LATER)
        assert not imported & set(MODULES_LATER)
        for path in ("/docs", "/metrics"):
            assert httpx.get(f"{service.url}{path}", timeout=120).status_code == 200
        assert _imported(service.log) >= {"fastapi", "prometheus_client"}


def _imported(log: str) -> set[str]:
    """Return the packages and modules that `python -X importtime` tells of."""
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", log, re.MULTILINE))
