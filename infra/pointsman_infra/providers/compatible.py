"""A bucket on any S3 endpoint; principals too, where the server speaks the IAM protocol.

Where it does not (Railway, or Tigris through its console), the two keys are made there and
given by environment variables.
"""

from pulumi import Resource, ResourceOptions

from pointsman_infra import given, policies
from pointsman_infra.dynamic.access_key import AccessKey
from pointsman_infra.dynamic.bucket import Bucket
from pointsman_infra.dynamic.principal import Principal
from pointsman_infra.provisioned import Key, Provisioned, guarded
from pointsman_infra.settings import Settings


def provision(settings: Settings) -> Provisioned:
    """Declare the bucket, and both principals unless their keys are given."""
    bucket = Bucket(
        "models",
        bucket=settings.bucket,
        endpoint=settings.endpoint,
        region=settings.region,
        force=settings.destroying,
        opts=guarded(settings),
    )
    if settings.iam_endpoint:
        # Not every server knows the actions of listing uploads; none needs them to end one.
        write = policies.publisher(settings.bucket, lists_uploads=False)
        publisher = _principal("publisher", write, settings, bucket)
        runtime = _principal("runtime", policies.runtime(settings.bucket), settings, bucket)
    else:
        publisher, runtime = given.key("publisher"), given.key("runtime")
    return Provisioned(
        store=f"s3://{settings.bucket}",
        endpoint=settings.endpoint,
        region=settings.region or "us-east-1",
        publisher=publisher,
        runtime=runtime,
        needed=[bucket],
    )


def _principal(role: str, policy: str, settings: Settings, bucket: Resource) -> Key:
    """Declare a user with one policy and its live keys; the last key is the one handed out."""
    where = {"endpoint": settings.iam_endpoint, "region": settings.region}
    user = Principal(
        role,
        user=f"{settings.bucket}-{role}",
        policy=policy,
        opts=ResourceOptions(depends_on=[bucket]),
        **where,
    )
    keys = [
        AccessKey(
            f"{role}-key-{serial}", user=user.id, opts=ResourceOptions(depends_on=[user]), **where
        )
        for serial in getattr(settings.keys, role)
    ]
    return Key(access_key_id=keys[-1].access_key_id, secret_access_key=keys[-1].secret_access_key)
