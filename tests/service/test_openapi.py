"""The description of the API, typed by the version that serves."""

from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from pointsman.manifest import Manifest, Measured, OnnxInfo, TensorSpec
from pointsman_service.api.openapi import document


def spec(name: str, datatype: str, *shape: int) -> TensorSpec:
    return TensorSpec(name=name, datatype=datatype, shape=shape)


def manifest(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Manifest:
    return Manifest(
        schema=1,
        model="m",
        version="v7",
        created="",
        entrypoint="model.onnx",
        files=(),
        inputs=inputs,
        outputs=outputs,
        onnx=OnnxInfo(ir_version=8, opsets={}),
        measured=Measured(runtime="", load_seconds=0, latency_seconds=0, peak_rss_bytes=0),
    )


SEVERAL = manifest(
    (spec("pixels", "FP32", -1, 64), spec("mask", "BOOL", -1)),
    (spec("label", "INT64", -1), spec("score", "FP32", -1), spec("name", "BYTES")),
)
SINGLE = manifest((spec("pixels", "UINT8", -1, 64),), (spec("label", "INT64", -1),))


def request(described: dict[str, Any]) -> Any:
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    return content["application/json"]["schema"]["properties"]["inputs"]


def answer(described: dict[str, Any]) -> Any:
    responses = described["paths"]["/predict"]["post"]["responses"]
    return responses["200"]["content"]["application/json"]["schema"]["properties"]["outputs"]


@pytest.mark.parametrize("served", [None, SEVERAL, SINGLE], ids=["nothing", "several", "single"])
def test_the_document_is_openapi_3_1(served: Manifest | None) -> None:
    described = document("m", served)
    assert described["openapi"] == "3.1.0"
    parsed = OpenAPI.model_validate(described)
    assert parsed.paths is not None
    assert set(parsed.paths) == {"/predict", "/health", "/livez", "/metrics"}
    assert described["info"]["version"] == ("v7" if served else "none")


def test_inputs_are_typed_by_name_datatype_and_shape() -> None:
    inputs = request(document("m", SEVERAL))
    assert inputs["required"] == ["pixels", "mask"]
    pixels = inputs["properties"]["pixels"]
    assert pixels["title"] == "pixels FP32[-1,64]"
    assert "minItems" not in pixels, "rows may be any number"
    assert (pixels["items"]["minItems"], pixels["items"]["maxItems"]) == (64, 64)
    assert pixels["items"]["items"] == {"type": "number"}
    assert inputs["properties"]["mask"]["items"] == {"type": "boolean"}


def test_the_only_input_may_come_without_its_name() -> None:
    named, bare = request(document("m", SINGLE))["anyOf"]
    assert named["required"] == ["pixels"]
    assert bare["items"]["items"] == {"type": "integer", "minimum": 0}


def test_floats_may_be_answered_as_null() -> None:
    outputs = answer(document("m", SEVERAL))["properties"]
    assert outputs["label"]["items"] == {"type": "integer"}
    assert outputs["score"]["items"] == {"type": ["number", "null"]}
    assert outputs["name"]["type"] == "string", "a scalar is no list"
