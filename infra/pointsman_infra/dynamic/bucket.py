"""A bucket on any S3 endpoint: Tigris, Railway, MinIO, SeaweedFS, and whoever comes next."""

from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from pointsman_infra import administrator
from pointsman_infra.api.buckets import Buckets
from pointsman_infra.dynamic.failure import told
from pointsman_infra.errors import Guarded

UPLOAD_DAYS = 3
NONCURRENT_DAYS = 90
_ON, _OFF, _UNSUPPORTED = "on", "off", "unsupported"


class BucketProvider(ResourceProvider):
    """Makes, looks at and removes the bucket, by the administrator's key in the environment."""

    serialize_as_secret_always = False

    def diff(self, _id: str, olds: Any, news: Any) -> DiffResult:
        """Another name or server is another bucket; versioning that was turned off is repaired."""
        replaces = [name for name in ("bucket", "endpoint") if olds[name] != news[name]]
        changed = olds.get("force") != news["force"] or olds.get("versioning") == _OFF
        return DiffResult(changes=bool(replaces or changed), replaces=replaces)

    def create(self, props: Any) -> CreateResult:
        """Make the bucket and give it its rules; one that is there and ours is taken over."""
        with told():
            _buckets(props).create(props["bucket"])
            return CreateResult(props["bucket"], _configured(props))

    def update(self, _id: str, _olds: Any, news: Any) -> UpdateResult:
        """Give the bucket its rules again."""
        with told():
            return UpdateResult(_configured(news))

    def read(self, id_: str, props: Any) -> ReadResult:
        """Look whether the bucket is there, and whether it still keeps old versions."""
        with told():
            buckets = _buckets(props)
            if not buckets.exists(id_):
                return ReadResult("", {})
            state = dict(props)
            if props.get("versioning") != _UNSUPPORTED:
                state["versioning"] = _ON if buckets.versioned(id_) else _OFF
            return ReadResult(id_, state)

    def delete(self, id_: str, props: Any) -> None:
        """Remove the bucket; with what is in it only when that was asked for by name."""
        with told():
            buckets = _buckets(props)
            if not buckets.exists(id_):
                return
            if props.get("force"):
                buckets.empty(id_)
            elif buckets.holds_something(id_):
                raise Guarded(
                    f"the bucket {id_} is not empty", f"`pointsman infra destroy --force {id_}`."
                )
            buckets.delete(id_)


class Bucket(Resource, module="pointsman", name="Bucket"):
    """One bucket."""

    def __init__(
        self,
        name: str,
        *,
        bucket: Input[str],
        endpoint: str,
        region: str,
        force: bool,
        opts: ResourceOptions,
    ) -> None:
        props = {"bucket": bucket, "endpoint": endpoint, "region": region, "force": force}
        super().__init__(BucketProvider(), name, props, opts)


def _buckets(props: Any) -> Buckets:
    return administrator.buckets(props["endpoint"], props["region"])


def _configured(props: Any) -> dict[str, Any]:
    buckets, bucket = _buckets(props), props["bucket"]
    versioning = _ON if buckets.version(bucket) else _UNSUPPORTED
    expires = buckets.expire(bucket, upload_days=UPLOAD_DAYS, noncurrent_days=NONCURRENT_DAYS)
    return dict(props) | {"versioning": versioning, "expires": expires}
