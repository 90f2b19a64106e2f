"""The real `python -m pulumi.dynamic`, started and asked over gRPC as the engine does."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.fakes.pulumi_engine import values


class PluginFailed(Exception):
    """The provider raised; the text is its traceback."""


class Plugin:
    """The provider of every dynamic resource of a program."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def check(self, urn: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Return checked inputs; raises `PluginFailed` with the reasons when they are wrong."""
        answer = self._ask(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn, olds=values.written(olds), news=values.written(news)
            ),
        )
        if answer.failures:
            kind, name = urn.split("::")[-2:]
            reasons = "; ".join(failure.reason for failure in answer.failures)
            raise PluginFailed(f"{kind} resource '{name}' has a problem: {reasons}")
        return values.read(answer.inputs)[0]

    def diff(self, id_: str, urn: str, olds: dict[str, Any], news: dict[str, Any]) -> Any:
        """Return whether anything changes, and what of it needs a replacement."""
        return self._ask(
            "Diff",
            provider_pb2.DiffRequest(
                id=id_, urn=urn, olds=values.written(olds), news=values.written(news)
            ),
        )

    def create(self, urn: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Make the resource."""
        request = provider_pb2.CreateRequest(urn=urn, properties=values.written(inputs))
        answer = self._ask("Create", request)
        return answer.id, values.read(answer.properties)[0]

    def update(
        self, id_: str, urn: str, olds: dict[str, Any], news: dict[str, Any]
    ) -> dict[str, Any]:
        """Change the resource in place."""
        request = provider_pb2.UpdateRequest(
            id=id_, urn=urn, olds=values.written(olds), news=values.written(news)
        )
        return values.read(self._ask("Update", request).properties)[0]

    def read(self, id_: str, urn: str, outputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Look at the resource; an empty id says that it is gone."""
        request = provider_pb2.ReadRequest(id=id_, urn=urn, properties=values.written(outputs))
        answer = self._ask("Read", request)
        return answer.id, values.read(answer.properties)[0]

    def delete(self, id_: str, urn: str, outputs: dict[str, Any]) -> None:
        """Remove the resource."""
        self._ask(
            "Delete",
            provider_pb2.DeleteRequest(id=id_, urn=urn, properties=values.written(outputs)),
        )

    def _ask(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=120)
        except grpc.RpcError as error:
            raise PluginFailed(error.details()) from None


@contextmanager
def running(environment: Mapping[str, str] | None = None) -> Iterator[Plugin]:
    """Start the provider's process, and end it by its id."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.dynamic"],
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {}), "PULUMI_PROJECT": "pointsman"},
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest(args=values.written({})))
            yield Plugin(stub)
    finally:
        process.kill()
        process.communicate()
