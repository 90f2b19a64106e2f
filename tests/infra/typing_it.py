"""Typing `pointsman infra …` in a project, in this process: the command's whole way, no shell."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pointsman_cli import main as command
from tests import models
from tests.servers.seaweedfs import REGION, SeaweedFS


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one document of `--json`."""
        return json.loads(self.out)


Run = Callable[..., Result]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command and puts the environment back afterwards."""

    def run(*arguments: str) -> Result:
        before = dict(os.environ)
        try:
            code = command.run(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run


def new_project(directory: Path, server: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory with a model and a pointsman.toml, and go there as an administrator."""
    directory.mkdir()
    monkeypatch.chdir(directory)
    models.affine(directory / "model.onnx")
    (directory / "pointsman.toml").write_text(
        f"""
        model = "digits"

        [infra]
        provider = "compatible"
        bucket = "typed-{uuid4().hex[:8]}"
        endpoint = "{server.endpoint}"
        iam_endpoint = "{server.endpoint}"
        region = "{REGION}"
        """
    )
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return directory


def declare(project: Path, version: str) -> None:
    """Declare the model beside pointsman.toml as a version that the stack publishes."""
    with (project / "pointsman.toml").open("a") as file:
        file.write(
            f'\n[[infra.models]]\nmodel = "digits"\nversion = "{version}"\npath = "model.onnx"\n'
        )


def forget_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the environment without a key: from here on only what was handed over works."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
