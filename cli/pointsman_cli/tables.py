"""The tables of `pointsman.toml`: one struct each.

What a platform has a file of its own for (`fly.toml`, `railway.json`) stands there and nowhere
else; a table holds only what such a file has no words for.
"""

from typing import Annotated

import msgspec


class LocalSettings(msgspec.Struct, frozen=True):
    """`[local]`: how `deploy --platform local` starts the service."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000


class ImageSettings(msgspec.Struct, frozen=True):
    """`[image]`: how `build` makes the image, and where `push` puts it."""

    repository: str = ""
    """Where it is pushed, without a tag: `ghcr.io/me/digits`; "" is a name on this machine only."""
    dockerfile: str = "Dockerfile"
    platform: str = "linux/amd64"
    """What the machines are that will run it; Fly.io and Railway have no other."""
    engine: str = ""
    """`docker` or `podman`; "" takes what there is."""
    network: str = ""
    """The network of the build's own steps, as the engine names it: `host`, …."""


class RailwaySettings(msgspec.Struct, frozen=True):
    """`[railway]`: which service of which project it is; RAILWAY_* variables beat it."""

    workspace: str = ""
    project: str = ""
    environment: str = ""
    service: str = ""
    variables: dict[str, str] = {}
    """More variables of the service; no secrets."""


class KubernetesSettings(msgspec.Struct, frozen=True):
    """`[kubernetes]`: which cluster and namespace, and what stands in the manifests."""

    context: str = ""
    namespace: str = ""
    variables: dict[str, str] = {}
    """More variables of the service; no secrets."""
