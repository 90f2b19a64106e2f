"""The four Cloudflare resources that R2 needs, declared by hand.

Cloudflare's own package takes ten seconds and 375 MiB to import, for any use of it. A
declaration is a type, its members in camelCase, and the plugin's version; a contract test
compares these with the package wherever that is installed.

Source: the schema of Cloudflare's provider for Pulumi, version 6.
"""

from collections.abc import Sequence
from typing import Any

from pulumi import CustomResource, Input, Output, ResourceOptions

PLUGIN_VERSION = "6.23.1"


class R2Bucket(CustomResource):
    """A bucket; it has no versioning, ACL or policy, and must be empty to be deleted."""

    TOKEN = "cloudflare:index/r2Bucket:R2Bucket"  # noqa: S105 — the engine's word for a type
    name: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        account_id: str,
        name: str,
        jurisdiction: str,
        location: str = "",
        opts: ResourceOptions,
    ) -> None:
        members = {"accountId": account_id, "name": name, "jurisdiction": jurisdiction}
        super().__init__(
            self.TOKEN,
            resource_name,
            members | ({"location": location} if location else {}),
            _pinned(opts),
        )


class R2BucketLifecycle(CustomResource):
    """The rules by which a bucket tidies itself; replaces Cloudflare's default rules."""

    TOKEN = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle"  # noqa: S105 — as above

    def __init__(
        self,
        resource_name: str,
        *,
        account_id: str,
        bucket_name: Input[str],
        jurisdiction: str,
        rules: Sequence[dict[str, Any]],
        opts: ResourceOptions,
    ) -> None:
        members = _of_bucket(account_id, bucket_name, jurisdiction) | {"rules": list(rules)}
        super().__init__(self.TOKEN, resource_name, members, _pinned(opts))


class R2BucketLock(CustomResource):
    """Rules that forbid overwriting and deleting, whatever a token may do."""

    TOKEN = "cloudflare:index/r2BucketLock:R2BucketLock"  # noqa: S105 — as above

    def __init__(
        self,
        resource_name: str,
        *,
        account_id: str,
        bucket_name: Input[str],
        jurisdiction: str,
        rules: Sequence[dict[str, Any]],
        opts: ResourceOptions,
    ) -> None:
        members = _of_bucket(account_id, bucket_name, jurisdiction) | {"rules": list(rules)}
        super().__init__(self.TOKEN, resource_name, members, _pinned(opts))


class AccountToken(CustomResource):
    """An API token that belongs to the account, and outlives whoever made it."""

    TOKEN = "cloudflare:index/accountToken:AccountToken"  # noqa: S105 — as above
    value: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        account_id: str,
        name: str,
        policies: Sequence[dict[str, Any]],
        opts: ResourceOptions,
    ) -> None:
        secret = ResourceOptions(additional_secret_outputs=["value"])
        members = {
            "accountId": account_id,
            "name": name,
            "policies": list(policies),
            "value": None,
        }
        super().__init__(
            self.TOKEN, resource_name, members, ResourceOptions.merge(_pinned(opts), secret)
        )


def _of_bucket(account_id: str, bucket_name: Input[str], jurisdiction: str) -> dict[str, Any]:
    return {"accountId": account_id, "bucketName": bucket_name, "jurisdiction": jurisdiction}


def _pinned(opts: ResourceOptions) -> ResourceOptions:
    return ResourceOptions.merge(opts, ResourceOptions(version=PLUGIN_VERSION))
