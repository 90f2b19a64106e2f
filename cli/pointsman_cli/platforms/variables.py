"""The environment of a deployed service: what it must be told, and what of that is secret.

Decided here for every platform. A service gets the runtime's credentials, which read models and
write heartbeats: those that were provisioned or, where the operator named the store, those in
`POINTSMAN_RUNTIME_*`. The operator's own keys never leave the machine.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.context import Context
from pointsman_cli.platforms import addresses

RUNTIME_PREFIX = "POINTSMAN_RUNTIME_"
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_RUNTIME = {
    "ACCESS_KEY_ID": "AWS_ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY": "AWS_SECRET_ACCESS_KEY",
    "SESSION_TOKEN": "AWS_SESSION_TOKEN",
    "ENDPOINT_URL": "AWS_ENDPOINT_URL_S3",
    "REGION": "AWS_REGION",
    "ROLE_ARN": "AWS_ROLE_ARN",
}
# Addresses, which are nobody's secret: what the operator uses, the service can use.
_ADDRESSES = {
    "AWS_ENDPOINT_URL_S3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "AWS_REGION": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}
_KEYS_HINT = (
    f"Set {RUNTIME_PREFIX}ACCESS_KEY_ID and {RUNTIME_PREFIX}SECRET_ACCESS_KEY to a key that reads "
    "models and writes heartbeats, or let `pointsman infra up` make the store and the keys."
)


@dataclass(frozen=True, slots=True)
class Variables:
    """A service's variables; `secret` ones belong into the platform's secret store."""

    plain: Mapping[str, str]
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)

    def all(self) -> dict[str, str]:
        """Return both kinds in one."""
        return {**self.plain, **self.secret}


def of_service(
    context: Context, platform: str, environment: Mapping[str, str] = os.environ
) -> Variables:
    """Return what a service on `platform` has to be told. Empty values are left out."""
    configuration = context.project.configuration
    told = {
        "POINTSMAN_STORE": configuration.store,
        "POINTSMAN_MODEL": context.model,
        "POINTSMAN_CHANNEL": context.channel,
        "POINTSMAN_FLEET": configuration.fleet,
        "POINTSMAN_PUBLIC_KEYS": " ".join(configuration.public_keys),
        "POINTSMAN_PLATFORM": platform,
    }
    told |= context.runtime_environment or _given(configuration.store, environment)
    told = {name: value for name, value in told.items() if value}
    return Variables(
        {name: value for name, value in told.items() if name not in _SECRETS},
        {name: value for name, value in told.items() if name in _SECRETS},
    )


def check(
    context: Context, variables: Variables, present: Collection[str] = frozenset()
) -> list[Finding]:
    """Tell whether a service elsewhere can reach the store with what it is told.

    `present` are the names of secrets that the platform has already.
    """
    store = context.project.configuration.store
    if store.startswith("file:"):
        return [
            findings.error(
                "store",
                f"the store {store} is a folder of this machine: no service elsewhere sees it",
                'Put store = "s3://bucket/prefix" into pointsman.toml, or `pointsman infra up`.',
            )
        ]
    if store.startswith("gs:"):
        return [
            findings.warning(
                "credentials",
                "a gs:// store takes the identity of the machine, which only Google's have",
                "On other platforms use an s3:// or r2:// store.",
            )
        ]
    return [*_reach(store, variables), _credentials(store, {*variables.all(), *present})]


def _reach(store: str, variables: Variables) -> list[Finding]:
    """Warn of an address that means something else on every machine."""
    named = parse_qs(urlsplit(store).query).get("endpoint", [])
    for address in [*named, variables.plain.get("AWS_ENDPOINT_URL_S3", "")]:
        if addresses.is_loopback(address):
            return [
                findings.warning(
                    "store",
                    f"{address} leads to this machine: no service elsewhere reaches a store there",
                    f"Set {RUNTIME_PREFIX}ENDPOINT_URL to the address that the service is to use.",
                )
            ]
    return []


def _credentials(store: str, known: Collection[str]) -> Finding:
    if "AWS_ROLE_ARN" in known or {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(known):
        return findings.ok("credentials", "the service has credentials of its own")
    return findings.error(
        "credentials", f"the service would have no credentials for {store}", _KEYS_HINT
    )


def _given(store: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the operator hands to the service of a store that they named."""
    given = {}
    if store.startswith("s3:"):
        for name, sources in _ADDRESSES.items():
            given[name] = next((environment[each] for each in sources if environment.get(each)), "")
    for suffix, name in _RUNTIME.items():
        if value := environment.get(RUNTIME_PREFIX + suffix):
            given[name] = value
    return given
