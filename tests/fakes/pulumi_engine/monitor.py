"""The engine's side of gRPC: programs run against it and register their resources here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from tests.fakes.pulumi_engine import values
from tests.fakes.pulumi_engine.engine import Engine
from tests.fakes.pulumi_engine.events import Events
from tests.fakes.pulumi_engine.state import EngineError, Resource

_STACK = "pulumi:pulumi:Stack"


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes registrations of one run of a program."""

    def __init__(self, engine: Engine, stack: str) -> None:
        self._engine = engine
        self._stack = stack
        self.outputs: dict[str, Any] = {}
        self.secret: set[str] = set()

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say what this engine understands."""
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS],
            dryRun=self._engine.preview,
        )

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say whether this engine understands something."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id == "secrets")

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Bring a resource to what the program wants."""
        urn = f"urn:pulumi:{self._stack}::pointsman::{request.type}::{request.name}"
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs, hidden = values.read(request.object)
        secret = hidden | set(request.additionalSecretOutputs)
        wanted = Resource(
            urn,
            request.type,
            request.name,
            "",
            inputs,
            {},
            sorted(secret),
            request.protect,
            request.retainOnDelete,
        )
        try:
            made = self._engine.register(wanted, list(request.ignoreChanges))
        except EngineError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=made.id, object=values.written(made.outputs, secret & made.outputs.keys())
        )

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the outputs of the stack."""
        if _STACK in request.urn:
            self.outputs, self.secret = values.read(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        """End when the program ends."""
        return empty_pb2.Empty()


class _Log(engine_pb2_grpc.EngineServicer):
    def __init__(self, events: Events) -> None:
        self._events = events
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.severity == engine_pb2.ERROR:
            self._events.say(request.message, request.urn)
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=self._root)


def run_program(
    client: str, engine: Engine, stack: str, events: Events, config: dict[str, str]
) -> Monitor:
    """Let the program at the address `client` register everything; raises `EngineError`."""
    monitor = Monitor(engine, stack)
    request = language_pb2.RunRequest(
        project="pointsman",
        stack=stack,
        program=".",
        config=config,
        dryRun=engine.preview,
        parallel=8,
        organization="organization",
    )
    with _serving(monitor, _Log(events)) as address, grpc.insecure_channel(client) as channel:
        request.monitor_address = address
        request.args.append(address)
        try:
            error = language_pb2_grpc.LanguageRuntimeStub(channel).Run(request).error
        except grpc.RpcError as failure:
            # The SDK's server gives up like this when a registration was refused.
            error = str(failure)
    if error or engine.failed:
        raise EngineError(engine.failed or error)
    return monitor


@contextmanager
def _serving(monitor: Monitor, log: _Log) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(32))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(log, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
