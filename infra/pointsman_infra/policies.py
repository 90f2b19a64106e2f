"""Who may do what: policy documents, built and never sent from here.

The *publisher* writes below `models/` and reads heartbeats. The *runtime* reads `models/` and
writes and removes heartbeats below `fleet/`. Neither can delete a model, and neither can reach
anything else. `s3:ListBucket` is not narrowed by prefix: without it a missing object answers
403 instead of 404, and the condition on a prefix does not count for reading one.

Sources: docs.aws.amazon.com/AmazonS3/latest/userguide, "Actions, resources, and condition keys"
and "Enforce conditional writes"; fly.io/docs/security/openid-connect.
"""

import json
from typing import Any

Statement = dict[str, Any]

_ISSUER = "oidc.fly.io"


def publisher(bucket: str, *, lists_uploads: bool = True) -> str:
    """Return what the publisher may do; some servers do not know the actions of listing uploads."""
    on_objects = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
    on_bucket = ["s3:ListBucket", "s3:GetBucketLocation"]
    if lists_uploads:
        on_objects.append("s3:ListMultipartUploadParts")
        on_bucket.append("s3:ListBucketMultipartUploads")
    return _document(
        _allow(on_objects, _objects(bucket, "models")),
        _allow(["s3:GetObject"], _objects(bucket, "fleet")),
        _allow(on_bucket, _bucket(bucket)),
    )


def runtime(bucket: str) -> str:
    """Return what the service may do."""
    return _document(
        _allow(["s3:GetObject"], _objects(bucket, "models")),
        _allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], _objects(bucket, "fleet")),
        _allow(["s3:ListBucket"], _bucket(bucket)),
    )


def bucket_policy(bucket: str) -> str:
    """Return what nobody may do: speak without TLS, or replace a published manifest."""
    return _document(
        {
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [_bucket(bucket), f"{_bucket(bucket)}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "ManifestsAreCreatedOnce",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{_bucket(bucket)}/models/*/versions/*",
            # The second condition leaves out the first and middle calls of a multipart upload.
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        },
    )


def fly_trust(identity_provider: str, organization: str, app: str) -> str:
    """Return who may become the runtime: machines of one app, by the token Fly gives them."""
    issuer = f"{_ISSUER}/{organization}"
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": identity_provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
                "StringLike": {f"{issuer}:sub": f"{organization}:{app}:*"},
            },
        }
    )


def fly_issuer(organization: str) -> str:
    """Return the URL of whoever vouches for machines of a Fly organization."""
    return f"https://{_ISSUER}/{organization}"


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(actions: list[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _bucket(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def _objects(bucket: str, prefix: str) -> str:
    return f"{_bucket(bucket)}/{prefix}/*"
