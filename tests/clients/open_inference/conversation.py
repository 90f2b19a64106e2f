"""What the client generated from the protocol's official OpenAPI file does, all its calls."""

import sys

from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.errors import BadRequestError, NotFoundError
from open_inference.openapi.types import InferenceRequest, RequestInput


def request(shape: list[int]) -> InferenceRequest:
    tensor = RequestInput(name="x", shape=shape, datatype="FP32", data=[[1, 2, 3, 4]])
    return InferenceRequest(id="mine", inputs=[tensor])


def refused(error: type[Exception], *arguments: object, **options: object) -> Exception:
    call, *others = arguments
    try:
        call(*others, **options)  # type: ignore[operator]
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} should have been raised")


def main() -> None:
    client = OpenInferenceClient(base_url=sys.argv[1])
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("m")
    client.check_model_version_readiness("m", "v1")
    server = client.read_server_metadata()
    assert server.name == "pointsman"
    assert "binary_tensor_data" in server.extensions
    for metadata in (
        client.read_model_metadata("m"),
        client.read_model_version_metadata("m", "v1"),
    ):
        assert metadata.platform == "onnx_onnxv1"
        assert metadata.inputs[0].shape == [-1, 4]
        assert metadata.properties["version"] == "v1"
    for answer in (
        client.model_infer("m", request=request([1, 4])),
        client.model_version_infer("m", "v1", request=request([1, 4])),
    ):
        assert (answer.id, answer.model_name, answer.model_version) == ("mine", "m", "v1")
        assert answer.outputs[0].data.__root__ == [2.0, 4.0, 6.0, 8.0]
    error = refused(BadRequestError, client.model_infer, "m", request=request([2, 2]))
    assert "has the shape [2, 2]" in str(error), error
    refused(NotFoundError, client.check_model_readiness, "other")
    unknown = refused(ApiError, client.read_model_metadata, "other")
    assert isinstance(unknown, ApiError)
    assert unknown.status_code == 404
    refused(NotFoundError, client.check_model_version_readiness, "m", "v9")


if __name__ == "__main__":
    main()
