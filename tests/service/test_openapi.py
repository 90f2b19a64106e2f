"""The description of the API, typed by the version that serves."""

import json
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from pointsman.manifest import Manifest, Measured, OnnxInfo, TensorSpec
from pointsman_service import tensors
from pointsman_service.api.openapi import document
from pointsman_service.api.v2 import routes
from pointsman_service.api.v2.decoding import decode


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
    fixed = {path for path in parsed.paths if not path.startswith("/v2")}
    assert fixed == {"/predict", "/health", "/livez", "/metrics"}
    assert described["info"]["version"] == ("v7" if served else "none")


def test_inputs_are_typed_by_name_datatype_and_shape() -> None:
    inputs = request(document("m", SEVERAL))
    assert inputs["required"] == ["pixels", "mask"]
    pixels = inputs["properties"]["pixels"]
    assert pixels["title"] == "pixels FP32[-1,64]"
    assert "maxItems" not in pixels, "rows may be any number"
    assert (pixels["items"]["minItems"], pixels["items"]["maxItems"]) == (64, 64)
    assert pixels["items"]["items"]["type"] == "number"
    assert pixels["items"]["items"]["exclusiveMaximum"] == pytest.approx(3.4e38, rel=0.01)
    assert inputs["properties"]["mask"]["items"] == {"type": "boolean"}


def test_the_only_input_may_come_without_its_name() -> None:
    named, bare = request(document("m", SINGLE))["anyOf"]
    assert named["required"] == ["pixels"]
    assert bare["items"]["items"] == {"type": "integer", "minimum": 0, "maximum": 255}


def test_floats_may_be_answered_as_null() -> None:
    outputs = answer(document("m", SEVERAL))["properties"]
    assert outputs["label"]["items"]["type"] == "integer"
    assert outputs["score"]["items"] == {"type": ["number", "null"]}
    assert outputs["name"]["type"] == "string", "a scalar is no list"


def test_every_path_of_the_protocol_is_described() -> None:
    described = document("m", SEVERAL, admin_keys=True)["paths"]
    bases = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    of_model = {f"{base}/{rest}".rstrip("/") for base in bases for rest in routes.OF_MODEL}
    fixed = {path.rstrip("/") for path in routes.FIXED}
    of_repository = {f"/v2/repository/models/{{model}}/{each}" for each in routes.OF_REPOSITORY}
    paths = {path for path in described if path.startswith("/v2")}
    assert paths == fixed | of_model | of_repository


def test_what_needs_a_key_says_so() -> None:
    def locked(**keys: bool) -> set[str]:
        described = document("m", SEVERAL, **keys)["paths"]
        return {path for path, each in described.items() if "security" in each.get("post", {})}

    assert locked() == set()
    infer = {path for path in document("m", SEVERAL)["paths"] if path.endswith("/infer")}
    assert locked(api_keys=True) == {"/predict"} | infer
    assert {path.split("/")[2] for path in locked(admin_keys=True)} == {"repository"}


def test_an_inference_is_typed_by_the_signature() -> None:
    infer = document("m", SEVERAL)["paths"]["/v2/models/{model}/infer"]["post"]
    schema = infer["requestBody"]["content"]["application/json"]["schema"]
    inputs = schema["properties"]["inputs"]
    assert (inputs["minItems"], inputs["maxItems"]) == (2, 2)
    pixels = inputs["items"]["oneOf"][0]
    assert pixels["properties"]["datatype"] == {"const": "FP32"}
    assert pixels["properties"]["shape"]["prefixItems"][1] == {"const": 64}


def test_examples_are_ones_that_the_model_takes() -> None:
    described = document("m", SEVERAL)["paths"]
    body = described["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    feed = tensors.parse(body["inputs"], SEVERAL.inputs)
    assert feed["pixels"].shape == (1, 64)
    infer = described["/v2/models/{model}/infer"]["post"]
    shown = infer["requestBody"]["content"]["application/json"]["example"]
    understood = decode({}, json.dumps(shown).encode(), SEVERAL)
    assert understood.feed["mask"].tolist() == [True]


def test_an_example_is_left_out_where_it_would_fill_the_page() -> None:
    image = manifest((spec("x", "FP32", -1, 3, 224, 224),), (spec("y", "FP32", -1),))
    described = document("m", image)["paths"]
    for path in ("/predict", "/v2/models/{model}/infer"):
        content = described[path]["post"]["requestBody"]["content"]["application/json"]
        assert "example" not in content
