"""The outputs of a provisioned store: one typed contract, whoever provisioned it.

Two principals, because a service that can only read models cannot replace them: the *publisher*
writes models and channels, the *runtime* reads models and writes heartbeats. Credentials become
environment variables, in the names that AWS's tools and `pointsman.stores.s3` read; they are kept
out of `repr`, so that logging a contract gives nothing away. Where the runtime becomes a role by
the token of its platform, there is a `role_arn` instead of its key.
"""

from enum import StrEnum
from typing import Any

import msgspec

from pointsman.errors import PointsmanError


class OutputsInvalid(PointsmanError):
    """The outputs of a stack miss something, or have something of the wrong kind."""


class Role(StrEnum):
    """Whose credentials are asked for."""

    PUBLISHER = "publisher"
    RUNTIME = "runtime"


class Credentials(msgspec.Struct, frozen=True):
    """An access key of one principal."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        """Show that there is a key, and not which."""
        return "Credentials(…)"


class KeySerials(msgspec.Struct, frozen=True):
    """Which keys of each principal are live, by number; the last one is handed out."""

    publisher: tuple[int, ...] = (1,)
    runtime: tuple[int, ...] = (1,)


class StoreOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where models and heartbeats live, and the keys to them."""

    store: str
    fleet: str = ""
    endpoint: str = ""
    region: str = ""
    publisher: Credentials
    runtime: Credentials | None = None
    role_arn: str = ""
    provider: str = ""
    bucket: str = ""
    keys: KeySerials = KeySerials()

    def environment(self, role: Role) -> dict[str, str]:
        """Return the variables that let the command (publisher) or the service (runtime) work."""
        credentials = self.publisher if role is Role.PUBLISHER else self.runtime
        key = credentials or Credentials("", "")
        variables = {
            "POINTSMAN_STORE": self.store,
            "POINTSMAN_FLEET": self.fleet,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_ROLE_ARN": "" if credentials else self.role_arn,
        }
        return {name: value for name, value in variables.items() if value}

    def public(self) -> dict[str, Any]:
        """Return all that may be shown to anybody: keys by their number, secrets not at all."""
        members = ("provider", "bucket", "store", "fleet", "endpoint", "region", "role_arn")
        shown: dict[str, Any] = {name: getattr(self, name) for name in members}
        return shown | {"keys": msgspec.to_builtins(self.keys)}


def read(outputs: dict[str, Any]) -> StoreOutputs:
    """Read a stack's outputs; raises `OutputsInvalid`, which names the member and no value."""
    try:
        return msgspec.convert(outputs, StoreOutputs)
    except msgspec.ValidationError as error:
        raise OutputsInvalid(f"the stack's outputs are not a store's: {error}") from None
