"""The OpenAPI document, with all that is predicted typed by the version that serves."""

from collections.abc import Iterable
from typing import Any

from pointsman.manifest import Manifest
from pointsman_service.api.openapi import open_inference, prediction, repository
from pointsman_service.api.openapi.responses import ERROR, operation

Schema = dict[str, Any]


_KEYS = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}


def document(
    model: str, manifest: Manifest | None, *, api_keys: bool = False, admin_keys: bool = False
) -> Schema:
    """Describe the API of a service for `model`; without a manifest, tensors stay untyped.

    Predictions need a key if there are any, and the model repository is there only for those who
    hold one of its own.
    """
    paths = _paths(model, manifest)
    if api_keys:
        _lock(paths, {path for path in paths if path == "/predict" or path.endswith("/infer")})
    if admin_keys:
        behind = repository.paths(model)
        paths |= behind
        _lock(paths, behind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{model} — pointsman",
            "version": manifest.version if manifest else "none",
            "description": "Predictions of one model, by whichever version its channel names.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, **open_inference.components()},
            "securitySchemes": _KEYS,
        },
    }


def _paths(model: str, manifest: Manifest | None) -> Schema:
    return {
        "/predict": {"post": prediction.operation(manifest)},
        "/health": {"get": _health()},
        "/livez": {"get": operation("Whether the process can answer at all", {})},
        "/metrics": {"get": operation("Counts for Prometheus", {}, content_type="text/plain")},
        **open_inference.paths(model, manifest),
    }


def _lock(paths: Schema, locked: Iterable[str]) -> None:
    for path in locked:
        paths[path]["post"]["security"] = [{name: []} for name in _KEYS]


def _health() -> Schema:
    answer = operation("A version answers", {"type": "object"})
    answer["parameters"] = [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
        for name, text in (
            ("version", "Be healthy only if this version serves"),
            ("digest", "Be healthy only if this digest serves"),
            ("generation", "Be healthy only if all of this generation serves"),
            ("canary", "Be healthy only if this version is the canary"),
        )
    ]
    answer["responses"]["503"] = {
        "description": "None does, or not the expected one",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    return answer
