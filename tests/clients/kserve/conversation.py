"""What KServe's `InferenceRESTClient` does, by JSON and by binary tensors."""

import asyncio
import importlib.util
import sys
import types

import httpx
import numpy as np


def without_its_server() -> None:
    """Let `kserve.inference_client` be imported without all of KServe.

    The package's own `__init__` imports its server and the Kubernetes API: 200 MB that its client
    has no need of. The client's own modules run as they are.
    """
    found = importlib.util.find_spec("kserve")
    assert found is not None
    package = types.ModuleType("kserve")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["kserve"] = package


without_its_server()

from kserve.inference_client import InferenceRESTClient, RESTConfig  # noqa: E402
from kserve.protocol.infer_type import (  # noqa: E402
    InferInput,
    InferRequest,
    InferResponse,
    RequestedOutput,
)

ROW = np.array([[1, 2, 3, 4]], np.float32)


def request(*, there: bool, back: bool, row: np.ndarray = ROW) -> InferRequest:
    tensor = InferInput("x", list(row.shape), "FP32")
    tensor.set_data_from_numpy(row, binary_data=there)
    asked = [RequestedOutput("y", {"binary_data": back})]
    return InferRequest("m", [tensor], request_id="mine", request_outputs=asked)


async def main() -> None:
    base = sys.argv[1]
    async with InferenceRESTClient(RESTConfig(protocol="v2", timeout=120)) as client:
        assert await client.is_server_live(base)
        assert await client.is_server_ready(base)
        assert await client.is_model_ready(base, "m")
        assert not await client.is_model_ready(base, "other")
        for there in (False, True):
            for back in (False, True):
                answer = await client.infer(base, request(there=there, back=back), model_name="m")
                assert isinstance(answer, InferResponse)
                assert (answer.id, answer.model_name) == ("mine", "m")
                assert answer.parameters["version"] == "v1", answer.parameters
                assert answer.outputs[0].as_numpy().tolist() == [[2, 4, 6, 8]]
        plain = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1] * 4}]}
        answer = await client.infer(base, plain, model_name="m")
        assert answer.outputs[0].as_numpy().tolist() == [[2, 2, 2, 2]]
        error = await refusal(client, base)
        assert "has the shape [1, 3]" in error, error


async def refusal(client: InferenceRESTClient, base: str) -> str:
    short = request(there=True, back=True, row=ROW[:, :3])
    try:
        await client.infer(base, short, model_name="m")
    except httpx.HTTPStatusError as error:
        return str(error)
    raise AssertionError("this should have been refused")


if __name__ == "__main__":
    asyncio.run(main())
