"""`POST /predict` in the OpenAPI document, typed by a signature; pure."""

from typing import Any

from pointsman.manifest import Manifest
from pointsman_service.api.openapi import responses, tensors

Schema = dict[str, Any]

BINARY = {"type": "string", "format": "binary"}
FAILURES = ("400", "401", "413", "415", "429", "500", "503", "504")


def operation(manifest: Manifest | None) -> Schema:
    """Describe the route; without a manifest, tensors stay untyped."""
    content: Schema = {"schema": _request(manifest)}
    if manifest and (shown := _example(manifest)) is not None:
        content["example"] = shown
    description = "The outputs, and who computed them"
    answer = {
        "application/json": {"schema": _answer(manifest)},
        "application/octet-stream": {"schema": BINARY},
    }
    return {
        "summary": "Predict",
        "description": "JSON shows NaN and infinite outputs as null. For `Accept: "
        "application/octet-stream` the answer is binary: the bytes of the only output, described "
        "by the headers X-Tensor-Name, X-Tensor-Datatype and X-Tensor-Shape, or, of a model with "
        "several, the binary form of the Open Inference Protocol.",
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {"200": responses.success_of(description, answer)}
        | responses.failed(*FAILURES),
    }


def _request(manifest: Manifest | None) -> Schema:
    inputs: Schema = {"type": "object"}
    if manifest:
        inputs = tensors.named(manifest.inputs, tensors.given) | {"additionalProperties": False}
    if manifest and len(manifest.inputs) == 1:
        inputs = {"anyOf": [inputs, tensors.nested(manifest.inputs[0], tensors.given)]}
    return {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}


def _answer(manifest: Manifest | None) -> Schema:
    outputs = tensors.named(manifest.outputs, tensors.answered) if manifest else {"type": "object"}
    members = {name: {"type": "string"} for name in ("name", "version", "digest")}
    model = {"type": "object", "properties": members, "required": list(members)}
    return {
        "type": "object",
        "properties": {"outputs": outputs, "model": model},
        "required": ["outputs", "model"],
    }


def _example(manifest: Manifest) -> Schema | None:
    shown = {spec.name: tensors.example(spec) for spec in manifest.inputs}
    return None if None in shown.values() else {"inputs": shown}
