"""Exit codes: documented, complete, and the same for the same kind of failure."""

import re
from pathlib import Path

import pytest

from pointsman import errors as registry
from pointsman_cli import errors
from pointsman_cli.errors import EXIT_CODES, Exit, exit_code, explained

DOCUMENT = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def test_the_documentation_lists_exactly_what_the_command_ends_with() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES
    assert set(EXIT_CODES) == set(Exit)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (registry.NotFound("x"), Exit.FAILED),
        (registry.InvalidModel("x"), Exit.FAILED),
        (registry.ChannelConflict("x"), Exit.FAILED),
        (registry.InvalidName("x"), Exit.USAGE),
        (registry.StoreUnreachable("x"), Exit.STORE),
        (registry.StoreDenied("x"), Exit.STORE),
        (registry.StoreMisconfigured("x"), Exit.STORE),
        (errors.UsageError("x"), Exit.USAGE),
        (errors.Refused("x"), Exit.REFUSED),
        (errors.Unconfirmed("x"), Exit.UNCONFIRMED),
        (errors.Unverified("x"), Exit.UNVERIFIED),
        (errors.DeploymentFailed("x"), Exit.NOT_DEPLOYED),
        (errors.Interrupted("x"), Exit.INTERRUPTED),
    ],
)
def test_every_kind_of_failure_has_its_code(error: registry.PointsmanError, code: Exit) -> None:
    assert exit_code(error) is code


def test_what_the_system_refuses_is_told_in_its_words() -> None:
    told = explained(PermissionError(13, "Permission denied", "/root/x"))
    assert told.message == "Permission denied: /root/x"
    assert exit_code(told) is Exit.FAILED


def test_what_nobody_expected_is_called_a_bug() -> None:
    told = explained(ZeroDivisionError("division by zero"))
    assert told.message == "ZeroDivisionError: division by zero"
    assert "bug in pointsman" in told.hint


def test_a_damaged_document_comes_with_a_way_out() -> None:
    assert "restore the object" in explained(registry.InvalidDocument("it is broken")).hint
