"""Which requests a canary gets."""

import pytest

from pointsman_service.serving.split import Split

CANARY, ANOTHER = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
USERS = [f"user-{number}".encode() for number in range(5000)]


def users_of(canary: str, weight: int) -> set[bytes]:
    split = Split(canary, weight)
    return {user for user in USERS if split.takes(user)}


@pytest.mark.parametrize("weight", [1, 5, 50, 99])
def test_a_canary_gets_its_share_of_the_users(weight: int) -> None:
    share = len(users_of(CANARY, weight)) / len(USERS)
    assert abs(share - weight / 100) < 0.03


@pytest.mark.parametrize(("weight", "count"), [(0, 0), (100, len(USERS))])
def test_nothing_is_nothing_and_all_is_all(weight: int, count: int) -> None:
    assert len(users_of(CANARY, weight)) == count


def test_a_user_stays_where_it_is_on_every_instance() -> None:
    assert users_of(CANARY, 30) == users_of(CANARY, 30)


def test_raising_the_weight_moves_nobody_back() -> None:
    reached: set[bytes] = set()
    for weight in range(0, 101, 5):
        users = users_of(CANARY, weight)
        assert reached <= users
        reached = users


def test_another_canary_has_other_users() -> None:
    both = users_of(CANARY, 10) & users_of(ANOTHER, 10)
    assert len(both) < len(USERS) * 0.03


@pytest.mark.parametrize(("weight", "expected"), [(0, 0), (30, 3000), (100, 10_000)])
def test_without_a_key_chance_keeps_to_the_weight(weight: int, expected: int) -> None:
    split = Split(CANARY, weight)
    taken = sum(split.takes(None) for _ in range(10_000))
    assert abs(taken - expected) <= (400 if 0 < weight < 100 else 0)
