"""Starts that cannot be: one sentence, what to do about it, and an exit code."""

import signal
import socket
from pathlib import Path

import pytest

from tests.servers import service_process
from tests.service.shelf import Shelf


def test_a_port_in_use_is_one_sentence_and_exit_code_1(tmp_path: Path, file_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with service_process.prepared(tmp_path / "service", file_url, PORT=port) as service:
            service.launch()
            assert service.wait() == 1
            assert service.log == (
                f"error: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
                "       End what listens there, or choose another port with PORT.\n"
            )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT cannot be 'eighty'"),
        ("POINTSMAN_MODEL", "", "POINTSMAN_MODEL is not set"),
        ("POINTSMAN_CHANNEL", "a/b", "POINTSMAN_CHANNEL cannot be 'a/b'"),
        ("POINTSMAN_STORE", "ftp://somewhere", "'ftp://somewhere' is not a store URL"),
        ("POINTSMAN_FLEET", "s3://", "'s3://' is not a store URL"),
        ("POINTSMAN_HOST", "nowhere.invalid", "cannot listen on nowhere.invalid"),
    ],
)
def test_settings_that_cannot_work_are_explained_without_a_traceback(
    tmp_path: Path, file_url: str, name: str, value: str, sentence: str
) -> None:
    with service_process.prepared(tmp_path / "service", file_url, **{name: value}) as service:
        service.launch()
        assert service.wait() == (1 if name == "POINTSMAN_HOST" else 2)
        assert service.log.startswith(f"error: {sentence}")
        assert "Traceback" not in service.log


def test_variables_that_mean_nothing_are_reported(
    tmp_path: Path, file_url: str, shelf: Shelf
) -> None:
    shelf.activate(shelf.affine("v1", 2.0))
    with service_process.running(
        tmp_path / "service", file_url, POINTSMAN_POLL_SECOND="9", POINTSMAN_LOG_FORMAT="json"
    ) as service:
        service.until_healthy(version="v1")
        assert "POINTSMAN_POLL_SECOND means nothing here; POINTSMAN_POLL_SECONDS?" in service.log
        assert '"level": "warning"' in service.log


def test_a_service_listens_on_ipv6_too(tmp_path: Path, file_url: str) -> None:
    with service_process.running(tmp_path / "service", file_url, POINTSMAN_HOST="::1") as service:
        assert service.url.startswith("http://[::1]:")
        assert service.health()[0] == 503
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
