"""Clients that others wrote run unchanged against a service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointsman import datatypes
from tests import models
from tests.clients import environment
from tests.servers import service_process
from tests.service.shelf import Shelf

pytestmark = pytest.mark.slow

KEY = "an-operators-own-key"


@contextmanager
def serving(directory: Path, model: Path, **variables: str) -> Iterator[str]:
    """Yield the address of a service that serves `model` as `v1`, and has a `v2` beside it."""
    url = (directory / "store").as_uri()
    shelf = Shelf.at(url, directory / "models")
    shelf.activate(shelf.put("v1", model))
    shelf.put("v2", model)
    with service_process.running(directory / "service", url, **variables) as process:
        process.until_healthy(version="v1")
        yield process.url
        assert "Traceback" not in process.log


def test_tritonclient_is_content_with_every_datatype_in_every_form(tmp_path: Path) -> None:
    echoes = models.echoes(tmp_path / "echoes.onnx", sorted(set(datatypes.NUMPY) - {"BF16"}))
    bf16 = models.echo(tmp_path / "bf16.onnx", "BF16")
    keys = {"POINTSMAN_ADMIN_KEYS": KEY}
    with (
        serving(tmp_path / "echoes", echoes, **keys) as url,
        serving(tmp_path / "bf16", bf16) as other,
    ):
        environment.converse("tritonclient", url, other, KEY)


@pytest.mark.parametrize("client", ["kserve", "open_inference"])
def test_a_client_is_content(tmp_path: Path, client: str) -> None:
    with serving(tmp_path, models.affine(tmp_path / "model.onnx", 2.0)) as url:
        environment.converse(client, url)


def test_schemathesis_finds_that_answers_are_as_the_openapi_document_says(tmp_path: Path) -> None:
    # One key for both, because Schemathesis knows one for each kind of header.
    keys = {"POINTSMAN_API_KEYS": KEY, "POINTSMAN_ADMIN_KEYS": KEY}
    with serving(tmp_path, models.affine(tmp_path / "model.onnx", 2.0), **keys) as url:
        environment.converse("schemathesis", url, KEY)
