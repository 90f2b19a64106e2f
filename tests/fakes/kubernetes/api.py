"""The API server of the fake cluster, as far as `kubectl` needs it.

Everything applied is checked against Kubernetes' own schemas, strictly: a field that no
Kubernetes knows is refused, as a real server does under `fieldValidation=Strict`.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import kubernetes_validate
import yaml

from tests.fakes.kubernetes.cluster import NAMESPACE, Cluster
from tests.fakes.kubernetes.resources import RESOURCES, Document, Resource, discovery

VERSION = "1.37"
_OBJECT = re.compile(
    rf"(?P<prefix>/.+)/namespaces/{NAMESPACE}/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?P<rest>/.*)?"
)
_APPLY = "application/apply-patch+yaml"


class Refused(Exception):
    """A request that the server answers with a failure."""

    def __init__(self, status: HTTPStatus, reason: str, message: str) -> None:
        super().__init__(message)
        self.document: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": reason,
            "message": message,
            "code": int(status),
        }


class Api(ThreadingHTTPServer):
    """Serves one cluster on a free port."""

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.allowed = True
        """Whether whoever asks may change anything."""
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def configuration(self) -> str:
        """Return a configuration of kubectl's that leads here."""
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "fake",
                "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
                "users": [{"name": "fake", "user": {}}],
                "contexts": [
                    {
                        "name": "fake",
                        "context": {"cluster": "fake", "user": "fake", "namespace": NAMESPACE},
                    }
                ],
            }
        )


@contextmanager
def serving(cluster: Cluster) -> Iterator[Api]:
    """Yield the API of a cluster; its pods end with it."""
    api = Api(cluster)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        api.shutdown()
        thread.join()
        api.server_close()
        for pod in cluster.pods.values():
            pod.end()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Api

    def answer(self) -> None:
        """Answer whatever was asked."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path)
        self.server.requests.append(f"{self.command} {self.path}")
        try:
            if "/proxy" in path.path:
                self._forward(path.path, path.query, body)
                return
            with self.server.cluster.lock:
                answer = self._answer(path.path, parse_qs(path.query), body)
        except Refused as refusal:
            self._send(refusal.document["code"], refusal.document)
            return
        if isinstance(answer, str):
            self._send(200, answer.encode(), "text/plain")
        else:
            self._send(200, answer)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 — the library's names

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> Document | str:
        if (found := discovery(path)) is not None:
            return found
        if path.endswith("/selfsubjectaccessreviews"):
            return {
                "kind": "SelfSubjectAccessReview",
                "apiVersion": "authorization.k8s.io/v1",
                "status": {"allowed": self.server.allowed},
            }
        match = _OBJECT.fullmatch(path)
        resource = match and next(
            (each for each in RESOURCES if (each.prefix, each.plural) == match.group(1, 2)), None
        )
        if match is None or resource is None:
            raise Refused(HTTPStatus.NOT_FOUND, "NotFound", f"nothing at {path}")
        name = match["name"] or ""
        if self.command == "PATCH":
            return self._patch(resource, name, query, body)
        if self.command == "DELETE":
            return self._delete(resource, name)
        if match["rest"] == "/log":
            return self._log(name, query)
        return self._read(resource, name, query)

    def _read(self, resource: Resource, name: str, query: dict[str, list[str]]) -> Document:
        cluster = self.server.cluster
        if name:
            return _there(cluster.found(resource.kind, name), resource, name)
        wanted = _labels(query.get("labelSelector", [""])[0])
        items = [
            each
            for each in cluster.listed(resource.kind)
            if wanted.items() <= each["metadata"].get("labels", {}).items()
        ]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.group_version,
            "metadata": {"resourceVersion": "1"},
            "items": items,
        }

    def _patch(
        self, resource: Resource, name: str, query: dict[str, list[str]], body: bytes
    ) -> Document:
        self._require_permission(resource)
        cluster = self.server.cluster
        kind = self.headers["Content-Type"]
        if kind == _APPLY:
            if query.get("fieldValidation") != ["Strict"]:
                raise Refused(HTTPStatus.BAD_REQUEST, "BadRequest", "validation must be strict")
            wanted: Document = yaml.safe_load(body)
        else:
            present = _there(cluster.objects.get((resource.kind, name)), resource, name)
            wanted = _patched(present, json.loads(body))
        _validate(wanted)
        known = cluster.objects.get((resource.kind, name))
        if known and known.get("immutable") and known.get("data") != wanted.get("data"):
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", f"{name} is immutable")
        if query.get("dryRun"):
            return wanted
        return cluster.put(wanted)

    def _delete(self, resource: Resource, name: str) -> Document:
        self._require_permission(resource)
        _there(self.server.cluster.remove(resource.kind, name), resource, name)
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _log(self, name: str, query: dict[str, list[str]]) -> str:
        pod = self.server.cluster.pods.get(name)
        if pod is None:
            raise Refused(HTTPStatus.NOT_FOUND, "NotFound", f'pods "{name}" not found')
        lines = pod.said.splitlines(keepends=True)
        count = int(query.get("tailLines", [str(len(lines))])[0])
        return "".join(lines[len(lines) - min(count, len(lines)) :])

    def _forward(self, path: str, query: str, body: bytes) -> None:
        """Pass a request on to a ready pod, as the API server's proxy does for a Service."""
        match = re.search(r"/services/([^/:]+):http/proxy(/.*)", path)
        ready = [pod for pod in self.server.cluster.pods.values() if pod.ready]
        if match is None or ("Service", match[1]) not in self.server.cluster.objects or not ready:
            self._send(503, Refused(HTTPStatus.SERVICE_UNAVAILABLE, "", "no endpoints").document)
            return
        # What proves the caller to the API server stays there, as with the real one.
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"authorization", "host", "content-length"}
        }
        url = f"{ready[0].where()}{match[2]}" + (f"?{query}" if query else "")
        response = httpx.request(self.command, url, content=body, headers=kept, timeout=30)
        self._send(response.status_code, response.content, response.headers["content-type"])

    def _require_permission(self, resource: Resource) -> None:
        if not self.server.allowed:
            message = f'{resource.plural} is forbidden: User "fake" cannot patch it'
            raise Refused(HTTPStatus.FORBIDDEN, "Forbidden", message)

    def _send(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _there(document: Document | None, resource: Resource, name: str) -> Document:
    if document is None:
        message = f'{resource.plural} "{name}" not found'
        raise Refused(HTTPStatus.NOT_FOUND, "NotFound", message)
    return document


def _validate(document: Document) -> None:
    checked = {name: value for name, value in document.items() if name != "status"}
    try:
        kubernetes_validate.validate(checked, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "BadRequest", str(error)) from error
    for value in document.get("data", {}).values():
        base64.b64decode(value, validate=True)


def _patched(document: Document, operations: list[Document]) -> Document:
    """Return a copy changed by a JSON patch of `replace` and `add`."""
    changed: Document = json.loads(json.dumps(document))
    for operation in operations:
        *parents, last = operation["path"].lstrip("/").split("/")
        place = changed
        for parent in parents:
            place = place[parent]
        place[last] = operation["value"]
    return changed


def _labels(selector: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in selector.split(",") if part)
    return {pair[0]: pair[1] for pair in pairs}
