"""An access key of a principal, on a server that speaks the IAM protocol."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

from pointsman_infra import administrator
from pointsman_infra.api.principals import Principals
from pointsman_infra.dynamic.failure import told


class AccessKeyProvider(ResourceProvider):
    """Issues and revokes the key, by the administrator's key in the environment."""

    serialize_as_secret_always = False

    def diff(self, _id: str, olds: Any, news: Any) -> DiffResult:
        """Another user is another key; nothing else of a key ever changes."""
        replaces = [name for name in ("user", "endpoint") if olds[name] != news[name]]
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def create(self, props: Any) -> CreateResult:
        """Issue a key: its secret is told this once."""
        with told():
            key = _principals(props).issue(props["user"])
        issued = {
            "access_key_id": key.access_key_id,
            "secret_access_key": key.secret_access_key,
        }
        return CreateResult(key.access_key_id, dict(props) | issued)

    def read(self, id_: str, props: Any) -> ReadResult:
        """Look whether the key is still good for anything."""
        with told():
            live = id_ in _principals(props).keys(props["user"])
        return ReadResult(id_, dict(props)) if live else ReadResult("", {})

    def delete(self, id_: str, props: Any) -> None:
        """Make the key useless."""
        with told():
            _principals(props).revoke(props["user"], id_)


class AccessKey(Resource, module="pointsman", name="AccessKey"):
    """One key; its secret is encrypted in the state."""

    access_key_id: Output[str]
    secret_access_key: Output[str]

    def __init__(
        self, name: str, *, user: Input[str], endpoint: str, region: str, opts: ResourceOptions
    ) -> None:
        props = {
            "user": user,
            "endpoint": endpoint,
            "region": region,
            "access_key_id": None,
            "secret_access_key": None,
        }
        secret = ResourceOptions(additional_secret_outputs=["secret_access_key"])
        super().__init__(AccessKeyProvider(), name, props, ResourceOptions.merge(opts, secret))


def _principals(props: Any) -> Principals:
    return administrator.principals(props["endpoint"], props["region"])
