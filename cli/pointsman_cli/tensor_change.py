"""A change of tensors: whether clients of what is active would notice another version at once."""

from typing import TYPE_CHECKING

from pointsman.errors import NotFound, PointsmanError, StoreError

if TYPE_CHECKING:
    from pointsman.manifest import Manifest
    from pointsman_cli.context import Context


def active(context: "Context") -> "Manifest | None":
    """Return the manifest of what is active, if anything is, and if it can be read."""
    # Outside: a key or a name that is none is the command's failure, and told by it alone.
    registry, model, channel = context.registry, context.model, context.channel
    try:
        return registry.resolve(model, registry.channel(model, channel).stable).manifest
    except NotFound:
        return None
    except StoreError:
        raise
    except PointsmanError as error:
        context.output.warn(f"it cannot be compared with what is active: {error.message}")
        return None


def warn(context: "Context", before: "Manifest", after: "Manifest") -> None:
    """Warn when clients of what is active would notice: the signature differs."""
    for kind in ("inputs", "outputs"):
        old, new = getattr(before, kind), getattr(after, kind)
        if old != new:
            context.output.warn(
                f"its {kind} differ from those of {before.version}, which is active: "
                f"{'; '.join(map(str, old))} → {'; '.join(map(str, new))}"
            )
