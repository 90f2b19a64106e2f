"""What the manager should do next, as a table."""

import pytest

from pointsman_service.serving.policy import Action, decide, surplus


@pytest.mark.parametrize(
    ("resident", "refused", "action"),
    [
        ([], False, Action.LOAD),
        (["other"], False, Action.LOAD),
        (["aspired"], False, Action.SERVE),
        (["other", "aspired"], False, Action.SERVE),
        ([], True, Action.STAY),
        (["other"], True, Action.STAY),
        (["aspired"], True, Action.STAY),
    ],
)
def test_what_was_refused_is_left_what_is_resident_serves_and_the_rest_is_loaded(
    resident: list[str],
    refused: bool,  # noqa: FBT001 — a column of the table
    action: Action,
) -> None:
    assert decide("aspired", resident, refused=refused) is action


@pytest.mark.parametrize(
    ("residents", "needed", "unloaded"),
    [
        ([], {"a"}, []),
        (["a"], {"a", None}, []),
        (["a", "b", "c"], {"c", "b"}, ["a"]),
        (["a", "b"], {"c", None}, ["a", "b"]),
    ],
)
def test_what_nobody_needs_is_surplus(
    residents: list[str], needed: set[str | None], unloaded: list[str]
) -> None:
    assert surplus(residents, needed) == unloaded
