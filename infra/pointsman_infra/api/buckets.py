"""Buckets on any S3 endpoint: made once, given rules where the server knows rules, looked at.

Servers differ in what they know: versioning and lifecycle rules are asked for, and it is not an
error where there are none (Railway's buckets have neither).
"""

from http import HTTPStatus
from urllib.parse import quote

from pointsman_infra.api.endpoint import Endpoint, Refusal, explained, found

_SAFE = "/-_.~"
_UNKNOWN = {"NotImplemented", "MethodNotAllowed", "InvalidRequest", "MalformedXML"}
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Buckets:
    """The buckets of one server, as its administrator sees them; raises `InfraError`s."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def exists(self, bucket: str) -> bool:
        """Tell whether the bucket is there and may be looked into."""
        try:
            self._endpoint.send("HEAD", f"/{bucket}")
        except Refusal as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                return False
            raise explained(refusal, "s3:ListBucket", bucket) from refusal
        return True

    def create(self, bucket: str) -> None:
        """Make the bucket; one that is there and ours is what a repeated `up` finds."""
        try:
            self._endpoint.send("PUT", f"/{bucket}")
        except Refusal as refusal:
            taken = refusal.code in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}
            if not (taken and self._ours(bucket)):
                raise explained(refusal, "s3:CreateBucket", bucket) from refusal

    def delete(self, bucket: str) -> None:
        """Remove an empty bucket; one that is gone is fine."""
        try:
            self._endpoint.send("DELETE", f"/{bucket}")
        except Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise explained(refusal, "s3:DeleteBucket", bucket) from refusal

    def version(self, bucket: str) -> bool:
        """Ask for old versions to be kept; False where the server cannot."""
        document = (
            f"<VersioningConfiguration {_NAMESPACE}><Status>Enabled</Status>"
            "</VersioningConfiguration>"
        )
        return self._configure(bucket, "versioning", document)

    def versioned(self, bucket: str) -> bool:
        """Tell whether old versions are kept."""
        try:
            answer = self._endpoint.send("GET", f"/{bucket}", {"versioning": ""})
        except Refusal:
            return False
        return found("Status", answer) == "Enabled"

    def expire(self, bucket: str, *, upload_days: int, noncurrent_days: int) -> bool:
        """Ask for dangling uploads and old versions to be removed; False where it cannot."""
        document = (
            f"<LifecycleConfiguration {_NAMESPACE}><Rule><ID>pointsman</ID><Status>Enabled</Status>"
            "<Filter><Prefix></Prefix></Filter>"
            f"<AbortIncompleteMultipartUpload><DaysAfterInitiation>{upload_days}"
            "</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
            f"<NoncurrentVersionExpiration><NoncurrentDays>{noncurrent_days}</NoncurrentDays>"
            "</NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"
        )
        return self._configure(bucket, "lifecycle", document)

    def holds_something(self, bucket: str) -> bool:
        """Tell whether there is any object."""
        try:
            answer = self._endpoint.send("GET", f"/{bucket}", {"list-type": "2", "max-keys": "1"})
        except Refusal as refusal:
            raise explained(refusal, "s3:ListBucket", bucket) from refusal
        return bool(found("Key", answer))

    def empty(self, bucket: str) -> None:
        """Remove every object with all its versions."""
        while pairs := self._page(bucket):
            for key, version in pairs:
                query = {"versionId": version} if version not in {"", "null"} else None
                try:
                    self._endpoint.send("DELETE", f"/{bucket}/{quote(key, safe=_SAFE)}", query)
                except Refusal as refusal:
                    raise explained(refusal, "s3:DeleteObjectVersion", bucket) from refusal

    def _page(self, bucket: str) -> list[tuple[str, str]]:
        try:
            answer = self._endpoint.send("GET", f"/{bucket}", {"versions": ""})
        except Refusal as refusal:
            raise explained(refusal, "s3:ListBucketVersions", bucket) from refusal
        entries = [
            part for tag in ("Version", "DeleteMarker") for part in answer.split(f"<{tag}>")[1:]
        ]
        return [(found("Key", entry), found("VersionId", entry)) for entry in entries]

    def _ours(self, bucket: str) -> bool:
        try:
            self._endpoint.send("HEAD", f"/{bucket}")
        except Refusal:
            return False
        return True

    def _configure(self, bucket: str, what: str, document: str) -> bool:
        body = document.encode()
        try:
            self._endpoint.send("PUT", f"/{bucket}", {what: ""}, body)
        except Refusal as refusal:
            if refusal.status == HTTPStatus.NOT_IMPLEMENTED or refusal.code in _UNKNOWN:
                return False
            raise explained(refusal, f"s3:Put{what.capitalize()}Configuration", bucket) from refusal
        return True
