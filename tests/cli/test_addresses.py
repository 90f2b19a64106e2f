"""Addresses: where a service listens, and how it is reached."""

import socket

import pytest

from pointsman_cli.platforms.addresses import free_port, refusal, url


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fd00::1", "http://[fd00::1]:80"),
    ],
)
def test_a_url_leads_to_where_the_service_listens(host: str, reached: str) -> None:
    assert url(host, 80) == reached


def test_a_port_that_is_listened_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal("127.0.0.1", port) == "Address already in use"
    assert refusal("127.0.0.1", port) == ""


def test_a_host_that_is_nowhere_is_refused() -> None:
    assert refusal("192.0.2.1", 0)


def test_a_free_port_can_be_listened_on_and_is_none_the_system_gives_to_others() -> None:
    port = free_port("127.0.0.1")
    assert refusal("127.0.0.1", port) == ""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        assert port < other.getsockname()[1]
