"""The OpenAPI document, with `/predict` typed from the signature of the version that serves."""

from collections.abc import Callable, Iterable
from typing import Any

from pointsman.manifest import Manifest, TensorSpec

Schema = dict[str, Any]
Element = Callable[[str], Schema]

_JSON_TYPES = {
    "BOOL": "boolean",
    "BYTES": "string",
    "FP16": "number",
    "FP32": "number",
    "FP64": "number",
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def document(model: str, manifest: Manifest | None) -> Schema:
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


def _predict(manifest: Manifest | None) -> Schema:
    inputs = _tensors(manifest.inputs, _element) if manifest else {"type": "object"}
    if manifest and len(manifest.inputs) == 1:
        inputs = {"anyOf": [inputs, _tensor(manifest.inputs[0], _element)]}
    outputs = _tensors(manifest.outputs, _answered) if manifest else {"type": "object"}
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
            "415": _failure("The body is compressed otherwise than by gzip or deflate"),
            "503": _failure("No version is ready"),
        },
    }


def _health() -> Schema:
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


def _plain(summary: str, content_type: str = "application/json") -> Schema:
    content: Schema = {content_type: {}}
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}}}


def _failure(description: str) -> Schema:
    return {"description": description, "content": _json(_ERROR)}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _tensors(specs: Iterable[TensorSpec], element: Element) -> Schema:
    properties = {spec.name: _tensor(spec, element) for spec in specs}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _tensor(spec: TensorSpec, element: Element) -> Schema:
    schema = element(spec.datatype)
    for size in reversed(spec.shape):
        schema = {"type": "array", "items": schema}
        if size >= 0:
            schema |= {"minItems": size, "maxItems": size}
    return schema | {"title": str(spec)}


def _element(datatype: str) -> Schema:
    if datatype in _JSON_TYPES:
        return {"type": _JSON_TYPES[datatype]}
    if datatype.startswith("UINT"):
        return {"type": "integer", "minimum": 0}
    return {"type": "integer"}


def _answered(datatype: str) -> Schema:
    """Return an element as it is answered: JSON has neither NaN nor infinities."""
    if datatype.startswith("FP"):
        return {"type": ["number", "null"]}
    return _element(datatype)
