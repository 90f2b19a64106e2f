"""Who asks: the chain by which AWS's tools find credentials, without needing boto3 for most of it.

In this order, and the first that is there decides:

1. `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN`);
2. web identity: `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, as Fly and EKS set them;
3. a profile of `~/.aws`: keys, SSO, a role to assume, a process (`pointsman.stores.profiles`);
4. the container's: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, or `…_FULL_URI` with a token file;
5. the instance's metadata service, unless `AWS_EC2_METADATA_DISABLED` is true.

Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers". obstore knows
1, 2, 4 and 5; it does not know `~/.aws`, and it would wait long for a metadata service that is
not there, which is why that one is looked for here first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pointsman.errors import StoreMisconfigured
from pointsman.stores import metadata_service

_SET_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_WEB_IDENTITY = "AWS_WEB_IDENTITY_TOKEN_FILE"
_RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 — a variable's name
_METADATA_ENDPOINT = "http://169.254.169.254"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the client gets its keys: `settings` are obstore's; `check` fails where none will come.

    `region` and `endpoint` are what a profile says of them.
    """

    source: str
    settings: Mapping[str, Any]
    region: str = ""
    endpoint: str = ""
    check: Callable[[], None] = field(default=lambda: None)


def find(environment: Mapping[str, str]) -> Credentials:
    """Return the first credentials there are; contacts nothing.

    Raises `StoreMisconfigured` when there are none, or only a part of some.
    """
    found = (
        _keys(environment)
        or _web_identity(environment)
        or _profile(environment)
        or _container(environment)
        or _instance(environment)
    )
    if found is None:
        raise StoreMisconfigured(
            "there are no credentials for the store in the environment", f"{_SET_KEYS}."
        )
    return found


def _keys(environment: Mapping[str, str]) -> Credentials | None:
    key, secret = (environment.get(f"AWS_{n}", "") for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    if not key and not secret:
        return None
    if not key or not secret:
        given, missing = "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"
        if secret:
            given, missing = missing, given
        raise StoreMisconfigured(f"AWS_{given} is set and AWS_{missing} is not", "Set both.")
    answer = {
        "access_key_id": key,
        "secret_access_key": secret,
        "token": environment.get("AWS_SESSION_TOKEN") or None,
        "expires_at": None,
    }
    # A callable, because obstore would mix keys given as settings with a token of its environment.
    return Credentials("keys", {"credential_provider": lambda: answer})


def _web_identity(environment: Mapping[str, str]) -> Credentials | None:
    file = environment.get(_WEB_IDENTITY)
    if not file:
        return None
    role = environment.get("AWS_ROLE_ARN")
    if not role:
        raise StoreMisconfigured(
            f"{_WEB_IDENTITY} is set and AWS_ROLE_ARN is not", "Set it to the role to assume."
        )
    if not Path(file).is_file():
        raise StoreMisconfigured(
            f"{_WEB_IDENTITY} names {file}, and there is no such file",
            "The platform writes it: is its identity provider enabled for this app?",
        )
    settings = {"web_identity_token_file": file, "role_arn": role}
    if session := environment.get("AWS_ROLE_SESSION_NAME"):
        settings["role_session_name"] = session
    if endpoint := environment.get("AWS_ENDPOINT_URL_STS"):
        settings["aws_endpoint_url_sts"] = endpoint
    return Credentials("web identity", settings)


def _profile(environment: Mapping[str, str]) -> Credentials | None:
    name = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    if not name and not any(path.is_file() for path in _profile_files(environment)):
        return None
    if find_spec("boto3") is None:
        if not name:
            return None
        raise StoreMisconfigured(
            f"the AWS profile {name} needs boto3, which is not installed",
            f"pip install 'pointsman-registry[aws]'. Or: {_SET_KEYS}.",
        )
    from pointsman.stores import profiles

    found = profiles.find(name)
    if found is None:
        return None
    settings = {"credential_provider": found}
    # Asked before each request too: what goes wrong inside the client loses its words.
    return Credentials("profile", settings, found.region, found.endpoint, check=found.require)


def _profile_files(environment: Mapping[str, str]) -> tuple[Path, Path]:
    return (
        Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser(),
        Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser(),
    )


def _container(environment: Mapping[str, str]) -> Credentials | None:
    if relative := environment.get(_RELATIVE_URI):
        return Credentials("container", {_RELATIVE_URI.lower(): relative})
    if not (full := environment.get(_FULL_URI)):
        return None
    if not (token_file := environment.get(_TOKEN_FILE)):
        raise StoreMisconfigured(
            f"{_FULL_URI} is set and {_TOKEN_FILE} is not",
            f"Both come from the platform (EKS Pod Identity). Or: {_SET_KEYS}.",
        )
    return Credentials("container", {_FULL_URI.lower(): full, _TOKEN_FILE.lower(): token_file})


def _instance(environment: Mapping[str, str]) -> Credentials | None:
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _METADATA_ENDPOINT
    service = metadata_service.MetadataService(endpoint.rstrip("/"), f"{_SET_KEYS}.")
    return Credentials("instance", {"aws_metadata_endpoint": service.url}, check=service.require)
