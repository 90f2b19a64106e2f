"""Where S3's imitators differ from S3: the one table, each row with its reason.

Nothing else in this package asks which company answers. What is not in the table is treated like
Amazon, and whether it honours conditional writes is found out by asking it (see
`pointsman.registry`), because documentation and behaviour differ.

For every store: obstore sends no checksum headers or trailers unless told to, and boto3 is told
to send them only where required. R2, B2 and others answered those of newer SDKs with
"Unauthorized" or "NotImplemented" (cloudflare-docs#19236, botocore#3352). Requests are path
style unless a row says otherwise; all parts of an upload but the last are equally long, which R2
insists on (R2 documentation, "Multipart upload limitations").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Quirks:
    """One provider; `because` is why its row is there, and where that is known from."""

    provider: str
    hosts: tuple[str, ...]
    because: str
    region: str = "us-east-1"
    virtual_host: bool = False
    document_headers: Mapping[str, str] = field(default_factory=dict)
    ignores_conditions: str = ""
    use_instead: str = ""


AMAZON = Quirks(
    provider="Amazon S3",
    hosts=("amazonaws.com",),
    because="The original. Conditional writes since 2024 (S3 User Guide, 'Conditional writes').",
)
R2 = Quirks(
    provider="Cloudflare R2",
    hosts=("r2.cloudflarestorage.com",),
    region="auto",
    because="Regions are called auto, wnam, enam, weur, eeur, apac or oc, and any other is "
    "refused with InvalidRegionName (R2 documentation, 'S3 API compatibility').",
)
RAILWAY = Quirks(
    provider="Railway Buckets",
    hosts=("storage.railway.app", "storageapi.dev"),
    region="auto",
    virtual_host=True,
    document_headers={"X-Tigris-Consistent": "true"},
    because="Runs on Tigris. New buckets are virtual-hosted; older ones want ?style=path "
    "(Railway documentation, 'Storage Buckets', urlStyle).",
)
TIGRIS = Quirks(
    provider="Tigris",
    hosts=("storage.tigris.dev", "t3.storage.dev", "t3.tigrisfiles.io"),
    region="auto",
    document_headers={"X-Tigris-Consistent": "true"},
    because="Global buckets are eventually consistent between regions unless each request asks "
    "for the leader; a channel must never be read stale before it is written (Tigris "
    "documentation, 'Conditional Operations' and 'Consistency').",
)
GOOGLE_BY_S3 = Quirks(
    provider="Google Cloud Storage through its S3 door",
    hosts=("storage.googleapis.com",),
    region="auto",
    ignores_conditions="ignores If-Match and If-None-Match on writes",
    use_instead="Use gs://bucket/prefix, which speaks Google's own generation preconditions.",
    because="Those headers count for reads only, and a write goes through unconditionally "
    "(Cloud Storage documentation, 'Request preconditions').",
)
BACKBLAZE = Quirks(
    provider="Backblaze B2",
    hosts=("backblazeb2.com",),
    ignores_conditions="answers conditional writes with 501 Not Implemented",
    use_instead="Use S3, R2, Tigris, MinIO, gs:// or a directory.",
    because="PutObject with If-None-Match is not implemented (lance-format/lance#5614).",
)
UNKNOWN = Quirks(
    provider="an S3-compatible store",
    hosts=(),
    because="MinIO, SeaweedFS, Ceph, Garage and the rest sign with us-east-1 unless configured.",
)

TABLE = (AMAZON, R2, RAILWAY, TIGRIS, GOOGLE_BY_S3, BACKBLAZE)


def of(endpoint: str) -> Quirks:
    """Return the row for an endpoint's host; no endpoint means Amazon."""
    if not endpoint:
        return AMAZON
    host = (urlsplit(endpoint).hostname or "").lower()
    for row in TABLE:
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in row.hosts):
            return row
    return UNKNOWN
