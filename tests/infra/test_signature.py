"""Signature Version 4, by the example of AWS's own documentation."""

import hashlib
from datetime import UTC, datetime

from pointsman_infra.api.signature import Signer

EXAMPLE = Signer(
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"
)
MOMENT = datetime(2013, 5, 24, tzinfo=UTC)


def test_the_documented_request_gets_the_documented_signature() -> None:
    url = "https://examplebucket.s3.amazonaws.com/?lifecycle"
    headers = EXAMPLE.headers("GET", url, b"", MOMENT)
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )


def test_another_body_has_another_signature() -> None:
    url = "https://examplebucket.s3.amazonaws.com/x"
    first, second = (EXAMPLE.headers("PUT", url, body, MOMENT) for body in (b"a", b"b"))
    assert first["x-amz-content-sha256"] == hashlib.sha256(b"a").hexdigest()
    assert first["authorization"] != second["authorization"]


def test_a_session_token_is_sent_and_signed() -> None:
    signer = Signer("id", "hush", "us-east-1", "s3", session_token="token")  # noqa: S106 — of nobody
    headers = signer.headers("GET", "https://host/", b"", MOMENT)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]


def test_a_signer_shows_no_key() -> None:
    shown = repr(EXAMPLE)
    assert "AKIA" not in shown
    assert "wJalr" not in shown
