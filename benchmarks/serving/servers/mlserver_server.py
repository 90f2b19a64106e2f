"""MLServer in one process, with its own codecs."""

import asyncio
import os
import sys

import numpy as np
import onnxruntime as ort
from mlserver import MLModel, MLServer
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse


class Served(MLModel):
    """One model."""

    async def load(self) -> bool:
        """Load it."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["BENCH_MODEL"], options)
        kind = self.session.get_inputs()[0].type
        self.dtype = np.int64 if kind == "tensor(int64)" else np.float32
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Compute."""
        x = NumpyCodec.decode_input(payload.inputs[0]).astype(self.dtype)
        (y,) = self.session.run(None, {"x": x})
        outputs = [NumpyCodec.encode_output("y", y)]
        return InferenceResponse(model_name=self.name, outputs=outputs)


async def main() -> None:
    """Serve until told to end."""
    settings = Settings(
        debug=False,
        host="127.0.0.1",
        http_port=int(sys.argv[2]),
        grpc_port=int(sys.argv[2]) + 1000,
        metrics_port=int(sys.argv[2]) + 2000,
        parallel_workers=0,
    )
    server = MLServer(settings)
    model = ModelSettings(
        name="model", implementation=Served, parameters=ModelParameters(version="1")
    )
    await server.start([model])


if __name__ == "__main__":
    os.environ["BENCH_MODEL"] = sys.argv[1]
    asyncio.run(main())
