"""The OpenAPI document, with `/predict` typed from the signature of the version that serves."""

from collections.abc import Iterable
from typing import Any

from pointsman.manifest import Manifest, TensorSpec

_JSON_TYPES = {
    "BOOL": "boolean",
    "BYTES": "string",
    "FP16": "number",
    "FP32": "number",
    "FP64": "number",
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def document(model: str, manifest: Manifest | None) -> dict[str, Any]:
    """Describe the API of a service for `model`; without a manifest, tensors stay untyped."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{model} — pointsman",
            "version": manifest.version if manifest else "none",
            "description": "Predictions of one model, by whichever version its channel names.",
        },
        "paths": {
            "/predict": {"post": _predict(manifest)},
            "/health": {"get": _health()},
            "/livez": {"get": _plain("Whether the process can answer at all")},
            "/metrics": {"get": _plain("Counts for Prometheus", "text/plain")},
        },
    }


def _predict(manifest: Manifest | None) -> dict[str, Any]:
    inputs = _tensors(manifest.inputs) if manifest else {"type": "object"}
    if manifest and len(manifest.inputs) == 1:
        inputs = {"anyOf": [inputs, _tensor(manifest.inputs[0])]}
    outputs = _tensors(manifest.outputs) if manifest else {"type": "object"}
    model = {name: {"type": "string"} for name in ("name", "version", "digest")}
    answer = {
        "type": "object",
        "properties": {"outputs": outputs, "model": {"type": "object", "properties": model}},
        "required": ["outputs", "model"],
    }
    body = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    return {
        "summary": "Predict",
        "description": "NaN and infinite outputs are answered as null.",
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {
            "200": {"description": "The outputs, and who computed them", "content": _json(answer)},
            "400": _failure("The body does not fit the signature"),
            "413": _failure("The body is too large"),
            "503": _failure("No version is ready"),
        },
    }


def _health() -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
        for name, text in (
            ("version", "Be healthy only if this version serves"),
            ("digest", "Be healthy only if this digest serves"),
            ("generation", "Be healthy only if this generation has been dealt with"),
        )
    ]
    answer = _plain("A version answers")
    answer["parameters"] = parameters
    answer["responses"]["503"] = {"description": "None does, or not the expected one"}
    return answer


def _plain(summary: str, content_type: str = "application/json") -> dict[str, Any]:
    content: dict[str, Any] = {content_type: {}}
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}}}


def _failure(description: str) -> dict[str, Any]:
    return {"description": description, "content": _json(_ERROR)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _tensors(specs: Iterable[TensorSpec]) -> dict[str, Any]:
    properties = {spec.name: _tensor(spec) for spec in specs}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _JSON_TYPES.get(spec.datatype, "integer")}
    if spec.datatype.startswith("UINT"):
        schema["minimum"] = 0
    for size in reversed(spec.shape):
        schema = {"type": "array", "items": schema}
        if size >= 0:
            schema |= {"minItems": size, "maxItems": size}
    return schema | {"title": str(spec)}
