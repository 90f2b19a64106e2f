"""Whom a token belongs to, and how far it reaches: what Railway's own command does not say."""

from contextlib import suppress
from dataclasses import dataclass

from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.errors import NotAuthorized, RailwayError
from pointsman_cli.platforms.railway.api.token import (
    BEARER_VARIABLE,
    PROJECT_VARIABLE,
    Kind,
    Token,
)

_FIND_OUT = "find out whose token this is"


@dataclass(frozen=True, slots=True)
class Named:
    """Something with an id and a name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A token's kind and owner; a project's token knows its project and environment."""

    kind: Kind
    owner: str
    workspaces: tuple[Named, ...] = ()
    project: Named | None = None
    environment: Named | None = None

    @property
    def sentence(self) -> str:
        """Say what kind of token it is, and what it reaches."""
        if self.project and self.environment:
            return (
                f"a project token: it reaches environment {self.environment.name} of project "
                f"{self.project.name}, and nothing else"
            )
        within = ", ".join(each.name for each in self.workspaces) or "no workspace"
        if self.kind is Kind.WORKSPACE:
            return f"a workspace token: it reaches {within}"
        return f"an account token of {self.owner}: it reaches {within}"


def identify(client: Client) -> Identity:
    """Return whose token the client has; raises `UsageError` when it is in the wrong variable."""
    try:
        return _identity(client)
    except NotAuthorized as refused:
        other = client.token.as_the_other
        with suppress(RailwayError):
            elsewhere = Client(client.base, other, client.tell)
            raise _misplaced(client.token, _identity(elsewhere)) from refused
        raise UsageError(
            f"Railway does not know the token in {client.token.variable}",
            "It was revoked, or belongs to another server: make a new one at "
            "https://railway.com/account/tokens (accounts and workspaces) or in the project's "
            "settings.",
        ) from refused


def _identity(client: Client) -> Identity:
    if client.token.of_project:
        return _of_project(client)
    try:
        me = client.ask(_FIND_OUT, "viewer")["me"]
    except NotAuthorized:
        # `me` is what a workspace's token may not ask.
        context = client.ask(_FIND_OUT, "token_workspaces")["apiToken"]
        return Identity(Kind.WORKSPACE, "", _named(context["workspaces"]))
    owner = me.get("name") or me["email"]
    return Identity(Kind.ACCOUNT, owner, _named(me["workspaces"]))


def _of_project(client: Client) -> Identity:
    found = client.ask(_FIND_OUT, "token_project")["projectToken"]
    project = Named(found["projectId"], found["project"]["name"])
    environment = Named(found["environmentId"], found["environment"]["name"])
    return Identity(Kind.PROJECT, "", (), project, environment)


def _named(nodes: list[dict[str, str]]) -> tuple[Named, ...]:
    return tuple(Named(node["id"], node["name"]) for node in nodes)


def _misplaced(token: Token, identity: Identity) -> UsageError:
    right = BEARER_VARIABLE if token.of_project else PROJECT_VARIABLE
    return UsageError(
        f"{token.variable} holds {identity.sentence}",
        f"That kind belongs into {right}: export {right}=… and unset {token.variable}.",
    )
