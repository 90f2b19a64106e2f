"""A role's environment as people and platforms take it in."""

import json
import shlex

import pytest

from pointsman_infra.formats import Format, render

VARIABLES = {"AWS_REGION": "auto", "AWS_SECRET_ACCESS_KEY": "a/b+c=", "NOTE": "two words"}


def test_dotenv_survives_a_shell() -> None:
    odd = {"ODD": "a 'quoted' $HOME `x`"}
    (name, _, value) = render(odd, Format.DOTENV).partition("=")
    assert name == "ODD"
    assert shlex.split(value) == [odd["ODD"]]


@pytest.mark.parametrize("form", [Format.FLY, Format.RAILWAY])
def test_platforms_get_a_line_for_each_variable(form: Format) -> None:
    assert render(VARIABLES, form).splitlines() == [
        "AWS_REGION=auto",
        "AWS_SECRET_ACCESS_KEY=a/b+c=",
        'NOTE="two words"',
    ]


def test_json_is_one_object() -> None:
    assert json.loads(render(VARIABLES, Format.JSON)) == VARIABLES
