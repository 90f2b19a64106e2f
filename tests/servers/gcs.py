"""A stand-in for Google Cloud Storage: its XML API over HTTP, with honest generations.

It answers what obstore asks, and refuses what Google refuses. Preconditions are generations:
`x-goog-if-generation-match` on writes, ETags on reads only. S3's If-Match and If-None-Match on a
write are ignored, as there (Cloud Storage documentation, "Request preconditions"; "XML API
multipart uploads" for the limits of parts).
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.servers.threaded import serving

TOKEN = "test-token"  # noqa: S105 — of a server that lives for one test
READER_TOKEN = "reader-token"  # noqa: S105
_LEAST_PART = 5 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """One generation of an object."""

    data: bytes
    generation: int
    modified: datetime

    @property
    def etag(self) -> str:
        """Google's is opaque: it is of the generation too, not of the content alone."""
        return f'"{hashlib.md5(self.data).hexdigest()}-{self.generation}"'  # noqa: S324


@dataclass(slots=True)
class GoogleDouble:
    """A bucket, and how to reach it."""

    endpoint: str = ""
    bucket: str = "models"
    objects: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: count(1_700_000_000_000_001))

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which our store finds it."""
        return {"STORAGE_EMULATOR_HOST": self.endpoint, "GOOGLE_BEARER_TOKEN": TOKEN}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status


@contextmanager
def running() -> Iterator[GoogleDouble]:
    """Serve an empty bucket on a free port of the loopback interface."""
    double = GoogleDouble()
    with serving(_Handler, double=double) as double.endpoint:
        yield double


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: GoogleDouble

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.query = {
            name: values[0]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        bucket, _, self.key = unquote(parts.path).lstrip("/").partition("/")
        self.double.asked.append(f"{self.command} {self.path}")
        try:
            with self.double.lock:
                self._authorize(bucket)
                self._respond(*self._dispatch())
        except Refusal as refusal:
            body = f"<?xml version='1.0'?><Error><Code>{refusal}</Code></Error>".encode()
            self._respond(refusal.status, {}, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 — the library's names

    def _authorize(self, bucket: str) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.command == "HEAD" and not self.key:
            return  # the root tells the time to anybody
        if token not in {TOKEN, READER_TOKEN}:
            raise Refusal(401, "AuthenticationRequired")
        if token == READER_TOKEN and self.command not in {"GET", "HEAD"}:
            raise Refusal(403, "AccessDenied")
        if bucket not in {"", self.double.bucket}:
            raise Refusal(404, "NoSuchBucket")

    def _dispatch(self) -> tuple[int, dict[str, str], bytes]:
        if "uploads" in self.query or "uploadId" in self.query:
            return self._multipart()
        match self.command:
            case "PUT":
                return self._put(self.body)
            case "DELETE":
                self._found()
                del self.double.objects[self.key]
                return 204, {}, b""
            case _ if not self.key:
                return 200, {}, self._list() if self.query else b""
        return self._get()

    def _put(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        wanted = self.headers.get("x-goog-if-generation-match")
        present = self.double.objects.get(self.key)
        if wanted is not None:
            if not wanted.isdigit():
                raise Refusal(400, "InvalidArgument")
            if int(wanted) != (present.generation if present else 0):
                raise Refusal(412, "PreconditionFailed")
        stored = Stored(data, next(self.double.numbers), datetime.now(UTC).replace(microsecond=0))
        self.double.objects[self.key] = stored
        return 200, _headers(stored), b""

    def _found(self) -> Stored:
        stored = self.double.objects.get(self.key)
        if stored is None:
            raise Refusal(404, "NoSuchKey")
        return stored

    def _get(self) -> tuple[int, dict[str, str], bytes]:
        stored = self._found()
        if self.headers.get("If-None-Match") == stored.etag:
            return 304, _headers(stored), b""
        if self.headers.get("If-Match") not in {None, stored.etag}:
            raise Refusal(412, "PreconditionFailed")
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if asked is None:
            return 200, _headers(stored), stored.data
        start, end = int(asked[1]), int(asked[2])
        if start >= len(stored.data):
            raise Refusal(416, "InvalidRange")
        part = stored.data[start : end + 1]
        span = f"bytes {start}-{start + len(part) - 1}/{len(stored.data)}"
        return 206, _headers(stored) | {"Content-Range": span}, part

    def _list(self) -> bytes:
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        contents, folders = [], set()
        for key, stored in sorted(self.double.objects.items()):
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                continue
            contents.append(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(stored.data)}</Size>"
                f"<LastModified>{stored.modified.isoformat().replace('+00:00', '.000Z')}"
                f"</LastModified><ETag>{escape(stored.etag)}</ETag></Contents>"
            )
        shared = [
            f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
            for folder in sorted(folders)
        ]
        return f"<ListBucketResult>{''.join(contents + shared)}</ListBucketResult>".encode()

    def _multipart(self) -> tuple[int, dict[str, str], bytes]:
        if self.command == "POST" and "uploads" in self.query:
            name = f"upload-{next(self.double.numbers)}"
            self.double.uploads[name] = {}
            return 200, {}, _initiated(name)
        parts = self.double.uploads.get(self.query["uploadId"])
        if parts is None:
            raise Refusal(404, "NoSuchUpload")
        if self.command == "PUT":
            parts[int(self.query["partNumber"])] = self.body
            return 200, {"ETag": _part_etag(self.body)}, b""
        if self.command == "POST":
            answer = self._put(self._assembled(parts))
            del self.double.uploads[self.query["uploadId"]]
            etag = escape(answer[1]["ETag"])
            body = f"<CompleteMultipartUploadResult><ETag>{etag}</ETag>"
            return 200, answer[1], f"{body}</CompleteMultipartUploadResult>".encode()
        del self.double.uploads[self.query["uploadId"]]
        return 204, {}, b""

    def _assembled(self, parts: dict[int, bytes]) -> bytes:
        listed = [
            (int(part.findtext("PartNumber") or 0), part.findtext("ETag"))
            for part in ET.fromstring(self.body).iter("Part")  # noqa: S314 — our client's
        ]
        numbers = [number for number, _ in listed]
        if not listed or numbers != sorted(set(numbers)):
            raise Refusal(400, "InvalidPartOrder")
        if any(number not in parts or etag != _part_etag(parts[number]) for number, etag in listed):
            raise Refusal(400, "InvalidPart")
        if any(len(parts[number]) < _LEAST_PART for number in numbers[:-1]):
            raise Refusal(400, "EntityTooSmall")
        return b"".join(parts[number] for number in numbers)

    def _respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        length = headers.pop("Content-Length", str(len(body)))
        for name, value in {"Content-Length": length, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # a client that has read enough goes away
                self.wfile.write(body)


def _headers(stored: Stored) -> dict[str, str]:
    return {
        "ETag": stored.etag,
        "x-goog-generation": str(stored.generation),
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
    }


def _initiated(name: str) -> bytes:
    result = "InitiateMultipartUploadResult"
    return f"<{result}><UploadId>{name}</UploadId></{result}>".encode()


def _part_etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'  # noqa: S324 — as Google computes it
