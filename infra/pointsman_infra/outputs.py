"""The outputs of a provisioned store: one typed contract, whoever provisioned it.

Two principals, because a service that can only read models cannot replace them: the *publisher*
writes models and channels, the *runtime* reads models and writes heartbeats. Credentials become
environment variables, in the names that AWS's tools and `pointsman.stores.s3` read; they are kept
out of `repr`, so that logging a contract gives nothing away.
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


class StoreOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where models and heartbeats live, and the keys to them."""

    store: str
    fleet: str = ""
    endpoint: str = ""
    region: str = ""
    publisher: Credentials
    runtime: Credentials

    def environment(self, role: Role) -> dict[str, str]:
        """Return the variables that let the command (publisher) or the service (runtime) work."""
        credentials = self.publisher if role is Role.PUBLISHER else self.runtime
        variables = {
            "POINTSMAN_STORE": self.store,
            "POINTSMAN_FLEET": self.fleet,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        }
        return {name: value for name, value in variables.items() if value}


def read(outputs: dict[str, Any]) -> StoreOutputs:
    """Read a stack's outputs; raises `OutputsInvalid`, which names the member and no value."""
    try:
        return msgspec.convert(outputs, StoreOutputs)
    except msgspec.ValidationError as error:
        raise OutputsInvalid(f"the stack's outputs are not a store's: {error}") from None
