"""What a stack is asked to be: one typed object, the same in `pointsman.toml` and in Pulumi.

`check` is pure and finds every mistake that can be found without asking anybody, so that a
wrong name or region never costs a half-made stack.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from pointsman.errors import InvalidName
from pointsman.names import model_name, version_name
from pointsman_infra.errors import SettingsInvalid
from pointsman_infra.outputs import KeySerials

JURISDICTIONS = ("default", "eu", "fedramp")
LOCATIONS = ("apac", "eeur", "enam", "oc", "weur", "wnam")

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_ENDPOINT = re.compile(r"https?://[^/\s?#@]+")
_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/\S+")


_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_NAMED_BY_THE_SHELL: dict[str, dict[str, tuple[str, ...]]] = {
    "aws": {"region": _REGION_VARIABLES},
    "r2": {"account": ("CLOUDFLARE_ACCOUNT_ID",)},
    "compatible": {
        "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        "region": _REGION_VARIABLES,
    },
}


class Provider(StrEnum):
    """Who keeps the bucket."""

    AWS = "aws"
    R2 = "r2"
    COMPATIBLE = "compatible"
    EXISTING = "existing"


class DeclaredModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version that the stack publishes."""

    model: str
    version: str
    path: str
    golden: str = ""
    metrics: dict[str, float] = {}
    labels: dict[str, str] = {}
    note: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be said of a stack; docs/infrastructure.md explains each."""

    provider: Provider
    bucket: str = ""
    fleet_bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    iam_endpoint: str = ""
    account: str = ""
    jurisdiction: str = "default"
    location: str = ""
    lock_days: int = 0
    lock_models: tuple[str, ...] = ()
    fly_organization: str = ""
    fly_app: str = ""
    fly_identity_provider: str = ""
    models: tuple[DeclaredModel, ...] = ()
    keys: KeySerials = KeySerials()
    destroying: bool = False

    @property
    def fleet(self) -> str:
        """The bucket of the heartbeats: R2's tokens are scoped to buckets, so it is another."""
        return self.fleet_bucket or (f"{self.bucket}-fleet" if self.provider is Provider.R2 else "")


def read(values: Any) -> Settings:
    """Read and check settings; raises `SettingsInvalid` that names the member and the fix."""
    try:
        settings = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        reason = (
            str(error).replace(" - at `$", " at `").replace("Object contains unknown", "unknown")
        )
        known = ", ".join(name for name in Settings.__struct_fields__ if name != "destroying")
        raise SettingsInvalid(f"the stack's settings: {reason}", f"Known: {known}.") from None
    check(settings)
    return settings


def completed(
    values: Mapping[str, Any], environment: Mapping[str, str], stack: str
) -> dict[str, Any]:
    """Add what need not be said twice: the account, endpoint or region that the shell names.

    A bucket's name is proposed where it only has to be unique within the account.
    """
    provider = values.get("provider")
    found = {
        member: next(filter(None, map(environment.get, names)), "")
        for member, names in _NAMED_BY_THE_SHELL.get(str(provider), {}).items()
    }
    if provider in {Provider.R2, Provider.COMPATIBLE}:
        found["bucket"] = f"pointsman-{stack}"
    return {name: value for name, value in found.items() if value} | dict(values)


def check(settings: Settings) -> None:
    """Raise `SettingsInvalid` for what cannot work."""
    for name in (settings.bucket, *([settings.fleet] if settings.fleet else [])):
        _check_bucket(name)
    if settings.endpoint and not _ENDPOINT.fullmatch(settings.endpoint):
        raise SettingsInvalid(
            f"the endpoint {settings.endpoint!r} is not a URL",
            "It looks like https://host or http://host:port.",
        )
    _CHECKS[settings.provider](settings)
    _check_models(settings.models)


def _check_bucket(name: str) -> None:
    if not name:
        raise SettingsInvalid(
            "no bucket is named", 'Use --bucket NAME, or put bucket = "NAME" under [infra].'
        )
    if not _BUCKET.fullmatch(name) or name.startswith("xn--") or "--" in name:
        raise SettingsInvalid(
            f"{name!r} cannot be the name of a bucket",
            "Names are 3 to 63 lower-case letters, digits and single hyphens, and begin and end "
            "with a letter or digit.",
        )


def _check_aws(settings: Settings) -> None:
    if not _REGION.fullmatch(settings.region):
        given = (
            f"{settings.region!r} is not a region of AWS"
            if settings.region
            else "no region is named"
        )
        raise SettingsInvalid(given, 'Use --region, or region = "eu-central-1" under [infra].')
    if bool(settings.fly_organization) != bool(settings.fly_app):
        raise SettingsInvalid(
            "a role for Fly needs both fly_organization and fly_app", "Add the one that is missing."
        )
    if settings.fly_identity_provider and not _ARN.fullmatch(settings.fly_identity_provider):
        raise SettingsInvalid(
            f"{settings.fly_identity_provider!r} is not the ARN of an identity provider",
            "`aws iam list-open-id-connect-providers` shows them.",
        )


def _check_r2(settings: Settings) -> None:
    if not _ACCOUNT.fullmatch(settings.account):
        given = (
            f"{settings.account!r} is not a Cloudflare account id: those are 32 hexadecimal digits"
            if settings.account
            else "no Cloudflare account is named"
        )
        raise SettingsInvalid(
            given,
            "Set CLOUDFLARE_ACCOUNT_ID, or account under [infra]; the dashboard shows it under R2.",
        )
    _require_one_of("location", settings.location, ("", *LOCATIONS))
    _require_one_of("jurisdiction", settings.jurisdiction, JURISDICTIONS)
    if settings.fleet == settings.bucket:
        raise SettingsInvalid(
            "R2's tokens are scoped to buckets, so heartbeats need a bucket of their own",
            "Leave fleet_bucket out, or give it another name than bucket.",
        )
    if bool(settings.lock_days) != bool(settings.lock_models) or settings.lock_days < 0:
        raise SettingsInvalid(
            "a lock needs both a positive lock_days and lock_models", "Give both, or neither."
        )


def _check_compatible(settings: Settings) -> None:
    if not settings.endpoint:
        raise SettingsInvalid(
            "no endpoint is named", "Use --endpoint https://HOST, or endpoint under [infra]."
        )


def _check_existing(_settings: Settings) -> None:
    """Whatever is there is somebody else's choice; `infra doctor` tries it."""


_CHECKS = {
    Provider.AWS: _check_aws,
    Provider.R2: _check_r2,
    Provider.COMPATIBLE: _check_compatible,
    Provider.EXISTING: _check_existing,
}


def _require_one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsInvalid(
            f"{value!r} is not a {what} of R2", f"There are: {', '.join(filter(None, known))}."
        )


def _check_models(models: tuple[DeclaredModel, ...]) -> None:
    seen = set()
    for each in models:
        try:
            name = (model_name(each.model), version_name(each.version))
        except InvalidName as error:
            raise SettingsInvalid(f"models: {error.message}", error.hint) from None
        if name in seen:
            raise SettingsInvalid(
                f"models: {each.model} {each.version} is declared twice", "Remove one of the two."
            )
        seen.add(name)
