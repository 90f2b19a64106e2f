"""Clients that do not read, or send what nobody reads, and listeners that break over an answer."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pointsman_service import lingering_close
from pointsman_service.answered import Answered
from tests.servers.raw_http import head, post
from tests.service import fake_model
from tests.service.fake_model import Feed
from tests.service.in_process import Surroundings, listening, replace_model, serving
from tests.service.patience import turns, until

pytestmark = pytest.mark.anyio

ROW = json.dumps({"inputs": [[1, 2, 3, 4]]}).encode()
BY_THE_LONG_WAY = "/predict?long=way"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that the service has: transports differ."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    """A store with `v1` in force, which doubles."""
    found = Surroundings(tmp_path)
    found.shelf.activate(found.shelf.affine("v1", 2.0))
    return found


@pytest.mark.parametrize("path", ["/predict", BY_THE_LONG_WAY])
async def test_a_listener_that_breaks_takes_no_answer_and_no_other_listener_along(
    surroundings: Surroundings, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_answered: Answered) -> None:
        raise ZeroDivisionError

    heard: list[Answered] = []
    async with serving(surroundings) as serves:
        await serves.until_serving("v1")
        serves.service.listeners += [breaks, heard.append]
        async with listening(serves.service) as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(path, ROW) + post(path, ROW, last=True))
            received = await reader.read()
            writer.close()
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert len(heard) == 2
    assert "a listener broke" in caplog.text


async def test_who_sends_ahead_is_not_answered_before_all_others(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings) as serves:
        await serves.until_serving("v1")
        replace_model(serves, fake_model.doubled)
        stable = serves.service.router.stable
        assert stable is not None
        async with listening(serves.service) as (port, made):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(2):  # so that it seems to be alone
                writer.write(post("/predict", ROW))
                await reader.readuntil(b"}}")
            runs = stable.statistics.runs
            made[0].data_received(post("/predict", ROW) * 20 + post("/predict", ROW, last=True))
            assert stable.statistics.runs == runs + 1
            received = await reader.read()
            writer.close()
    assert received.count(b"HTTP/1.1 200 OK") == 21


@pytest.mark.parametrize("path", ["/predict", BY_THE_LONG_WAY])
async def test_a_client_that_leaves_is_noticed_while_the_model_computes(
    surroundings: Surroundings, path: str
) -> None:
    async with serving(surroundings) as serves, listening(serves.service) as (port, _):
        await serves.until_serving("v1")
        stable = serves.service.router.stable
        assert stable is not None
        stable.pace = fake_model.slow()
        with surroundings.hanging(stable):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(path, ROW))
            await until(lambda: stable.in_flight == 1)
            writer.close()
            await until(lambda: stable.in_flight == 0)
            assert stable.statistics.dropped == 1
        assert (await serves.predict([[1, 2, 3, 4]])).status_code == 200


async def test_a_client_that_never_reads_its_answer_is_left_and_its_memory_freed(
    surroundings: Surroundings,
) -> None:
    def expands(_feed: Feed) -> dict[str, np.ndarray]:
        return {"y": np.ones((1, 8_000_000), np.float32)}

    async with serving(surroundings) as serves, listening(serves.service) as (port, connections):
        await serves.until_serving("v1")
        replace_model(serves, expands)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(post("/predict", ROW))
        await until(lambda: connections and connections[0].transport.get_write_buffer_size())
        (connection,) = connections
        now = asyncio.get_running_loop().time()
        connection.expire(now)
        connection.expire(now + connection.timeout_keep_alive - 1)
        assert not connection.transport.is_closing()
        connection.expire(now + connection.timeout_keep_alive + 1)
        await until(lambda: not connection.connections)
        assert connection.transport.get_write_buffer_size() == 0
        received = 0
        with suppress(ConnectionError):
            while part := await reader.read(1 << 20):
                received += len(part)
        assert received < 16_000_000  # of twice as many
        writer.close()


LONG = 8 << 20
"""More bytes than the buffers of a socket hold."""


def by_chunks(path: str) -> bytes:
    """The head of a request whose body has a part of 8 MiB."""
    return head("POST", path, "Transfer-Encoding: chunked") + f"{LONG:x}\r\n".encode()


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nX: ", 431),
        (head("GET", "/livez", *(f"X-{n}: y" for n in range(200)), f"Content-Length: {LONG}"), 431),
        (head("POST", "/predict", f"Content-Length: {LONG}"), 413),
        (by_chunks("/predict"), 413),
        (by_chunks("/nothing"), 404),
        (b"nonsense\r\n\r\n", 400),
    ],
)
async def test_who_is_refused_while_sending_can_send_to_the_end_and_read_why(
    surroundings: Surroundings, begin: bytes, status: int
) -> None:
    async with serving(surroundings, POINTSMAN_MAX_BODY_BYTES="100000") as serves:
        await serves.until_serving("v1")
        async with listening(serves.service) as (port, connections):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begin + b"y" * LONG)
            await writer.drain()
            writer.write_eof()
            received = await reader.read()
            await until(lambda: not connections[0].connections)
            writer.close()
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert received.count(b"HTTP/1.1") == 1


async def test_who_only_announces_a_large_body_gets_little_memory(
    surroundings: Surroundings,
) -> None:
    size = 3 * LONG
    body = b'{"inputs": [[1, 2, 3, 4]]'.ljust(size - 1) + b"}"
    async with serving(surroundings) as serves, listening(serves.service) as (port, made):
        await serves.until_serving("v1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head("POST", "/predict", f"Content-Length: {size}"))
        await until(lambda: made and made[0].large_body is not None)
        taking = made[0].large_body
        assert taking is not None
        assert len(taking._buffer) < LONG
        for at in range(0, size, 3_000_000):
            writer.write(body[at : at + 3_000_000])
            await writer.drain()
        received = await reader.read()
        writer.close()
    assert taking._buffer == body
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b'"y":[[2.0,4.0,6.0,8.0]]' in received


async def test_who_is_refused_is_not_told_to_go_on(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(surroundings) as serves, listening(serves.service) as (port, _):
        await serves.until_serving("v1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asks = head(
            "POST", "/predict", "Expect: 100-continue", "Transfer-Encoding: chunked", last=False
        )
        writer.write(asks + b"no length\r\n")
        received = await reader.read()
        writer.close()
    assert received.startswith(b"HTTP/1.1 400 ")
    assert not [record for record in caplog.records if record.exc_info]


async def test_who_is_refused_and_does_not_go_is_left(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering_close, "SECONDS", 0.05)
    async with serving(surroundings) as serves, listening(serves.service) as (port, connections):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        await until(lambda: not connections[0].connections)
        writer.close()


async def test_who_is_refused_and_sends_without_end_is_left(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering_close, "BYTES", 1 << 20)
    async with serving(surroundings) as serves, listening(serves.service) as (port, connections):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        with pytest.raises(ConnectionError):
            await _sends_without_end(writer)
        await until(lambda: not connections[0].connections)


async def test_what_follows_an_answered_body_without_end_is_not_waited_for_longer(
    surroundings: Surroundings,
) -> None:
    async with serving(surroundings) as serves, listening(serves.service) as (port, connections):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        begin = head("POST", "/nothing", f"Content-Length: {LONG}", last=False)
        writer.write(begin + b"y" * 1000)
        assert b" 404 " in await reader.readuntil(b"}")
        answered = connections[0]._since
        writer.write(b"y" * 1000)
        await turns()
        connections[0].expire(answered + serves.service.settings.receive_timeout + 1)
        assert await reader.read() == b""
        writer.close()


async def _sends_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"y" * (64 << 10))
        await writer.drain()
