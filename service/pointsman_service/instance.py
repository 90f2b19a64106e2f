"""Who this process is: its instance id, platform, region and image, as the platform tells.

Sources: Fly.io "Machine runtime environment", Railway "Variables reference", and the pod's
hostname on Kubernetes.
"""

import re
import secrets
from collections.abc import Mapping

import msgspec

from pointsman.errors import InvalidName
from pointsman.names import instance_name


class Identity(msgspec.Struct, frozen=True):
    """One instance's name and whereabouts; empty where nobody says."""

    instance: str
    platform: str = ""
    region: str = ""
    image: str = ""


def identify(environment: Mapping[str, str], named: str = "") -> Identity:
    """Tell who this process is; `named` overrides the platform's id."""
    if machine := environment.get("FLY_MACHINE_ID"):
        return Identity(
            named or _acceptable(machine),
            "fly",
            environment.get("FLY_REGION", ""),
            environment.get("FLY_IMAGE_REF", ""),
        )
    if replica := environment.get("RAILWAY_REPLICA_ID"):
        region = environment.get("RAILWAY_REPLICA_REGION", "")
        return Identity(named or _acceptable(replica), "railway", region)
    if "KUBERNETES_SERVICE_HOST" in environment and environment.get("HOSTNAME"):
        return Identity(named or _acceptable(environment["HOSTNAME"]), "kubernetes")
    return Identity(named or secrets.token_hex(4), environment.get("POINTSMAN_PLATFORM", ""))


def _acceptable(identifier: str) -> str:
    """Return a platform's id as one that can name a heartbeat, whatever platforms think of."""
    try:
        return instance_name(identifier)
    except InvalidName:
        return "i-" + re.sub(r"[^A-Za-z0-9]+", "-", identifier)[:100]
