"""One question to the fake Railway: who asks, of what world, and how fields find answers."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from tests.fakes.railway.faults import Faults
from tests.fakes.railway.releases import Releases
from tests.fakes.railway.world import Instance, Project, Thing, World

Document = dict[str, Any]
Answer = Callable[..., Any]


@dataclass
class Caller:
    """Who asks: `kind` is account, workspace or project, which has one project to itself."""

    kind: str
    project: tuple[Project, Thing] | None = None


@dataclass
class Call:
    """The root of a question; `answers` are found by their field's name."""

    world: World
    faults: Faults
    releases: Releases
    caller: Caller
    operation: str
    answers: dict[str, Answer]

    def needs(self, *kinds: str) -> None:
        """Refuse whoever has a token of another kind."""
        if self.caller.kind not in kinds:
            raise GraphQLError("Not Authorized")

    def reach(self, environment: str) -> None:
        """Refuse a project's token outside of its environment."""
        own = self.caller.project
        if own and own[1].id != environment:
            raise GraphQLError("Not Authorized")

    def instance(self, service: str, environment: str) -> Instance:
        """Return a service in an environment."""
        self.reach(environment)
        found = self.world.instances.get((service, environment))
        if found is None or found.deleted:
            raise GraphQLError("ServiceInstance not found")
        return found


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """Return a field's value: of the root by asking, of everything else by its key."""
    if isinstance(source, Call):
        named = {_snake(name): value for name, value in arguments.items()}
        return source.answers[_snake(info.field_name)](source, **named)
    return source.get(info.field_name)


def connection(nodes: Iterable[Document]) -> Document:
    """Return nodes the way Railway lists them."""
    return {"edges": [{"node": node} for node in nodes], "pageInfo": {"hasNextPage": False}}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
