"""S3 with IAM, by pulumi-aws: a private, versioned, encrypted bucket and two narrow principals.

With `fly_organization` and `fly_app` the runtime is a role that only machines of that app can
take on, and no key of it exists anywhere.

Sources: the documentation of pulumi-aws 7 (one resource per property of a bucket);
fly.io/docs/security/openid-connect.
"""

import warnings
from typing import Any

from pulumi import Output, Resource, ResourceOptions

from pointsman_infra import policies
from pointsman_infra.provisioned import Key, Provisioned, guarded
from pointsman_infra.settings import Settings

_UPLOAD_DAYS = 3
_NONCURRENT_DAYS = 90
_PATH = "/pointsman/"


def provision(settings: Settings) -> Provisioned:
    """Declare the bucket with its rules, the publisher, and the runtime as user or role."""
    aws = _sdk()
    provider = aws.Provider(
        "aws",
        region=settings.region,
        default_tags={"tags": {"managed-by": "pointsman", "bucket": settings.bucket}},
    )
    options = ResourceOptions(provider=provider)
    bucket = aws.s3.Bucket(
        "models",
        bucket=settings.bucket,
        force_destroy=settings.destroying,
        opts=guarded(settings, provider=provider),
    )
    rules = _rules(aws, bucket, settings, options)
    publisher = _user(aws, "publisher", policies.publisher(settings.bucket), settings, options)
    role = settings.fly_organization
    return Provisioned(
        store=f"s3://{settings.bucket}",
        region=settings.region,
        publisher=publisher,
        runtime=None
        if role
        else _user(aws, "runtime", policies.runtime(settings.bucket), settings, options),
        role_arn=_fly_role(aws, settings, options) if role else "",
        needed=[bucket, *rules],
    )


def _sdk() -> Any:
    """Import the SDK, whose own deprecated modules warn as they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pulumi_aws

        _ = (pulumi_aws.s3.Bucket, pulumi_aws.iam.User)
    return pulumi_aws


def _rules(aws: Any, bucket: Any, settings: Settings, options: ResourceOptions) -> list[Resource]:
    """Declare what makes the bucket private, encrypted, versioned, and tidy."""
    name = bucket.id
    private = aws.s3.BucketPublicAccessBlock(
        "models-private",
        bucket=name,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options,
    )
    owned = aws.s3.BucketOwnershipControls(
        "models-owned",
        bucket=name,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=options,
    )
    encrypted = aws.s3.BucketServerSideEncryptionConfiguration(
        "models-encrypted",
        bucket=name,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                "bucket_key_enabled": True,
            }
        ],
        opts=options,
    )
    versioned = aws.s3.BucketVersioning(
        "models-versioned",
        bucket=name,
        versioning_configuration={"status": "Enabled"},
        opts=options,
    )
    policy = aws.s3.BucketPolicy(
        "models-policy",
        bucket=name,
        policy=policies.bucket_policy(settings.bucket),
        # S3 refuses a policy while it still has to find out whether the policy is public.
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[private])),
    )
    tidy = _lifecycle(
        aws, name, ResourceOptions.merge(options, ResourceOptions(depends_on=[versioned]))
    )
    return [private, owned, encrypted, versioned, policy, tidy]


def _lifecycle(aws: Any, bucket: Output[str], options: ResourceOptions) -> Resource:
    everything = {"prefix": ""}
    lifecycle: Resource = aws.s3.BucketLifecycleConfiguration(
        "models-lifecycle",
        bucket=bucket,
        rules=[
            {
                "id": "aborted-uploads",
                "status": "Enabled",
                "filter": everything,
                "abort_incomplete_multipart_upload": {"days_after_initiation": _UPLOAD_DAYS},
            },
            {
                "id": "noncurrent-versions",
                "status": "Enabled",
                "filter": everything,
                "noncurrent_version_expiration": {"noncurrent_days": _NONCURRENT_DAYS},
                "expiration": {"expired_object_delete_marker": True},
            },
        ],
        opts=options,
    )
    return lifecycle


def _user(aws: Any, role: str, policy: str, settings: Settings, options: ResourceOptions) -> Key:
    """Declare a user with one policy and its live keys; the last key is the one handed out."""
    user = aws.iam.User(role, name=f"{settings.bucket}-{role}", path=_PATH, opts=options)
    aws.iam.UserPolicy(f"{role}-policy", user=user.name, policy=policy, opts=options)
    keys = [
        aws.iam.AccessKey(f"{role}-key-{serial}", user=user.name, opts=options)
        for serial in getattr(settings.keys, role)
    ]
    return Key(access_key_id=keys[-1].id, secret_access_key=keys[-1].secret)


def _fly_role(aws: Any, settings: Settings, options: ResourceOptions) -> Output[str]:
    """Declare the role of one Fly app; an account can hold only one provider per issuer."""
    identity_provider = (
        settings.fly_identity_provider
        or aws.iam.OpenIdConnectProvider(
            "fly",
            url=policies.fly_issuer(settings.fly_organization),
            client_id_lists=["sts.amazonaws.com"],
            opts=options,
        ).arn
    )
    trust = Output.from_input(identity_provider).apply(
        lambda arn: policies.fly_trust(arn, settings.fly_organization, settings.fly_app)
    )
    role = aws.iam.Role(
        "runtime",
        name=f"{settings.bucket}-runtime",
        path=_PATH,
        assume_role_policy=trust,
        opts=options,
    )
    aws.iam.RolePolicy(
        "runtime-policy", role=role.name, policy=policies.runtime(settings.bucket), opts=options
    )
    arn: Output[str] = role.arn
    return arn
