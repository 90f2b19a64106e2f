"""AWS Signature Version 4: proves who asks, without sending the secret.

Buckets on any S3 endpoint are made with a handful of requests; signing them takes less than an
SDK would. Source: docs.aws.amazon.com/IAM/latest/UserGuide, "Create a signed AWS API request".
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """An access key, and what it signs for."""

    access_key_id: str
    secret_access_key: str
    region: str
    service: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Show what is signed for, and not with which key."""
        return f"Signer({self.service} in {self.region})"

    def headers(self, method: str, url: str, body: bytes, at: datetime) -> dict[str, str]:
        """Return the headers that make the request acceptable at the time `at`, in UTC."""
        moment = at.strftime("%Y%m%dT%H%M%SZ")
        payload = hashlib.sha256(body).hexdigest()
        headers = {
            "host": urlsplit(url).netloc,
            "x-amz-content-sha256": payload,
            "x-amz-date": moment,
        }
        if self.session_token:
            headers["x-amz-security-token"] = self.session_token
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        request = hashlib.sha256(_canonical(method, url, headers, payload).encode()).hexdigest()
        signature = self._sign(f"{_ALGORITHM}\n{moment}\n{scope}\n{request}", moment[:8])
        names = ";".join(sorted(headers))
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={self.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _sign(self, text: str, day: str) -> str:
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(method: str, url: str, headers: dict[str, str], payload: str) -> str:
    parts = urlsplit(url)
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return "\n".join(
        (
            method,
            parts.path or "/",
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            ";".join(sorted(headers)),
            payload,
        )
    )
