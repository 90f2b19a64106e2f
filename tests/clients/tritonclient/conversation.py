"""What NVIDIA's Python client for HTTP does, against a service that echoes every datatype."""

import asyncio
import sys
from collections.abc import Callable
from itertools import product

import ml_dtypes
import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

DATATYPES = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BYTES",
)  # fmt: skip
NOT_IN_JSON = {"FP16"}  # this client refuses to write it


def values(datatype: str, rows: int = 2) -> np.ndarray:
    if datatype == "BYTES":
        return np.array([["a", "ä\0"]] * rows, object).reshape(rows, 2)
    return np.arange(rows * 2).reshape(rows, 2).astype(triton_to_np_dtype(datatype))


def inputs(*, binary: bool, rows: int = 2) -> list[triton.InferInput]:
    given = []
    for datatype in DATATYPES:
        tensor = triton.InferInput(f"x_{datatype}", [rows, 2], datatype)
        in_binary = binary or datatype in NOT_IN_JSON
        tensor.set_data_from_numpy(values(datatype, rows), binary_data=in_binary)
        given.append(tensor)
    return given


def outputs(*, binary: bool) -> list[triton.InferRequestedOutput]:
    return [triton.InferRequestedOutput(f"y_{each}", binary_data=binary) for each in DATATYPES]


def check(result: triton.InferResult, rows: int = 2) -> None:
    for datatype in DATATYPES:
        computed = result.as_numpy(f"y_{datatype}")
        expected = values(datatype, rows)
        if datatype == "BYTES":
            computed = np.array(
                [each.decode() if isinstance(each, bytes) else each for each in computed.ravel()],
                object,
            ).reshape(computed.shape)
        assert computed.shape == (rows, 2), (datatype, computed)
        assert (computed == expected).all(), (datatype, computed)


def refusal(call: Callable[..., object], *arguments: object, **options: object) -> str:
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        return str(error)
    raise AssertionError("this should have been refused")


def describes(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready(query_params={"test_1": 1, "test_2": 2})
    assert client.is_model_ready("m")
    assert client.is_model_ready("m", "v1")
    assert client.is_model_ready("m", "1")
    assert not client.is_model_ready("m", "v9")
    assert not client.is_model_ready("other")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("m")
    assert (metadata["name"], metadata["versions"]) == ("m", ["v1"])
    assert {each["datatype"] for each in metadata["inputs"]} == set(DATATYPES)
    assert client.get_model_config("m")["input"][0]["dims"] == [-1, 2]
    unknown = refusal(client.get_model_metadata, "wrong_model_name")
    assert "Request for unknown model" in unknown


def infers(client: triton.InferenceServerClient) -> None:
    for binary_in, binary_out in product((False, True), repeat=2):
        check(client.infer("m", inputs(binary=binary_in), outputs=outputs(binary=binary_out)))
    result = client.infer(
        "m", inputs(binary=True), model_version="v1", request_id="mine", priority=1,
        timeout=60_000_000, parameters={"colour": "red"},
    )  # fmt: skip
    check(result)
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["model_version"] == "v1"
    check(client.infer("m", inputs(binary=True, rows=0)), rows=0)
    for there, back in product(("gzip", "deflate", None), repeat=2):
        packed = client.infer(
            "m",
            inputs(binary=False, rows=200),
            request_compression_algorithm=there,
            response_compression_algorithm=back,
        )
        check(packed, rows=200)
    check(client.async_infer("m", inputs(binary=True)).get_result())


def classifies(client: triton.InferenceServerClient) -> None:
    for binary in (False, True):
        best = triton.InferRequestedOutput("y_FP32", binary_data=binary, class_count=1)
        classes = client.infer("m", inputs(binary=True), outputs=[best]).as_numpy("y_FP32")
        found = [each.decode() if isinstance(each, bytes) else each for each in classes.ravel()]
        assert found == ["1.0:1", "3.0:1"], found


def complains(client: triton.InferenceServerClient) -> None:
    assert "Request for unknown model" in refusal(client.infer, "other", inputs(binary=True))
    wrong = triton.InferInput("x_FP32", [1, 3], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 3), np.float32))
    assert "has the shape [1, 3]" in refusal(client.infer, "m", [wrong])
    twice = outputs(binary=True)[:1] * 2
    assert "already exists in request" in refusal(
        client.infer, "m", inputs(binary=True), outputs=twice
    )


def counts(client: triton.InferenceServerClient) -> None:
    stats = client.get_inference_statistics("m")["model_stats"]
    assert len(stats) == 1
    assert stats[0]["inference_stats"]["success"]["count"] > 0
    assert client.get_inference_statistics()["model_stats"]


def loads_and_unloads(client: triton.InferenceServerClient, key: str) -> None:
    headers = {"X-API-Key": key}

    def states() -> dict[str, str]:
        index = client.get_model_repository_index(headers=headers)
        return {each["version"]: each["state"] for each in index}

    assert states() == {"v1": "READY", "v2": "UNAVAILABLE"}
    client.load_model("m", headers=headers)
    client.unload_model("m", headers=headers)
    assert states() == {"v1": "READY", "v2": "UNAVAILABLE"}, "the channel is not disturbed"
    assert "model_repository" in client.get_server_metadata()["extensions"]
    assert "needs an API key" in refusal(client.load_model, "m")
    other = refusal(client.load_model, "other", headers=headers)
    assert "Request for unknown model" in other
    config = refusal(client.load_model, "m", headers=headers, config="{}")
    assert "are not taken" in config


def computes_bf16(address: str) -> None:
    with triton.InferenceServerClient(address) as client:
        numbers = np.array([[1.5, -2.0]], ml_dtypes.bfloat16)
        tensor = triton.InferInput("x", [1, 2], "BF16")
        tensor.set_data_from_numpy(numbers)
        result = client.infer("m", [tensor])
        assert result.as_numpy("y").tolist() == numbers.tolist()


async def goes_on_without_waiting(address: str) -> None:
    async with tritonclient.http.aio.InferenceServerClient(address) as client:
        assert await client.is_server_live()
        asked = [client.infer("m", inputs(binary=True)) for _ in range(8)]
        for result in await asyncio.gather(*asked):
            check(result)


def main() -> None:
    echo, bf16 = (each.removeprefix("http://") for each in sys.argv[1:3])
    with triton.InferenceServerClient(echo, concurrency=4) as client:
        for part in (describes, infers, classifies, complains, counts):
            part(client)
        loads_and_unloads(client, sys.argv[3])
    computes_bf16(bf16)
    asyncio.run(goes_on_without_waiting(echo))


if __name__ == "__main__":
    main()
