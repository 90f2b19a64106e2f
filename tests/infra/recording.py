"""Running a provider against Pulumi's mocks, and keeping every registration with its options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from tests.fakes.pulumi_engine.clouds import Clouds


@dataclass(frozen=True, slots=True)
class Registration:
    """One resource as the program asked for it."""

    kind: str
    name: str
    inputs: dict[str, Any]
    options: Any


class _Mocks(pulumi.runtime.Mocks):
    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        return Clouds().make(args.typ, args.name, args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise NotImplementedError(args.token)


class _Monitor(mocks.MockMonitor):
    def __init__(self, registrations: dict[str, Registration]) -> None:
        super().__init__(_Mocks())
        self._registrations = registrations

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        inputs = rpc.deserialize_properties(request.object)
        self._registrations[request.name] = Registration(
            request.type, request.name, inputs, request
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def recorded(program: Callable[[], Any], *, mode: str = "up") -> dict[str, Registration]:
    """Run a program; return its registrations by name, once none is outstanding."""
    registrations: dict[str, Registration] = {}
    pulumi.runtime.set_mocks(
        _Mocks(),
        "pointsman",
        "production",
        preview=mode == "preview",
        monitor=_Monitor(registrations),
    )
    run: Callable[[], None] = pulumi.runtime.test(program)  # type: ignore[no-untyped-call]
    run()
    return registrations
