"""Principals and their keys by the IAM protocol, which SeaweedFS and Ceph speak as AWS does.

Source: docs.aws.amazon.com/IAM/latest/APIReference. Making is repeatable: what is there already
is taken as it is, and what is gone already counts as removed.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from pointsman_infra.api.endpoint import Endpoint, Refusal, explained, found
from pointsman_infra.outputs import Credentials

_VERSION = "2010-05-08"
_POLICY = "pointsman"


@dataclass(frozen=True, slots=True)
class Principals:
    """The users of one server; raises `InfraError`s."""

    endpoint: Endpoint

    def create(self, user: str, policy: str) -> None:
        """Make the user, and let it do what `policy` says and nothing else."""
        self._ask("CreateUser", user, tolerated=("EntityAlreadyExists",), UserName=user)
        self.permit(user, policy)

    def permit(self, user: str, policy: str) -> None:
        """Replace what the user may do."""
        self._ask("PutUserPolicy", user, UserName=user, PolicyName=_POLICY, PolicyDocument=policy)

    def policy(self, user: str) -> str | None:
        """Return what the user may do; None when there is no such user or policy."""
        try:
            answer = self._send("GetUserPolicy", UserName=user, PolicyName=_POLICY)
        except Refusal as refusal:
            if _gone(refusal):
                return None
            raise explained(refusal, "iam:GetUserPolicy", user) from refusal
        return found("PolicyDocument", answer)

    def delete(self, user: str) -> None:
        """Remove the user and its policy; its keys must be gone."""
        gone = ("NoSuchEntity",)
        self._ask("DeleteUserPolicy", user, tolerated=gone, UserName=user, PolicyName=_POLICY)
        self._ask("DeleteUser", user, tolerated=gone, UserName=user)

    def issue(self, user: str) -> Credentials:
        """Give the user one more key."""
        answer = self._ask("CreateAccessKey", user, UserName=user)
        return Credentials(found("AccessKeyId", answer), found("SecretAccessKey", answer))

    def keys(self, user: str) -> list[str]:
        """Return the ids of the user's keys; none when there is no such user."""
        answer = self._ask("ListAccessKeys", user, tolerated=("NoSuchEntity",), UserName=user)
        return re.findall(r"<AccessKeyId>(.*?)</AccessKeyId>", answer)

    def revoke(self, user: str, access_key_id: str) -> None:
        """Make a key useless, at once and for ever."""
        self._ask(
            "DeleteAccessKey",
            user,
            tolerated=("NoSuchEntity",),
            UserName=user,
            AccessKeyId=access_key_id,
        )

    def _ask(
        self, action: str, user: str, tolerated: tuple[str, ...] = (), **parameters: str
    ) -> str:
        try:
            return self._send(action, **parameters)
        except Refusal as refusal:
            if refusal.code in tolerated or ("NoSuchEntity" in tolerated and _gone(refusal)):
                return ""
            raise explained(refusal, f"iam:{action}", user) from refusal

    def _send(self, action: str, **parameters: str) -> str:
        body = urlencode({"Action": action, "Version": _VERSION} | parameters).encode()
        return self.endpoint.send("POST", body=body)


def _gone(refusal: Refusal) -> bool:
    return refusal.code == "NoSuchEntity" or refusal.status == HTTPStatus.NOT_FOUND
