"""Taking a stack down: never by an oversight, and never half because something was in a bucket."""

import msgspec

from pointsman import keys
from pointsman.errors import PointsmanError
from pointsman.registry import Registry
from pointsman_infra import administrator
from pointsman_infra.automation.stack import Stack
from pointsman_infra.automation.steps import Steps
from pointsman_infra.errors import Guarded
from pointsman_infra.outputs import Role, StoreOutputs
from pointsman_infra.settings import Provider, Settings


def check(handed: StoreOutputs | None, force: str) -> None:
    """Raise `Guarded` when models would be lost, unless `force` is the name of their bucket."""
    if handed is None or handed.provider == Provider.EXISTING:
        return
    if force:
        if force != handed.bucket:
            raise Guarded(
                f"--force names {force}, and the stack's bucket is {handed.bucket}",
                f"To lose everything in it: --force {handed.bucket}.",
            )
        return
    if found := _models(handed):
        raise Guarded(
            f"the bucket {handed.bucket} holds models: {', '.join(found[:5])}",
            f"To lose them all: `pointsman infra destroy --force {handed.bucket}`.",
        )


def destroy(stack: Stack, settings: Settings, handed: StoreOutputs | None, steps: Steps) -> None:
    """Lift the protection, empty what has to be empty, remove everything; can be repeated."""
    stack.up(msgspec.structs.replace(settings, destroying=True), Steps())
    if handed is not None and handed.provider == Provider.R2:
        _empty(handed)
    stack.remove(steps)


def _models(handed: StoreOutputs) -> list[str]:
    try:
        store = administrator.open_with(handed.store, handed.environment(Role.PUBLISHER))
        names = Registry(store).models()
        return [name for name in names if next(iter(store.scan(keys.versions(name))), None)]
    except PointsmanError as error:
        raise Guarded(
            f"whether models are in {handed.bucket} cannot be found out: {error.message}",
            f"To remove the bucket in any case: `pointsman infra destroy --force {handed.bucket}`.",
        ) from error


def _empty(handed: StoreOutputs) -> None:
    """Remove every object: R2 deletes only empty buckets, and each key reaches one of the two."""
    for url, prefix, role in (
        (handed.store, keys.MODELS, Role.PUBLISHER),
        (handed.fleet, "fleet/", Role.RUNTIME),
    ):
        store = administrator.open_with(url, handed.environment(role))
        for info in list(store.scan(prefix)):
            store.delete(info.key)
