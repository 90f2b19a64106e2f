"""Changing keys without a moment in which none works: the new one lives before the old one goes."""

from collections.abc import Iterable

import msgspec

from pointsman_infra.errors import Guarded
from pointsman_infra.outputs import KeySerials, Role


def begun(keys: KeySerials, roles: Iterable[Role]) -> KeySerials:
    """Return the keys with one more for each role; the old one stays until `finished`.

    Raises `Guarded` while an earlier rotation is unfinished: AWS knows two keys of a user at most.
    """
    roles = tuple(roles)
    for role in roles:
        if len(getattr(keys, role.value)) > 1:
            raise Guarded(
                f"the {role.value}'s last rotation is not finished: two of its keys are live",
                "Once everything uses the new one: `pointsman infra rotate --finish`.",
            )
    added = {role.value: _with_next(getattr(keys, role.value)) for role in roles}
    return msgspec.structs.replace(keys, **added)


def finished(keys: KeySerials, roles: Iterable[Role]) -> KeySerials:
    """Return only the newest key of each role; raises `Guarded` when there is no other."""
    names = [role.value for role in roles]
    if not any(len(getattr(keys, name)) > 1 for name in names):
        raise Guarded("no rotation is under way", "`pointsman infra rotate` begins one.")
    return msgspec.structs.replace(keys, **{name: getattr(keys, name)[-1:] for name in names})


def _with_next(serials: tuple[int, ...]) -> tuple[int, ...]:
    return (*serials, serials[-1] + 1)
