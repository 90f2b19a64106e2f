"""KServe's Python server, by the Open Inference Protocol."""

import sys
from typing import Any

import numpy as np
import onnxruntime as ort
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Served(Model):
    """One model."""

    def __init__(self) -> None:
        super().__init__("model")
        self.load()

    def load(self) -> bool:
        """Load it."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(MODEL, options)
        kind = self.session.get_inputs()[0].type
        self.dtype = np.int64 if kind == "tensor(int64)" else np.float32
        self.ready = True
        return self.ready

    async def predict(
        self, payload: InferRequest, headers: Any = None, response_headers: Any = None
    ) -> InferResponse:
        """Compute."""
        del headers, response_headers
        x = payload.inputs[0].as_numpy().astype(self.dtype)
        (y,) = self.session.run(None, {"x": x})
        output = InferOutput("y", list(y.shape), "FP32")
        output.set_data_from_numpy(y, binary_data=False)
        return InferResponse(response_id="1", model_name=self.name, infer_outputs=[output])


if __name__ == "__main__":
    MODEL, port = sys.argv[1:]
    sys.argv[1:] = []
    ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([Served()])
