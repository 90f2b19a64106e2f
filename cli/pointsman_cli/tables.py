"""The tables of `pointsman.toml`: one struct each.

What a platform has a file of its own for (`fly.toml`, `railway.json`) stands there and nowhere
else; a table holds only what such a file has no words for.
"""

from typing import Annotated

import msgspec


class LocalSettings(msgspec.Struct, frozen=True):
    """`[local]`: how `deploy --platform local` starts the service."""

    host: str = "127.0.0.1"
    """The address it listens on."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000
    """0 takes any free one."""
    network: str = ""
    """With --docker: the network as the engine names it; `host` is this machine's own."""


class ImageSettings(msgspec.Struct, frozen=True):
    """`[image]`: how `build` makes the image, and where `push` puts it."""

    repository: str = ""
    """Where it is pushed, without a tag: `ghcr.io/me/digits`; "" is a name on this machine only."""
    dockerfile: str = "Dockerfile"
    """The project's own; where there is no such file, the one that comes with the command."""
    base: str = ""
    """The base image, if not Python's own: a mirror's, or one that a company prescribes."""
    include: tuple[str, ...] = ()
    """Files and folders of the project that the Dockerfile needs too."""
    platform: str = "linux/amd64"
    """What the machines are that will run it; Fly.io and Railway have no other."""
    engine: str = ""
    """`docker` or `podman`; "" takes what there is."""
    network: str = ""
    """The network of the build's own steps, as the engine names it: `host`, …."""


class RailwaySettings(msgspec.Struct, frozen=True):
    """`[railway]`: which service of which project it is; RAILWAY_* variables beat it."""

    workspace: str = ""
    """Its name; "" is the only one that there is."""
    project: str = ""
    """Its name; "" is the model's."""
    environment: str = ""
    """Its name; "" is what --env says, or production."""
    service: str = ""
    """Its name; "" is made of model, channel and environment."""
    variables: dict[str, str] = {}
    """More variables of the service; no secrets."""


# Kubernetes: "Object Names and IDs" (RFC 1123 labels), "Resource Management" (quantities).
_LABEL = r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|Ki|Mi|Gi|Ti)?$"
_HOST = r"^([a-z0-9*][-a-z0-9.]{0,251})?$"
SHAPES = {
    _LABEL: ("no name that Kubernetes takes", "Small letters, digits and dashes, 63 at most."),
    _QUANTITY: ("no quantity", 'Write it as Kubernetes does: "512Mi", "2Gi", "500m".'),
    _HOST: ("no name of a host", 'Small letters, digits, dots and dashes: "digits.example.com".'),
}
"""What a text is that does not have one of these shapes, and how to write it."""
_Label = Annotated[str, msgspec.Meta(pattern=_LABEL)]
_Quantity = Annotated[str, msgspec.Meta(pattern=_QUANTITY)]
_Host = Annotated[str, msgspec.Meta(pattern=_HOST)]
_Replicas = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class KubernetesSettings(msgspec.Struct, frozen=True):
    """`[kubernetes]`: which cluster and namespace, and what stands in the manifests."""

    context: str = ""
    """A context of kubectl's configuration; "" is its current one."""
    namespace: _Label = ""
    """"" is the context's own."""
    name: _Label = ""
    """What the objects are called; "" makes a name of model and channel."""
    replicas: _Replicas = 2
    """How many pods there are at least."""
    max_replicas: _Replicas = 6
    """Where scaling by CPU ends; the same as `replicas` switches it off."""
    target_cpu_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 70
    """The part of `cpu` in use above which there are more pods."""
    cpu: _Quantity = "1"
    """Requested, and never limited: a limit throttles the very moment it is needed."""
    memory: _Quantity = "1Gi"
    """Requested and limited."""
    host: _Host = ""
    """Where an Ingress makes the service public; "" keeps it inside the cluster."""
    ingress_class: _Label = ""
    """Whose Ingress that is; "" is the cluster's default."""
    tls_secret: _Label = ""
    """The Secret with the certificate of `host`."""
    image_pull_secret: _Label = ""
    """A Secret of the namespace, for private registries."""
    variables: dict[str, str] = {}
    """More variables of the service; no secrets."""
