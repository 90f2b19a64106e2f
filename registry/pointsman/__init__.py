"""Model versions in object storage: publish one, point a channel at it, read it back verified.

    import pointsman

    registry = pointsman.open("s3://models/prod")
    registry.publish("digits", "v3", "model.onnx", metrics={"accuracy": 0.97})
    registry.activate("digits", "v3", why="better on sevens")

Everything importable from here is public; everything else may change between versions. Each name
is imported when it is first used, so that `import pointsman` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.channel import Canary, Change, Channel, Pointer, Shadow
    from pointsman.errors import (
        CacheUnusable,
        ChannelConflict,
        ContentMismatch,
        InvalidDocument,
        InvalidModel,
        InvalidName,
        InvalidRollout,
        KeyUnusable,
        NotFound,
        NothingToRollBack,
        PointsmanError,
        PruneRunning,
        Quarantined,
        StoreDenied,
        StoreError,
        StoreMisconfigured,
        StoreUnreachable,
        Untrusted,
        VersionExists,
    )
    from pointsman.manifest import File, Manifest, TensorSpec, Version
    from pointsman.publishing import Progress, Published
    from pointsman.registry import Registry, open  # noqa: A004 — reads as pointsman.open(url)
    from pointsman.signing.keypair import PublicKey, SigningKey

__all__ = [
    "CacheUnusable",
    "Canary",
    "Change",
    "Channel",
    "ChannelConflict",
    "ContentMismatch",
    "File",
    "InvalidDocument",
    "InvalidModel",
    "InvalidName",
    "InvalidRollout",
    "KeyUnusable",
    "Manifest",
    "NotFound",
    "NothingToRollBack",
    "Pointer",
    "PointsmanError",
    "Progress",
    "PruneRunning",
    "PublicKey",
    "Published",
    "Quarantined",
    "Registry",
    "Shadow",
    "SigningKey",
    "StoreDenied",
    "StoreError",
    "StoreMisconfigured",
    "StoreUnreachable",
    "TensorSpec",
    "Untrusted",
    "Version",
    "VersionExists",
    "open",
]

_HOMES = {
    "channel": (
        "Canary",
        "Change",
        "Channel",
        "Pointer",
        "Shadow",
    ),
    "errors": (
        "CacheUnusable",
        "ChannelConflict",
        "ContentMismatch",
        "InvalidDocument",
        "InvalidModel",
        "InvalidName",
        "InvalidRollout",
        "KeyUnusable",
        "NotFound",
        "NothingToRollBack",
        "PointsmanError",
        "PruneRunning",
        "Quarantined",
        "StoreDenied",
        "StoreError",
        "StoreMisconfigured",
        "StoreUnreachable",
        "Untrusted",
        "VersionExists",
    ),
    "manifest": (
        "File",
        "Manifest",
        "TensorSpec",
        "Version",
    ),
    "publishing": (
        "Progress",
        "Published",
    ),
    "registry": (
        "Registry",
        "open",
    ),
    "signing.keypair": (
        "PublicKey",
        "SigningKey",
    ),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
