"""Model versions in object storage: publish one, point a channel at it, read it back verified.

    import pointsman

    registry = pointsman.open("s3://models/prod")
    registry.publish("digits", "v3", "model.onnx", metrics={"accuracy": 0.97})
    registry.activate("digits", "v3", why="better on sevens")

Everything importable from here is public; everything else may change between versions.
"""

from pointsman.channel import Change, Channel, Pointer
from pointsman.errors import (
    CacheUnusable,
    ChannelConflict,
    ContentMismatch,
    InvalidDocument,
    InvalidModel,
    InvalidName,
    NotFound,
    NothingToRollBack,
    PointsmanError,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreUnreachable,
    VersionExists,
)
from pointsman.manifest import File, Manifest, TensorSpec, Version
from pointsman.publishing import Progress, Published
from pointsman.registry import Registry, open  # noqa: A004 — reads as pointsman.open(url)

__all__ = [
    "CacheUnusable",
    "Change",
    "Channel",
    "ChannelConflict",
    "ContentMismatch",
    "File",
    "InvalidDocument",
    "InvalidModel",
    "InvalidName",
    "Manifest",
    "NotFound",
    "NothingToRollBack",
    "Pointer",
    "PointsmanError",
    "Progress",
    "Published",
    "Registry",
    "StoreDenied",
    "StoreError",
    "StoreMisconfigured",
    "StoreUnreachable",
    "TensorSpec",
    "Version",
    "VersionExists",
    "open",
]
