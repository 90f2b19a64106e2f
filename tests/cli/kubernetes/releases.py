"""A release to render, with whatever a test wants different."""

from typing import Any

from pointsman_cli.platforms.kubernetes.release import Release
from pointsman_cli.tables import KubernetesSettings

IMAGE = "registry.example/digits@sha256:" + "a" * 64


def release(secrets: dict[str, str] | None = None, **settings: Any) -> Release:
    """Return a release of the model `digits`."""
    return Release(
        name="digits",
        model="digits",
        channel="production",
        image=IMAGE,
        settings=KubernetesSettings(**settings),
        environment={"POINTSMAN_STORE": "s3://models", "POINTSMAN_MODEL": "digits", "PORT": "8000"},
        secrets={"AWS_SECRET_ACCESS_KEY": "hush"} if secrets is None else secrets,
        drain_seconds=21.0,
    )
