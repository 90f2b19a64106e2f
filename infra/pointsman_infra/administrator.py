"""The operator's own key, from the environment, for resources that no Pulumi package makes.

It is read at the moment of use and never captured, so it gets into no state. Opening a store
with other credentials borrows the same variables, hence the one lock around both.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman_infra.api.buckets import Buckets
from pointsman_infra.api.endpoint import Endpoint
from pointsman_infra.api.principals import Principals
from pointsman_infra.api.signature import Signer
from pointsman_infra.errors import AccessRefused

_BORROWED = RLock()
_REPLACED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)


def buckets(endpoint: str, region: str) -> Buckets:
    """Return the server's buckets; raises `AccessRefused` when the environment holds no key."""
    return Buckets(Endpoint(endpoint, _signer(region, "s3")))


def principals(endpoint: str, region: str) -> Principals:
    """Return the server's users; raises `AccessRefused` when the environment holds no key."""
    return Principals(Endpoint(endpoint, _signer(region, "iam")))


def open_with(url: str, environment: Mapping[str, str]) -> ObjectStore:
    """Open a store with the variables given, whatever the process's own are.

    Raises `StoreMisconfigured`. A store takes its credentials when it is opened, so the
    variables are put back before this returns.
    """
    with _borrowed(environment):
        return open_store(url)


def _signer(region: str, service: str) -> Signer:
    with _BORROWED:
        key = os.environ.get("AWS_ACCESS_KEY_ID", "")
        secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        token = os.environ.get("AWS_SESSION_TOKEN", "")
    if not key or not secret:
        raise AccessRefused(
            "there is no administrator's key in the environment",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one who may make buckets.",
        )
    return Signer(key, secret, region or "us-east-1", service, token)


@contextmanager
def _borrowed(environment: Mapping[str, str]) -> Iterator[None]:
    with _BORROWED:
        saved = {name: os.environ.pop(name, None) for name in _REPLACED}
        os.environ.update(environment)
        try:
            yield
        finally:
            for name in environment:
                os.environ.pop(name, None)
            os.environ.update({name: value for name, value in saved.items() if value is not None})
