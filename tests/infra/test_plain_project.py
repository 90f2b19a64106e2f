"""`infra/` is a plain Pulumi project: its program runs, and says what is missing."""

import json
import runpy
from pathlib import Path

import pulumi
import pytest
import yaml

from pointsman_infra.errors import SettingsInvalid
from tests.infra.recording import recorded

PROJECT = Path(__file__).parents[2] / "infra"


def run() -> None:
    runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")


@pytest.mark.parametrize("mode", ["up", "preview"])
def test_the_program_provisions_what_the_stacks_configuration_says(mode: str) -> None:
    settings = {"provider": "aws", "bucket": "acme-models", "region": "eu-central-1"}
    pulumi.runtime.set_all_config({"pointsman:settings": json.dumps(settings)})
    made = recorded(run, mode=mode)
    assert made["models"].inputs["bucket"] == "acme-models"


def test_a_stack_without_settings_says_how_to_give_some() -> None:
    pulumi.runtime.set_all_config({})
    with pytest.raises(SettingsInvalid, match="has no settings") as caught:
        recorded(run)
    assert "pulumi config set --path pointsman:settings.provider" in caught.value.hint


def test_the_project_file_names_the_program() -> None:
    project = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    assert project["name"] == "pointsman"
    assert project["runtime"]["name"] == "python"
