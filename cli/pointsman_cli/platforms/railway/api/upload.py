"""Sending the source, for Railway to build: one POST that is not GraphQL.

As Railway's own command does it (railwayapp/cli, `src/controllers/upload.rs`): a gzipped tar, the
service named in the query, the deployment's id in the answer.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.errors import NotAuthorized, OutcomeUnknown, RailwayError
from pointsman_cli.platforms.railway.api.services import Address

_CHUNK = 256 << 10
# The body may be large and the road slow; the answer comes once everything is stored.
_TIMEOUT = httpx.Timeout(300.0, connect=10.0, write=120.0)
_WHAT = "take the source"


def send(
    client: Client, address: Address, archive: Path, message: str, sent: Callable[[int], None]
) -> str:
    """Upload the archive; return the id of the deployment that begins with it.

    `sent` hears how many bytes more are on their way. Raises `OutcomeUnknown` when no answer came.
    """
    url = f"{client.base}/project/{address.project}/environment/{address.environment}/up"

    def post() -> httpx.Response:
        return client.http.post(
            url,
            params={"serviceId": address.service, "message": message},
            headers={
                "Content-Type": "application/gzip",
                "Content-Length": str(archive.stat().st_size),
            },
            content=_chunks(archive, sent),
            timeout=_TIMEOUT,
        )

    return _deployment(client, client.posted(_WHAT, post))


def _chunks(archive: Path, sent: Callable[[int], None]) -> Iterator[bytes]:
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            sent(len(chunk))


def _deployment(client: Client, response: httpx.Response) -> str:
    if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise RailwayError(
            "Railway refused the source: it is too large",
            "`pointsman deploy --platform railway --dry-run` lists the largest files; name what "
            "the image does not need in .dockerignore or .railwayignore.",
        )
    if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise NotAuthorized(f"Railway refused to {_WHAT}: this token may not upload there")
    if response.is_server_error:
        raise OutcomeUnknown(f"Railway answered {response.status_code} to the upload")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if response.is_success and answer.get("deploymentId"):
        return str(answer["deploymentId"])
    said = answer.get("message") or f"it answered {response.status_code}"
    raise RailwayError(f"Railway refused to {_WHAT}: {client.secrets.concealed(str(said))}")
