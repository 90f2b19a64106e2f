"""The fake Railway as a server on the loopback interface."""

import io
import json
import re
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from graphql import GraphQLSchema, build_schema, graphql_sync

from tests.fakes.railway import deployments, projects, services
from tests.fakes.railway.call import Answer, Call, Caller, resolve
from tests.fakes.railway.faults import Fault, Faults
from tests.fakes.railway.releases import Releases
from tests.fakes.railway.world import Image, World

ACCOUNT_TOKEN = "account-1f2e3d4c5b6a"  # noqa: S105 — tokens of a server that lives for one test
WORKSPACE_TOKEN = "workspace-6a5b4c3d2e1f"  # noqa: S105
PROJECT_TOKEN = "project-0a1b2c3d4e5f"  # noqa: S105
SCHEMA = Path(__file__).with_name("schema.graphql")
_ANSWERS: dict[str, Answer] = {
    name: answer
    for module in (projects, services, deployments)
    for name, answer in vars(module).items()
    if callable(answer)
}
_UPLOAD = re.compile(r"/project/([^/]+)/environment/([^/]+)/up")


@dataclass
class Asked:
    """One request: the operation (or "Upload"), its document, variables and headers."""

    operation: str
    document: str
    variables: dict[str, Any]
    headers: dict[str, str]
    invalid: list[str] = field(default_factory=list)


@dataclass
class Railway:
    """A running fake: what there is, what goes wrong, and what it was asked."""

    world: World
    faults: Faults
    releases: Releases
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    uploads: list[dict[str, bytes]] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    schema: GraphQLSchema = field(default_factory=lambda: build_schema(SCHEMA.read_text()))

    @property
    def operations(self) -> list[str]:
        """The names of what it was asked, in order."""
        return [each.operation for each in self.asked]

    def variables_of(self, operation: str) -> list[dict[str, Any]]:
        """The variables of every request of this name."""
        return [each.variables for each in self.asked if each.operation == operation]


@contextmanager
def running(folder: Path) -> Iterator[Railway]:
    """Listen on a free port; everything that was deployed is ended afterwards."""
    world, faults = World(), Faults()
    railway = Railway(world, faults, Releases(world, faults, folder))
    handler = type("Bound", (_Handler,), {"railway": railway})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    railway.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield railway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        railway.releases.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    railway: Railway

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path)
        if path.path == "/graphql/v2":
            self._document(json.loads(body))
        elif found := _UPLOAD.fullmatch(path.path):
            service = parse_qs(path.query).get("serviceId", [""])[0]
            self._upload(found[1], found[2], service, body)
        else:
            self._answer(404, {"message": "no such route"})

    def _document(self, request: dict[str, Any]) -> None:
        railway, name = self.railway, request["operationName"]
        asked = Asked(name, request["query"], request["variables"], dict(self.headers))
        with railway.lock:
            railway.asked.append(asked)
            fault = railway.faults.next(name)
            if fault is Fault.LIMITED:
                headers = {"Retry-After": railway.faults.retry_after}
                return self._answer(429, {"message": "rate limited"}, headers)
            if fault is Fault.UNANSWERED:
                return self._answer(504, None)
            if fault in {Fault.NOT_YET, Fault.TROUBLE}:
                return self._answer(200, _refused(str(fault)))
            answer = self._executed(asked, request)
        return self._answer(504, None) if fault is Fault.LOST else self._answer(200, answer)

    def _executed(self, asked: Asked, request: dict[str, Any]) -> dict[str, Any]:
        railway = self.railway
        caller = self._caller()
        if caller is None:
            project = "Project-Access-Token" in self.headers
            return _refused("Project Token not found" if project else "Not Authorized")
        result = graphql_sync(
            railway.schema,
            request["query"],
            Call(
                railway.world,
                railway.faults,
                railway.releases,
                caller,
                asked.operation,
                _ANSWERS,
            ),
            variable_values=request["variables"],
            operation_name=asked.operation,
            field_resolver=resolve,
        )
        # An error that no answer raised is one of the document itself.
        asked.invalid = [e.message for e in result.errors or [] if e.path is None]
        return result.formatted  # type: ignore[return-value]

    def _caller(self) -> Caller | None:
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if bearer in {ACCOUNT_TOKEN, WORKSPACE_TOKEN}:
            return Caller("account" if bearer == ACCOUNT_TOKEN else "workspace")
        if self.headers.get("Project-Access-Token") == PROJECT_TOKEN:
            return Caller("project", self.railway.world.project_token)
        return None

    def _upload(self, project: str, environment: str, service: str, body: bytes) -> None:
        railway = self.railway
        with railway.lock:
            names = {"projectId": project, "environmentId": environment, "serviceId": service}
            railway.asked.append(Asked("Upload", "", names, dict(self.headers)))
            if railway.faults.upload_status:
                return self._answer(railway.faults.upload_status, {"message": "no room"})
            if self._caller() is None or not service:
                return self._answer(401, {"message": "Unauthorized"})
            with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
                files = {each.name: file.read() for each in tar if (file := tar.extractfile(each))}
            railway.uploads.append(files)
            instance = railway.world.instances[service, environment]
            image = f"registry.railway.internal/{service}:{len(railway.uploads)}"
            made = railway.releases.begin((service, environment), image, instance)
            dockerfile = files.get("./" + instance.settings["dockerfilePath"])
            if dockerfile is not None and b"RUN false" not in dockerfile:
                railway.world.images[image] = Image("sha256:" + "2" * 64)
            else:
                made.coming = ["BUILDING", "FAILED"]
                made.build_log = ["RUN false", 'error: process "/bin/sh -c false" exit code: 1']
            return self._answer(200, {"deploymentId": made.id, "url": "", "logsUrl": ""})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        text = b"upstream request timeout" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**self.railway.limits, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain" if body is None else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _refused(message: str) -> dict[str, Any]:
    error = {"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}, "traceId": "7177"}
    return {"errors": [error], "data": None}
