"""Property values as they cross gRPC: secrets in envelopes, the unknown as a marker."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

UNKNOWN = rpc.UNKNOWN
_SIGNATURE = rpc._special_sig_key
_SECRET = rpc._special_secret_sig


def read(struct: struct_pb2.Struct) -> tuple[dict[str, Any], set[str]]:
    """Return the members in clear, and the names of those with a secret somewhere inside."""
    members = json_format.MessageToDict(struct)
    secret = {name for name, value in members.items() if _holds_secret(value)}
    return {name: _clear(value) for name, value in members.items()}, secret


def written(members: dict[str, Any], secret: Iterable[str] = ()) -> struct_pb2.Struct:
    """Return the members as they are sent, those named in envelopes."""
    hidden = set(secret)
    struct = struct_pb2.Struct()
    json_format.ParseDict(
        {
            name: {_SIGNATURE: _SECRET, "value": value} if name in hidden else value
            for name, value in members.items()
        },
        struct,
    )
    return struct


def same(first: Any, second: Any) -> bool:
    """Compare as the engine does: an absent member and null are one."""
    return bool(_without_null(first) == _without_null(second))


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(member) for name, member in value.items() if member is not None}
    return value


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get(_SIGNATURE) == _SECRET or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _clear(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _clear(value["value"])
        return {name: _clear(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_clear(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # as Go prints it
    return value
