"""What a provider's resources come to, before they are made: the contract as promises."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pulumi
from pulumi import Output, Resource

from pointsman_infra.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key that may not exist yet; its secret stays one."""

    access_key_id: Output[str]
    secret_access_key: Output[str]

    def output(self) -> Output[dict[str, Any]]:
        """Return both parts as one secret."""
        both = Output.all(
            access_key_id=self.access_key_id, secret_access_key=self.secret_access_key
        )
        return Output.secret(both)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """A store, its keys, and what has to exist before anything is published to it."""

    store: str
    publisher: Key
    runtime: Key | None = None
    fleet: str = ""
    endpoint: str = ""
    region: str = ""
    role_arn: Output[str] | str = ""
    needed: list[Resource] = field(default_factory=list)

    def publisher_environment(self) -> Output[dict[str, Any]]:
        """Return the variables that open the store for publishing, as a secret."""

        def variables(key: dict[str, Any]) -> dict[str, Any]:
            return {
                "AWS_ACCESS_KEY_ID": key["access_key_id"],
                "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
                "AWS_REGION": self.region,
            } | ({"AWS_ENDPOINT_URL_S3": self.endpoint} if self.endpoint else {})

        return self.publisher.output().apply(variables)

    def export(self, settings: Settings) -> None:
        """Hand everything over under the names of `pointsman_infra.outputs.StoreOutputs`."""
        members: dict[str, Any] = {
            "provider": settings.provider.value,
            "bucket": settings.bucket,
            "store": self.store,
            "fleet": self.fleet,
            "endpoint": self.endpoint,
            "region": self.region,
            "role_arn": self.role_arn,
            "keys": msgspec.to_builtins(settings.keys),
            "publisher": self.publisher.output(),
        }
        if self.runtime is not None:
            members["runtime"] = self.runtime.output()
        for name, value in members.items():
            pulumi.export(name, value)


def guarded(settings: Settings, **options: Any) -> pulumi.ResourceOptions:
    """Return the options of a bucket: it can be neither deleted nor replaced by an oversight.

    Only a stack that is being destroyed lifts this.
    """
    kept = not settings.destroying
    return pulumi.ResourceOptions(protect=kept, retain_on_delete=kept, **options)
