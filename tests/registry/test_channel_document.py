"""A channel as it is stored: what is refused, and what a newer writer said survives."""

import json
from typing import Any

import pytest

from pointsman import channel as channels
from pointsman.channel import HISTORY_LIMIT, TEXT_LIMIT, Author, Channel
from pointsman.document import MAX_DOCUMENT_BYTES
from pointsman.errors import InvalidDocument
from tests.registry.channels import activated, author, pointer


def test_the_history_keeps_the_beginning_of_long_texts_so_that_a_channel_stays_readable() -> None:
    channel: Channel | None = None
    for number in range(HISTORY_LIMIT + 1):
        endless = Author(by="b" * 100_000, at="now", nonce="n", why="\0" * 100_000)
        channel = channels.activate(channel, pointer(f"v{number}"), endless)
    assert channel is not None

    data = channels.encode(channel)

    assert len(data) < MAX_DOCUMENT_BYTES
    assert len(channel.history[-1].why) == TEXT_LIMIT
    assert channels.read(data, "production") == channel


def document(**changes: Any) -> bytes:
    """A channel's document with some members changed; ... takes one away."""
    members = json.loads(channels.encode(activated("v1", "v2"))) | changes
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b'{"schema": 1, "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"schema": 1, "huge": 1e999}',
        b'{"schema": 1, "text": "\xff"}',
        document(schema=2),
        document(schema="1"),
        document(generation="2"),
        document(generation=3),
        document(history=[]),
        document(stable=...),
        document(stable={"version": "v1", "digest": pointer("v1").digest}),
        document(stable={"version": "../v2", "digest": pointer("v2").digest}),
        document(stable={"version": "v2", "digest": "md5:0123"}),
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
def test_a_document_that_is_no_channel_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InvalidDocument) as caught:
        channels.read(data, "production")

    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "stable",
    [
        {"version": "../v2", "digest": "sha256:" + "0" * 64},
        {"version": "v2", "digest": "../../etc/passwd"},
    ],
)
def test_a_channel_that_agrees_with_itself_may_still_name_nothing_dangerous(
    stable: dict[str, str],
) -> None:
    last = {"generation": 1, "action": "activate", "by": "eve", "at": "now"} | stable
    data = document(generation=1, stable=stable, history=[last])

    with pytest.raises(InvalidDocument):
        channels.read(data, "production")


def test_a_newer_schema_is_answered_with_advice_even_when_nothing_else_fits() -> None:
    with pytest.raises(InvalidDocument) as caught:
        channels.read(b'{"schema": 2, "everything": "new"}', "production")

    assert "schema 2" in caught.value.message
    assert "Upgrade" in caught.value.hint


def test_members_of_a_newer_writer_survive_a_change_wherever_they_stand() -> None:
    members = json.loads(channels.encode(activated("v1", "v2")))
    members["approvals"] = {"version": "v3", "needed": 10, "big": 2**70}
    members["history"][0]["approved_by"] = "grace"
    members["stable"]["region"] = "eu"
    replaced = json.dumps(members).encode()

    changed = channels.activate(channels.read(replaced, "production"), pointer("v3"), author())
    written = json.loads(channels.encode(changed, replaced))

    assert written["approvals"] == members["approvals"]
    assert written["history"][0]["approved_by"] == "grace"
    assert "region" not in written["stable"], "it was said of another version"
    assert channels.read(json.dumps(written).encode(), "production") == changed


def test_members_of_the_stable_version_survive_while_it_stays() -> None:
    channel = activated("v1")
    members = json.loads(channels.encode(channel))
    members["stable"]["region"] = "eu"

    written = json.loads(channels.encode(channel, json.dumps(members).encode()))

    assert written["stable"]["region"] == "eu"
