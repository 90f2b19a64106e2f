"""The routes of the model repository in the OpenAPI document; pure."""

from typing import Any

from pointsman_service.api.openapi.responses import failed, object_of, success_of

Schema = dict[str, Any]

_TEXT = {"type": "string"}
_STATES = ["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]
_ROW = object_of(name=_TEXT, version=_TEXT, state={"enum": _STATES}, reason=_TEXT)
_DONE = {"const": True}


def paths(model: str) -> Schema:
    """Describe the routes that an operator's key opens."""
    index = _operation(
        "Versions, and their state in this instance",
        {"ready": {"type": ["boolean", "null"], "description": "Only those that answer"}},
        {"type": "array", "items": _ROW},
    )
    version = {"type": ["string", "null"], "description": "Nothing stands for the channel's"}
    named = {"parameters": {"type": ["object", "null"], "properties": {"version": version}}}
    load = _operation(
        "Let a version answer under its own path", named, object_of(name=_TEXT, load=_DONE)
    )
    unload = _operation(
        "Let go what the channel does not ask for", named, object_of(name=_TEXT, unload=_DONE)
    )
    schema = {"type": "string", "enum": [model]}
    parameters = [{"name": "model", "in": "path", "required": True, "schema": schema}]
    return {
        "/v2/repository/index": {"post": index},
        "/v2/repository/models/{model}/load": {"parameters": parameters, "post": load},
        "/v2/repository/models/{model}/unload": {"parameters": parameters, "post": unload},
    }


def _operation(summary: str, members: Schema, answer: Schema) -> Schema:
    body = {"schema": {"type": "object", "properties": members}}
    success = success_of(summary, {"application/json": {"schema": answer}})
    return {
        "summary": summary,
        "requestBody": {"required": False, "content": {"application/json": body}},
        "responses": {"200": success} | failed("400", "401", "404", "409", "413", "415", "503"),
    }
