"""The service's settings as `railway.json` has them: what is applied, and how it is read back.

Railway itself no longer reads the file: new services ignore it, and would then be released
without a health check. So its settings are sent through the API and compared with what comes back.
Names and meanings: https://docs.railway.com/config-as-code/reference.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

HEALTH_PATH = "/health"
_DAY = 24 * 60 * 60

Seconds = Annotated[int, Meta(ge=0, le=_DAY)]
Written = Seconds | Annotated[str, Meta(pattern=r"^\d{1,5}$")]
"""Railway's documentation shows these numbers as texts; its API takes numbers only."""


class Replicas(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How many instances run in one region."""

    num_replicas: Annotated[int, Meta(ge=1, le=50)] = 1


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`build`: what the image is made from, where the source is uploaded."""

    builder: Literal["DOCKERFILE"] = "DOCKERFILE"
    dockerfile_path: str = "Dockerfile"


class Deploy(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """`deploy`: how it is run; None leaves what Railway has. Times are seconds."""

    start_command: str | None = None
    pre_deploy_command: tuple[str, ...] | str | None = None
    healthcheck_path: str | None = None
    healthcheck_timeout: Seconds | None = None
    restart_policy_type: Literal["ON_FAILURE", "ALWAYS", "NEVER"] | None = None
    restart_policy_max_retries: Annotated[int, Meta(ge=0, le=1000)] | None = None
    multi_region_config: dict[str, Replicas] | None = None
    num_replicas: Annotated[int, Meta(ge=1, le=50)] | None = None
    region: str | None = None
    overlap_seconds: Written | None = None
    draining_seconds: Written | None = None
    sleep_application: bool | None = None
    ipv6_egress_enabled: bool | None = msgspec.field(default=None, name="ipv6EgressEnabled")


USUAL = Deploy(
    healthcheck_path=HEALTH_PATH,
    healthcheck_timeout=300,
    restart_policy_type="ON_FAILURE",
    restart_policy_max_retries=10,
    overlap_seconds=5,
    draining_seconds=30,
)
"""What a service of ours needs, where there is no file."""


class Settings(msgspec.Struct, frozen=True):
    """What the file says for one environment."""

    build: Build = Build()
    deploy: Deploy = USUAL

    @property
    def health_seconds(self) -> int:
        """How long Railway waits for the health check."""
        seconds = self.deploy.healthcheck_timeout
        return 300 if seconds is None else seconds

    @property
    def replicas(self) -> int:
        """How many instances there will be."""
        regions = self.deploy.multi_region_config
        if regions:
            return sum(each.num_replicas for each in regions.values())
        return self.deploy.num_replicas or 1

    @property
    def regions(self) -> set[str]:
        """The regions that are named."""
        named = set(self.deploy.multi_region_config or ())
        return named | ({self.deploy.region} if self.deploy.region else set())

    def input(self, image: str) -> dict[str, Any]:
        """Return what to send: for an image, or with "" for an uploaded source."""
        given: dict[str, Any] = msgspec.to_builtins(self.deploy)
        for name in ("overlapSeconds", "drainingSeconds"):
            if name in given:
                given[name] = int(given[name])
        if isinstance(given.get("preDeployCommand"), str):
            given["preDeployCommand"] = [given["preDeployCommand"]]
        if image:
            return {**given, "source": {"image": image}}
        return {**given, "dockerfilePath": self.build.dockerfile_path}


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Say which of the settings sent did not stick; those that Railway does not tell are left out.

    `found` has Railway's names, and may lack some of them.
    """
    told = {name: value for name, value in wanted.items() if name in found}
    return [
        f"{name} is {_shown(found[name])} instead of {_shown(value)}"
        for name, value in told.items()
        if _plain(name, found[name]) != _plain(name, value)
    ]


def _plain(name: str, value: Any) -> Any:
    """Return a value in the one form in which both sides can be compared."""
    if name == "source":
        return (value or {}).get("image")
    if name == "preDeployCommand" and isinstance(value, str):
        return [value]
    if name == "startCommand":
        return value or None
    if name == "multiRegionConfig" and isinstance(value, dict):
        return {region: (each or {}).get("numReplicas", 1) for region, each in value.items()}
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _shown(value: Any) -> str:
    if isinstance(value, dict) and value.get("image"):
        return str(value["image"])
    return "not set" if value is None else str(value)
