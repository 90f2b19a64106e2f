"""A server that is asked with signed requests; what it refuses becomes a sentence.

Answers are small XML documents of which one or two members matter, so they are searched and
not parsed. Nothing an answer holds beyond its code and message gets into an error: what was
sent may have been a secret.
"""

import html
import re
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.parse import urlencode

from pointsman_infra.api.signature import Signer
from pointsman_infra.errors import AccessRefused, NameTaken, ProvisioningFailed, SettingsInvalid

_TIMEOUT_SECONDS = 30


class Refusal(Exception):
    """The server answered with an error; `code` is its name for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code or status} {message}".strip())
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and who signs them."""

    url: str
    signer: Signer

    def send(
        self, method: str, path: str = "/", query: dict[str, str] | None = None, body: bytes = b""
    ) -> str:
        """Return the answer's text; raises `Refusal`, or `ProvisioningFailed` without an answer."""
        url = f"{self.url.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = self.signer.headers(method, url, body, datetime.now(UTC))
        if self.signer.service == "iam":
            headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        request = urllib.request.Request(url, body or None, headers, method=method)  # noqa: S310 — the settings allow http(s) only
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return str(answer.read().decode(errors="replace"))
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise Refusal(error.code, found("Code", text), found("Message", text)) from None
        except OSError as error:
            raise ProvisioningFailed(
                f"{self.url} does not answer: {getattr(error, 'reason', error)}",
                "Is the endpoint right, and reachable from here? `up` can be repeated.",
            ) from error


def found(member: str, text: str) -> str:
    """Return the text of the first member with this name; empty when there is none."""
    match = re.search(rf"<{member}>(.*?)</{member}>", text, re.DOTALL)
    return html.unescape(match[1]) if match else ""


def explained(refusal: Refusal, action: str, what: str) -> Exception:
    """Turn a refusal of `action` (as policies spell it) on `what` into a sentence with a fix."""
    if refusal.code in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
        return NameTaken(
            f"the bucket name {what} is taken by another account", "Choose another with --bucket."
        )
    if refusal.code in {
        "InvalidBucketName",
        "InvalidLocationConstraint",
        "IllegalLocationConstraint",
    }:
        return SettingsInvalid(
            f"the server does not take {what}: {refusal.message or refusal.code}",
            "Correct bucket or region under [infra].",
        )
    if refusal.code in {"InvalidAccessKeyId", "SignatureDoesNotMatch"}:
        return AccessRefused(
            "the server does not know the administrator's key",
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    if refusal.status in {401, 403}:
        return AccessRefused(
            f"the administrator's key lacks the permission {action} on {what}",
            f"Grant {action} to it, and repeat.",
        )
    return ProvisioningFailed(
        f"the server refused {action} on {what}: {refusal}",
        "`up` can be repeated.",
    )
