r"""Conversations on paper: a request and its whole reply, as text in a file.

    POST /v2/models/m/infer
    Inference-Header-Content-Length: 5

    {"a":\x00
    ---
    200
    content-type: application/json
    …

Bytes that are no printable ASCII are written as `\xNN`. What differs from run to run is replaced
by its name: `<id>`, `<digest>`, `<ns>` and so on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx

_BETWEEN = "\n---\n"
_NAMES = (
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    (r"(?m)(?<=^x-request-id: )[0-9a-f]{16}$", "<id>"),
    (r'(?<="id":")[0-9a-f]{16}(?=")', "<id>"),
    (r'(?<="ns":)\d+', "<ns>"),
    (r'(?<="last_inference":)\d+', "<ms>"),
    (r'(?<="age_seconds":)[\d.e-]+', "<seconds>"),
)


@dataclass(frozen=True)
class Conversation:
    """A request, and the reply that it must get."""

    path: Path
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    reply: str

    async def said(self, client: httpx.AsyncClient) -> str:
        """Say it to a service; return the reply as text."""
        response = await client.request(
            self.method, self.target, headers=self.headers, content=self.body
        )
        lines = [str(response.status_code)]
        if self.method != "HEAD":
            # The body is here to be compared, and some have numbers of changing length.
            assert int(response.headers.pop("content-length")) == len(response.content)
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        text = "\n".join([*lines, "", _printable(response.content)])
        for pattern, name in _NAMES:
            text = re.sub(pattern, name, text)
        return text

    def note(self, reply: str) -> None:
        """Write down another reply."""
        request = self.path.read_text().split(_BETWEEN)[0]
        self.path.write_text(f"{request.rstrip()}{_BETWEEN}{reply}\n")


def read(path: Path) -> Conversation:
    """Read a conversation from its file."""
    request, _, reply = path.read_text().partition(_BETWEEN)
    head, _, body = request.rstrip("\n").partition("\n\n")
    first, *lines = head.splitlines()
    method, target = first.split()
    headers = dict(line.split(": ", 1) for line in lines)
    return Conversation(path, method, target, headers, _bytes(body), reply.removesuffix("\n"))


def _printable(data: bytes) -> str:
    return "".join(chr(each) if 32 <= each < 127 else f"\\x{each:02x}" for each in data)


def _bytes(text: str) -> bytes:
    return re.sub(
        rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode()
    )
