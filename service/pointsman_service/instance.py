"""Who this process is: its instance id, platform, region and image, as the platform tells.

Sources: Fly.io "Machine runtime environment", Railway "Variables reference", and the pod's
hostname on Kubernetes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """One instance's name and whereabouts; empty where nobody says."""

    instance: str
    platform: str = ""
    region: str = ""
    image: str = ""


def identify(environment: Mapping[str, str], named: str = "") -> Identity:
    """Tell who this process is; `named` overrides the platform's id."""
    if machine := environment.get("FLY_MACHINE_ID"):
        return Identity(
            named or machine,
            "fly",
            environment.get("FLY_REGION", ""),
            environment.get("FLY_IMAGE_REF", ""),
        )
    if replica := environment.get("RAILWAY_REPLICA_ID"):
        region = environment.get("RAILWAY_REPLICA_REGION", "")
        return Identity(named or replica, "railway", region)
    if "KUBERNETES_SERVICE_HOST" in environment and environment.get("HOSTNAME"):
        return Identity(named or environment["HOSTNAME"], "kubernetes")
    return Identity(named or secrets.token_hex(4), environment.get("POINTSMAN_PLATFORM", ""))
