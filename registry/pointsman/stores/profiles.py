"""Profiles of `~/.aws`: shared keys, SSO sessions, roles to assume, credential processes.

boto3 resolves them, because nothing else follows all of AWS's rules, and only it: this module
and `uploads` import it, and only when used. It is the library's extra `[aws]`, which the command
has and the service does not.
"""

from datetime import timedelta
from typing import Any

from pointsman.errors import StoreMisconfigured, StoreUnreachable

# Asked again this often; botocore answers from memory until the keys are about to expire.
_TTL = timedelta(minutes=2)


class ProfileCredentials:
    """Gives obstore a profile's keys whenever it asks, and says what else the profile holds."""

    def __init__(self, name: str, session: Any) -> None:
        from obstore.auth.boto3 import Boto3CredentialProvider

        self._name = name
        self._provider = Boto3CredentialProvider(session, ttl=_TTL)
        self.region = str(session.region_name or "")
        self.endpoint = _endpoint(session)

    def require(self) -> None:
        """Raise `StoreMisconfigured` when there are no keys to be had."""
        self()

    def __call__(self) -> Any:
        """Return keys; raises `StoreMisconfigured` when the profile cannot get any."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self._provider()
        except (BotoCoreError, ClientError) as error:
            raise _explained(self._name, error) from error


def find(name: str | None) -> ProfileCredentials | None:
    """Return the profile's credentials, of `default` when none is named; None if it has none.

    Raises `StoreMisconfigured` when the profile does not exist or cannot be read.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        # AWS_PROFILE has told botocore already; naming it makes a wrong name an error.
        session = boto3.Session(profile_name=name)
        keys = session.get_credentials()
        if keys is None or keys.method == "iam-role":
            return None
        return ProfileCredentials(name or "default", session)
    except (BotoCoreError, ClientError) as error:
        raise _explained(name or "default", error) from error


def _endpoint(session: Any) -> str:
    """Return the profile's `endpoint_url`, of its `services` section too; "" is Amazon's own."""
    url = str(
        session.client("s3", region_name=session.region_name or "us-east-1").meta.endpoint_url
    )
    return "" if url.endswith((".amazonaws.com", ".amazonaws.com.cn")) else url


def _explained(name: str, error: Exception) -> StoreMisconfigured | StoreUnreachable:
    kind = type(error).__name__
    if kind in {"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return StoreUnreachable(
            f"the AWS profile {name} cannot be used now: {error}",
            "Try again, or check the network.",
        )
    hint = "`aws configure list-profiles` shows those there are."
    if "SSO" in kind or "Token" in kind:
        hint = f"Sign in again: aws sso login --profile {name}"
    elif kind == "ClientError":
        hint = "Its role must trust whoever assumes it."
    return StoreMisconfigured(f"the AWS profile {name} gives no credentials: {error}", hint)
