"""Cloudflare R2: a bucket for models, one for heartbeats, and two tokens.

Tokens are scoped to buckets and never to prefixes, hence the second bucket: the runtime reads
the first and writes only the second. Write access includes deleting; a lock on published files
is R2's answer to that. As an S3 key, a token's id is the key's id, and the SHA-256 of its value
is the secret.

Sources: developers.cloudflare.com/r2/api/tokens, …/r2/buckets/object-lifecycles, …/bucket-locks.
"""

import hashlib
import json
from typing import Any

from pulumi import Resource, ResourceOptions

from pointsman_infra.cloudflare import AccountToken, R2Bucket, R2BucketLifecycle, R2BucketLock
from pointsman_infra.errors import ProvisioningFailed
from pointsman_infra.provisioned import Key, Provisioned, guarded
from pointsman_infra.settings import Settings

ITEM_READ = "6a018a9f2fc74eb6b293b0c548f38b39"
ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6"

_DAY_SECONDS = 86_400
_UPLOAD_DAYS = 3


def provision(settings: Settings) -> Provisioned:
    """Declare both buckets with their rules, and the tokens of both principals."""
    models = _bucket("models", settings.bucket, settings)
    fleet = _bucket("fleet", settings.fleet, settings)
    rules = [_lifecycle("models", models, settings), _lifecycle("fleet", fleet, settings)]
    lock = [_lock(models, settings)] if settings.lock_days and not settings.destroying else []
    needs = ResourceOptions(depends_on=[models, fleet])
    write, read = (ITEM_WRITE, ITEM_READ)
    return Provisioned(
        store=f"s3://{settings.bucket}",
        fleet=f"s3://{settings.fleet}",
        endpoint=_endpoint(settings),
        region="auto",
        publisher=_token(
            "publisher", {settings.bucket: write, settings.fleet: read}, settings, needs
        ),
        runtime=_token("runtime", {settings.bucket: read, settings.fleet: write}, settings, needs),
        needed=[models, fleet, *rules, *lock],
    )


def _bucket(name: str, bucket: str, settings: Settings) -> R2Bucket:
    return R2Bucket(
        name,
        account_id=settings.account,
        name=bucket,
        jurisdiction=settings.jurisdiction,
        location=settings.location,
        # The location is a hint; Cloudflare answers in capitals, which is no reason to replace.
        opts=guarded(settings, ignore_changes=["location"]),
    )


def _lifecycle(name: str, bucket: R2Bucket, settings: Settings) -> Resource:
    age = {"type": "Age", "maxAge": _UPLOAD_DAYS * _DAY_SECONDS}
    return R2BucketLifecycle(
        f"{name}-lifecycle",
        account_id=settings.account,
        bucket_name=bucket.name,
        jurisdiction=settings.jurisdiction,
        rules=[
            {
                "id": "aborted-uploads",
                "enabled": True,
                "conditions": {"prefix": ""},
                "abortMultipartUploadsTransition": {"condition": age},
            }
        ],
        opts=ResourceOptions(depends_on=[bucket]),
    )


def _lock(bucket: R2Bucket, settings: Settings) -> Resource:
    """Lock what publishing creates once; channels beside it have to stay writable."""
    condition = {"type": "Age", "maxAgeSeconds": settings.lock_days * _DAY_SECONDS}
    return R2BucketLock(
        "models-lock",
        account_id=settings.account,
        bucket_name=bucket.name,
        jurisdiction=settings.jurisdiction,
        rules=[
            {
                "id": f"{model}-{kind}",
                "enabled": True,
                "prefix": f"models/{model}/{kind}/",
                "condition": condition,
            }
            for model in settings.lock_models
            for kind in ("blobs", "versions")
        ],
        opts=ResourceOptions(depends_on=[bucket]),
    )


def _token(role: str, access: dict[str, str], settings: Settings, opts: ResourceOptions) -> Key:
    """Declare a principal's live tokens; the last one is handed out, as an S3 key."""
    tokens = [
        AccountToken(
            f"{role}-key-{serial}",
            account_id=settings.account,
            name=f"{settings.bucket} {role} {serial}",
            policies=[_policy(bucket, group, settings) for bucket, group in access.items()],
            opts=opts,
        )
        for serial in getattr(settings.keys, role)
    ]
    newest = tokens[-1]
    return Key(
        access_key_id=newest.id,
        # The value is a secret output, and what is derived from one is one.
        secret_access_key=newest.value.apply(lambda value: _secret(role, value)),
    )


def _policy(bucket: str, group: str, settings: Settings) -> dict[str, Any]:
    scope = f"com.cloudflare.edge.r2.bucket.{settings.account}_{settings.jurisdiction}_{bucket}"
    return {
        "effect": "allow",
        "permissionGroups": [{"id": group}],
        "resources": json.dumps({scope: "*"}),
    }


def _secret(role: str, value: str | None) -> str:
    if not value:
        raise ProvisioningFailed(
            f"Cloudflare no longer tells the value of the {role}'s token",
            f"`pointsman infra rotate --role {role}` makes a new one.",
        )
    return hashlib.sha256(value.encode()).hexdigest()


def _endpoint(settings: Settings) -> str:
    part = "" if settings.jurisdiction == "default" else f".{settings.jurisdiction}"
    return f"https://{settings.account}{part}.r2.cloudflarestorage.com"
