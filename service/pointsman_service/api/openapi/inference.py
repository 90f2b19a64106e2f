"""`POST /v2/models/M/infer` in the OpenAPI document, typed by a signature; pure.

The data of a tensor is described as values of its datatype, because JSON Schema has no words for
"as many as the shape says".
"""

from typing import Any

from pointsman.manifest import Manifest, TensorSpec
from pointsman_service.api.openapi import tensors
from pointsman_service.api.openapi.prediction import BINARY, FAILURES
from pointsman_service.api.openapi.responses import failed, object_of, success_of

Schema = dict[str, Any]

TEXT = {"type": "string"}
_SIZES = {"type": "array", "items": {"type": "integer"}}
TENSOR = object_of(name=TEXT, datatype=TEXT, shape=_SIZES)
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
# Generated clients say null where they have nothing to say.
_PARAMETERS = {"type": ["object", "null"], "additionalProperties": _SCALAR}
_HEADER_LENGTH = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "How many leading bytes of the body are JSON; binary tensors follow. "
    "0 says that the body is the bytes of the only input, and not JSON.",
    "schema": {"type": "integer", "minimum": 0},
}


def operation(manifest: Manifest | None) -> Schema:
    """Describe the route; without a manifest, tensors stay untyped."""
    content: Schema = {"schema": _inference_request(manifest)}
    if manifest and (shown := _example(manifest)) is not None:
        content["example"] = shown
    answer = {
        "application/json": {"schema": _inference_response(manifest)},
        "application/octet-stream": {"schema": BINARY},
    }
    return {
        "summary": "Infer",
        "description": "The Open Inference Protocol's inference, by JSON and by binary tensors.",
        "parameters": [_HEADER_LENGTH],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": content,
                "application/octet-stream": {"schema": BINARY},
            },
        },
        "responses": {"200": success_of("The outputs, and who computed them", answer)}
        | failed("404", *FAILURES),
    }


def _inference_request(manifest: Manifest | None) -> Schema:
    inputs: Schema = {"type": "array", "items": TENSOR}
    outputs: Schema = {"type": ["array", "null"], "items": object_of(name=TEXT)}
    if manifest:
        each = [_input(spec) for spec in manifest.inputs]
        inputs = {
            "type": "array",
            "items": {"oneOf": each},
            "minItems": len(each),
            "maxItems": len(each),
        }
        names = [spec.name for spec in manifest.outputs]
        outputs["items"] = object_of(name={"enum": names})
        outputs["items"]["properties"]["parameters"] = _PARAMETERS
    identifier = {"type": ["string", "null"]}
    members = {"id": identifier, "parameters": _PARAMETERS, "inputs": inputs, "outputs": outputs}
    return {"type": "object", "properties": members, "required": ["inputs"]}


def _inference_response(manifest: Manifest | None) -> Schema:
    names = {"name": {"enum": [spec.name for spec in manifest.outputs]}} if manifest else {}
    output = {
        **TENSOR,
        "properties": {**TENSOR["properties"], **names, "data": {"type": "array"}},
    }
    described = object_of(
        model_name=TEXT,
        model_version=TEXT,
        id=TEXT,
        outputs={"type": "array", "items": output},
    )
    described["properties"]["parameters"] = _PARAMETERS
    return described


def _input(spec: TensorSpec) -> Schema:
    sizes = [
        {"const": size} if size >= 0 else {"type": "integer", "minimum": 0} for size in spec.shape
    ]
    shape = {"type": "array", "prefixItems": sizes, "minItems": len(sizes), "maxItems": len(sizes)}
    described = object_of(name={"const": spec.name}, datatype={"const": spec.datatype}, shape=shape)
    described["required"] += ["data"]
    described["properties"] |= {
        "parameters": _PARAMETERS,
        "data": {
            "type": "array",
            "items": {"anyOf": [tensors.given(spec.datatype), {"type": "array"}]},
        },
    }
    return described | {"title": str(spec)}


def _example(manifest: Manifest) -> Schema | None:
    shown = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": tensors.example_shape(spec),
            "data": tensors.example(spec),
        }
        for spec in manifest.inputs
    ]
    return None if any(each["data"] is None for each in shown) else {"inputs": shown}
