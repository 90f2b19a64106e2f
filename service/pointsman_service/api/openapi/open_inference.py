"""The routes of the Open Inference Protocol in the OpenAPI document; pure."""

from typing import Any

from pointsman.manifest import Manifest
from pointsman_service.api.openapi import inference
from pointsman_service.api.openapi.inference import TENSOR, TEXT
from pointsman_service.api.openapi.responses import object_of, operation

Schema = dict[str, Any]


def components() -> Schema:
    """Describe the objects that several routes share."""
    return {
        "TensorMetadata": TENSOR,
        "ServerMetadata": object_of(
            name=TEXT, version=TEXT, extensions={"type": "array", "items": TEXT}
        ),
        "ModelMetadata": object_of(
            name=TEXT,
            versions={"type": "array", "items": TEXT},
            platform=TEXT,
            inputs=_list_of("TensorMetadata"),
            outputs=_list_of("TensorMetadata"),
            properties={"type": "object", "additionalProperties": TEXT},
        ),
        "ModelStatistics": object_of(model_stats={"type": "array", "items": {"type": "object"}}),
    }


def paths(model: str, manifest: Manifest | None) -> Schema:
    """Describe every path below `/v2`."""
    ready = object_of(live={"const": True}, ready={"const": True})
    described: Schema = {
        "/v2": {"get": operation("The server and its extensions", _reference("ServerMetadata"))},
        "/v2/health/live": {
            "get": operation("Whether the process can answer", object_of(live={"const": True}))
        },
        "/v2/health/ready": {"get": operation("Whether a version answers", ready, "503")},
        "/v2/models": {
            "get": operation("The model", object_of(models={"type": "array", "items": TEXT}))
        },
        "/v2/models/stats": {
            "get": operation("What all versions were asked", _reference("ModelStatistics"))
        },
    }
    version = manifest.version if manifest else "v1"
    for base, names in (
        ("/v2/models/{model}", {"model": model}),
        ("/v2/models/{model}/versions/{version}", {"model": model, "version": version}),
    ):
        parameters = [_in_path(name, value) for name, value in names.items()]
        for rest, described_operation in _of_model(manifest).items():
            described[base + rest] = {"parameters": parameters, **described_operation}
    return described


def _of_model(manifest: Manifest | None) -> Schema:
    ready = object_of(name=TEXT, ready={"const": True})
    reads = {
        "": operation("Inputs and outputs", _reference("ModelMetadata"), "404", "503"),
        "/ready": operation("Whether it answers", ready, "404", "503"),
        "/stats": operation("What it was asked", _reference("ModelStatistics"), "404", "503"),
        "/config": operation("Triton's ModelConfig", {"type": "object"}, "404", "503"),
    }
    infer = {"post": inference.operation(manifest)}
    return {rest: {"get": described} for rest, described in reads.items()} | {"/infer": infer}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": _reference(name)}


def _in_path(name: str, value: str) -> Schema:
    schema = {"type": "string", "enum": [value]}
    return {"name": name, "in": "path", "required": True, "schema": schema}
