"""A release: all that decides what is rendered, and the names and labels its objects share."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman_cli.tables import KubernetesSettings

MANAGER = "pointsman"
_DIGITS = 10
_LONGEST_NAME = 52  # leaves room for the suffixes that are appended here and by Kubernetes


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One image with one environment, for one model and channel."""

    name: str
    model: str
    channel: str
    image: str
    settings: KubernetesSettings
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    drain_seconds: float
    """How long the service needs for its goodbye: grace and drain timeout together."""

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which its pods are found; they never change."""
        return selector(self.name)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every object, in Kubernetes' recommended words."""
        return self.selector | {
            "app.kubernetes.io/managed-by": MANAGER,
            "app.kubernetes.io/component": "model-service",
        }

    @property
    def secret_name(self) -> str:
        """The Secret's name, which changes with its content.

        So pods are replaced when a key changes, and those of the release before still find theirs.
        """
        content = json.dumps(dict(self.secrets), sort_keys=True).encode()
        return f"{self.name}-{hashlib.sha256(content).hexdigest()[:_DIGITS]}"

    def metadata(self, name: str = "") -> dict[str, Any]:
        """Return an object's metadata; the namespace is kubectl's to fill in."""
        return {
            "name": name or self.name,
            "labels": self.labels,
            "annotations": {
                "pointsman/model": self.model,
                "pointsman/channel": self.channel,
            },
        }

    def secret(self) -> dict[str, Any]:
        """Return the Secret, which nothing may change once it is there."""
        encoded = {
            name: base64.b64encode(value.encode()).decode()
            for name, value in sorted(self.secrets.items())
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self.metadata(self.secret_name),
            "immutable": True,
            "type": "Opaque",
            "data": encoded,
        }


def selector(name: str) -> dict[str, str]:
    """Return the labels of all objects of a deployment."""
    return {"app.kubernetes.io/name": MANAGER, "app.kubernetes.io/instance": name}


def object_name(given: str, model: str, channel: str) -> str:
    """Return the name of the objects, which Kubernetes wants in lower case and short."""
    if given:
        return given
    named = model if channel == "production" else f"{model}-{channel}"
    label = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")[:_LONGEST_NAME].rstrip("-")
    return label if label[:1].isalpha() else f"m-{label}"
