"""Ctrl-C at any moment: it ends the command, and the command says how things stand."""

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.conftest import Sources
from tests.cli.fleet import FakeInstance, following
from tests.cli.workspace import MODEL, SCRIPT, Workspace, until

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def interrupted(process: "subprocess.Popen[str]", times: int = 1) -> tuple[str, str]:
    """Press Ctrl-C; return what was said, after the command has ended as documented."""
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    return out, err


def test_while_waiting_for_the_fleet_the_channel_stays_and_is_told(listed: Workspace) -> None:
    store = listed.registry.store
    listed.registry.activate(MODEL, "v1")
    willing, silent = FakeInstance(store, MODEL), FakeInstance(store, MODEL, "two", silent_from=2)
    with following(willing, silent), listed.start("activate", "v2") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("one serves v2 after")
        _, err = interrupted(process)
    assert "The channel names v2 (generation 2), and instances follow it all the same" in err
    assert "`pointsman rollback` goes back" in err
    assert listed.registry.channel(MODEL, "production").stable.version == "v2"


def test_while_the_channel_is_put_back_it_is_told_why_and_that_it_was(listed: Workspace) -> None:
    store = listed.registry.store
    listed.registry.activate(MODEL, "v1")
    refusing = FakeInstance(store, MODEL, refuses=frozenset({"v2"}), silent_from=3)
    willing = FakeInstance(store, MODEL, "two")
    with following(refusing, willing), listed.start("activate", "v2") as process:
        assert process.stderr is not None
        assert any(line.startswith("two serves v1 after") for line in process.stderr)
        _, err = interrupted(process)
    assert "one refused v2: no room for v2. The channel was put back to v1 (generation 3)" in err
    assert listed.registry.channel(MODEL, "production").stable.version == "v1"


def test_the_document_of_what_was_interrupted_holds_what_was_achieved(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    with (
        following(FakeInstance(listed.registry.store, MODEL, silent_from=2)),
        listed.start("activate", "v2", "--json") as process,
    ):
        registry = listed.registry
        until(lambda: registry.channel(MODEL, "production").generation == 2, "it is moved")
        document = json.loads(interrupted(process)[0])
    # Between the move and its answer, nobody can know more than that it is not known.
    known = (document.get("from"), document.get("to"), document.get("generation"))
    assert known == ("v1", "v2", 2) or "is not known" in document["hint"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_library_that_waits_for_the_network_is_not_waited_for(
    listed: Workspace, times: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = f"s3://bucket?endpoint=http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            listed.start("status", "--store", store, "--json", variables=KEYS) as process,
            listener.accept()[0],
        ):
            out, err = interrupted(process, times)
    assert json.loads(out) == {"error": "interrupted", "hint": "Nothing was changed."}
    assert err.count("error: interrupted") == 1


class TakesNothing(BaseHTTPRequestHandler):
    """An S3 in which there is nothing, and where no upload ever comes to an end."""

    protocol_version = "HTTP/1.1"
    uploading = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        """Say that there is nothing."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 — the library's name

    def do_PUT(self) -> None:
        """Take the bytes, and never say so."""
        self.uploading.set()
        self.over.wait()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stuck_store() -> Iterator[str]:
    """The URL of such an S3."""
    TakesNothing.uploading.clear()
    TakesNothing.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), TakesNothing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"s3://bucket?endpoint=http://127.0.0.1:{server.server_port}"
        TakesNothing.over.set()
        server.shutdown()
        thread.join()


def test_an_upload_under_way_publishes_nothing(
    workspace: Workspace, sources: Sources, stuck_store: str
) -> None:
    arguments = ("upload-model", "v1", sources.model("v1"), "--store", stuck_store)
    with workspace.start(*arguments, variables=KEYS) as process:
        until(TakesNothing.uploading.is_set, "the upload begins")
        _, err = interrupted(process)
    assert "Nothing was published; files that are there already are not uploaded again" in err


def test_a_command_that_is_told_to_ignore_ctrl_c_ignores_it(listed: Workspace) -> None:
    listed.registry.activate(MODEL, "v1")
    with (
        following(FakeInstance(listed.registry.store, MODEL, silent_from=2)),
        subprocess.Popen(
            ["sh", "-c", f"trap '' INT; exec {SCRIPT} activate v2 --timeout 1"],
            cwd=listed.folder,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        registry = listed.registry
        until(lambda: registry.channel(MODEL, "production").generation == 2, "it is moved")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
    assert process.returncode == 4
    assert "interrupted" not in err
