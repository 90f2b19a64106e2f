"""Stand-ins for those who give out AWS credentials: STS, the metadata service, a container's.

Each answers the real protocol with one pair of keys, and remembers what it was asked. STS speaks
TLS, because clients send it a token and refuse to do so in the clear.
"""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import trustme

from tests.servers.threaded import serving

ROLE = "the-role"
_METADATA_TOKEN = "metadata-token"  # noqa: S105 — of a server that lives for one test
_EXPIRY = "2099-01-01T00:00:00Z"


@dataclass(slots=True)
class Identity:
    """What it gives, and to whom."""

    access_key: str
    secret_key: str
    url: str = ""
    tokens: tuple[str, ...] = ()
    has_role: bool = True
    asked: list[str] = field(default_factory=list)


Answer = Callable[[Identity, BaseHTTPRequestHandler, bytes], tuple[int, bytes]]


@contextmanager
def sts(identity: Identity, directory: Path) -> Iterator[Identity]:
    """Serve AssumeRoleWithWebIdentity by TLS; `directory` gets the authority's `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with _serving(identity, _assume_role, context) as served:
        yield served


@contextmanager
def metadata_service(identity: Identity) -> Iterator[Identity]:
    """Serve EC2's metadata, version 2."""
    with _serving(identity, _metadata) as served:
        yield served


@contextmanager
def container(identity: Identity) -> Iterator[Identity]:
    """Serve what EKS's agent serves to a pod."""
    with _serving(identity, _container) as served:
        yield served


def _assume_role(
    identity: Identity, request: BaseHTTPRequestHandler, body: bytes
) -> tuple[int, bytes]:
    given = parse_qs(urlsplit(request.path).query) | parse_qs(body.decode())
    if given.get("WebIdentityToken", [""])[0] not in identity.tokens:
        return (
            400,
            b"<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>",
        )
    if given.get("RoleArn", [""])[0] != ROLE:
        return 403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    keys = (
        f"<AccessKeyId>{identity.access_key}</AccessKeyId>"
        f"<SecretAccessKey>{identity.secret_key}</SecretAccessKey>"
        f"<SessionToken></SessionToken><Expiration>{_EXPIRY}</Expiration>"
    )
    result = "AssumeRoleWithWebIdentityResult"
    wrapped = f"<{result}><Credentials>{keys}</Credentials></{result}>"
    name = "AssumeRoleWithWebIdentityResponse"
    return 200, f"<{name}>{wrapped}</{name}>".encode()


def _metadata(
    identity: Identity, request: BaseHTTPRequestHandler, _body: bytes
) -> tuple[int, bytes]:
    if request.command == "PUT" and request.path == "/latest/api/token":
        return 200, _METADATA_TOKEN.encode()
    if request.headers.get("X-aws-ec2-metadata-token") != _METADATA_TOKEN:
        return 401, b""
    roles = "/latest/meta-data/iam/security-credentials/"
    if not identity.has_role or not request.path.startswith(roles):
        return 404, b""
    return 200, ROLE.encode() if request.path == roles else _document(identity)


def _container(
    identity: Identity, request: BaseHTTPRequestHandler, _body: bytes
) -> tuple[int, bytes]:
    if request.headers.get("Authorization") not in identity.tokens:
        return 401, b""
    return 200, _document(identity)


def _document(identity: Identity) -> bytes:
    return json.dumps(
        {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": identity.access_key,
            "SecretAccessKey": identity.secret_key,
            "Token": "",
            "Expiration": _EXPIRY,
            "LastUpdated": "2026-01-01T00:00:00Z",
        }
    ).encode()


@contextmanager
def _serving(
    identity: Identity, answer: Answer, tls: ssl.SSLContext | None = None
) -> Iterator[Identity]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            identity.asked.append(f"{self.command} {urlsplit(self.path).path}")
            status, data = answer(identity, self, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = respond  # noqa: N815 — the library's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with serving(Handler, tls) as identity.url:
        yield identity
