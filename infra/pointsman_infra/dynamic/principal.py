"""A principal on a server that speaks the IAM protocol: a user that may do what its policy says."""

import json
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
from pointsman_infra.api.principals import Principals
from pointsman_infra.dynamic.failure import told


class PrincipalProvider(ResourceProvider):
    """Makes, permits and removes the user, by the administrator's key in the environment."""

    serialize_as_secret_always = False

    def diff(self, _id: str, olds: Any, news: Any) -> DiffResult:
        """Another name is another user; another policy is put in place of the old one."""
        replaces = [name for name in ("user", "endpoint") if olds[name] != news[name]]
        changed = _meaning(olds["policy"]) != _meaning(news["policy"])
        return DiffResult(changes=bool(replaces or changed), replaces=replaces)

    def create(self, props: Any) -> CreateResult:
        """Make the user with its policy."""
        with told():
            _principals(props).create(props["user"], props["policy"])
            return CreateResult(props["user"], dict(props))

    def update(self, id_: str, _olds: Any, news: Any) -> UpdateResult:
        """Put the policy in place of the old one."""
        with told():
            _principals(news).permit(id_, news["policy"])
            return UpdateResult(dict(news))

    def read(self, id_: str, props: Any) -> ReadResult:
        """Look what the user may do now; one without a policy has to be made again."""
        with told():
            policy = _principals(props).policy(id_)
        if policy is None:
            return ReadResult("", {})
        same = _meaning(policy) == _meaning(props["policy"])
        return ReadResult(id_, dict(props) if same else dict(props) | {"policy": policy})

    def delete(self, id_: str, props: Any) -> None:
        """Remove the user, whose keys went before it."""
        with told():
            _principals(props).delete(id_)


class Principal(Resource, module="pointsman", name="Principal"):
    """One user with one policy."""

    def __init__(
        self,
        name: str,
        *,
        user: str,
        policy: Input[str],
        endpoint: str,
        region: str,
        opts: ResourceOptions,
    ) -> None:
        props = {"user": user, "policy": policy, "endpoint": endpoint, "region": region}
        super().__init__(PrincipalProvider(), name, props, opts)


def _principals(props: Any) -> Principals:
    return administrator.principals(props["endpoint"], props["region"])


def _meaning(policy: str) -> Any:
    """Read a policy, so that spaces and order of members do not count as a change.

    Servers write a list of one as its element, or the other way round.
    """
    try:
        return _plain(json.loads(policy))
    except ValueError:
        return policy


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items() if member not in ("", None)}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(member) for member in value]
    return value
