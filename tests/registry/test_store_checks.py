"""`store_checks`: what a doctor finds, on a real S3 whose identities are really enforced."""

from datetime import UTC, datetime, timedelta

import pytest

from pointsman import store_checks
from pointsman.findings import Finding, Severity
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from tests.fakes.memory_store import CarelessStore, MemoryStore
from tests.servers.canned import Canned, answering
from tests.servers.seaweedfs import ACCESS_KEY, GUARDED, READER_KEY, RUNTIME_KEY, SeaweedFS


class SkewedStore(MemoryStore):
    """Lives some time ahead."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self._ahead = ahead

    def now(self) -> datetime:
        """Tell the time there."""
        return datetime.now(UTC) + self._ahead


def guarded(server: SeaweedFS, key: str, bucket: str = "models") -> ObjectStore:
    """The store in which the runtime's identity may write heartbeats only."""
    return open_store(f"s3://{bucket}/{GUARDED}", server.environment | {"AWS_ACCESS_KEY_ID": key})


def found(store: ObjectStore, runtime: ObjectStore | None = None) -> dict[str, Finding]:
    findings = {finding.check: finding for finding in store_checks.check(store, runtime)}
    for finding in findings.values():
        assert finding.message
        assert bool(finding.remediation) == (finding.severity is not Severity.OK)
    return findings


def errors(findings: dict[str, Finding]) -> list[str]:
    return [name for name, each in findings.items() if each.severity is Severity.ERROR]


def test_a_good_store_passes_every_check_and_keeps_nothing_of_it(file_url: str) -> None:
    store = open_store(file_url)

    findings = found(store)

    assert list(findings) == list(store_checks.CHECKS)
    assert errors(findings) == []
    assert list(store.scan("models/")) == []


def test_runtime_credentials_that_only_write_heartbeats_are_proven_to(
    s3_server: SeaweedFS,
) -> None:
    findings = found(guarded(s3_server, ACCESS_KEY), guarded(s3_server, RUNTIME_KEY))

    assert errors(findings) == []
    assert list(findings)[-3:] == list(store_checks.RUNTIME_CHECKS)
    assert list(guarded(s3_server, ACCESS_KEY).scan("fleet/")) == []


def test_runtime_credentials_that_can_write_models_are_an_error(s3_server: SeaweedFS) -> None:
    publisher = guarded(s3_server, ACCESS_KEY)

    findings = found(publisher, guarded(s3_server, ACCESS_KEY))

    assert errors(findings) == ["runtime cannot write models"]
    assert list(publisher.scan("models/")) == []


def test_runtime_credentials_that_cannot_write_heartbeats_are_an_error(
    s3_server: SeaweedFS,
) -> None:
    findings = found(guarded(s3_server, ACCESS_KEY), guarded(s3_server, READER_KEY))
    assert errors(findings) == ["runtime writes heartbeats"]


def test_read_only_credentials_cannot_publish(s3_server: SeaweedFS) -> None:
    findings = found(guarded(s3_server, READER_KEY))
    assert errors(findings) == ["conditional writes"]
    assert "does not let these credentials write" in findings["conditional writes"].message


@pytest.mark.parametrize(
    ("bucket", "key", "cause"),
    [
        ("no-such-bucket", ACCESS_KEY, "there is no bucket named no-such-bucket"),
        ("models", "unknown-key", "the access key does not exist"),
    ],
)
def test_checks_end_with_the_first_that_all_others_would_repeat(
    s3_server: SeaweedFS, bucket: str, key: str, cause: str
) -> None:
    findings = found(guarded(s3_server, key, bucket))
    assert list(findings) == ["reach", "read"]
    assert cause in findings["read"].message


def test_a_store_that_ignores_conditions_is_an_error() -> None:
    findings = found(CarelessStore())
    assert errors(findings) == ["conditional writes"]
    assert "If-None-Match" in findings["conditional writes"].message


def test_an_endpoint_that_knows_no_conditions_is_an_error() -> None:
    """As Backblaze answers: 501 to a header it does not implement."""
    body = b"<Error><Code>NotImplemented</Code></Error>"
    with answering(Canned(status=501, body=body)) as server:
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
        finding = store_checks.check(open_store(f"s3://bucket?endpoint={server.url}", keys))
        answers = list(finding)
    assert "does not know conditional writes" in answers[-1].message
    assert answers[-1].remediation


def test_a_store_out_of_reach_is_one_error() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    findings = found(open_store("s3://bucket?endpoint=http://127.0.0.1:1", keys))
    assert list(findings) == errors(findings) == ["reach"]


@pytest.mark.parametrize(
    ("minutes", "severity"),
    [(0, Severity.OK), (5, Severity.WARNING), (-5, Severity.WARNING), (20, Severity.ERROR)],
)
def test_clocks_that_disagree_are_told_before_requests_are_refused(
    minutes: int, severity: Severity
) -> None:
    finding = found(SkewedStore(timedelta(minutes=minutes)))["reach"]
    assert finding.severity is severity
    assert ("NTP" in finding.remediation) == (minutes != 0)
