"""The arithmetic of keys: one more, then only the newest."""

import pytest

from pointsman_infra import rotation
from pointsman_infra.errors import Guarded
from pointsman_infra.outputs import KeySerials, Role


def test_a_rotation_adds_a_key_and_finishing_leaves_only_that() -> None:
    begun = rotation.begun(KeySerials(), list(Role))
    assert begun == KeySerials((1, 2), (1, 2))
    assert rotation.finished(begun, list(Role)) == KeySerials((2,), (2,))


def test_one_role_can_be_rotated_alone() -> None:
    begun = rotation.begun(KeySerials(), [Role.RUNTIME])
    assert begun == KeySerials((1,), (1, 2))
    assert rotation.finished(begun, [Role.RUNTIME]) == KeySerials((1,), (2,))


def test_a_third_key_is_never_made() -> None:
    with pytest.raises(Guarded, match="runtime's last rotation is not finished") as caught:
        rotation.begun(KeySerials((1,), (1, 2)), list(Role))
    assert "--finish" in caught.value.hint


def test_there_must_be_something_to_finish() -> None:
    with pytest.raises(Guarded, match="no rotation is under way"):
        rotation.finished(KeySerials(), list(Role))


def test_serials_are_never_used_again() -> None:
    keys = KeySerials()
    for expected in (2, 3, 4):
        keys = rotation.finished(rotation.begun(keys, [Role.RUNTIME]), [Role.RUNTIME])
        assert keys.runtime == (expected,)
