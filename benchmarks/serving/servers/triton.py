"""PyTriton, with its dynamic batcher."""

import sys
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options)
given = session.get_inputs()[0]
dtype = np.int64 if given.type == "tensor(int64)" else np.float32


@batch  # type: ignore[untyped-decorator]
def infer(x: NDArray[Any]) -> list[NDArray[Any]]:
    """Compute a batch."""
    return [session.run(None, {"x": x})[0]]


if __name__ == "__main__":
    port = int(sys.argv[2])
    config = TritonConfig(
        http_port=port, grpc_port=port + 1000, metrics_port=port + 2000, http_address="127.0.0.1"
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="model",
            infer_func=infer,
            inputs=[Tensor(name="x", dtype=dtype, shape=tuple(given.shape[1:]))],
            outputs=[Tensor(name="y", dtype=np.float32, shape=(-1,))],
            config=ModelConfig(max_batch_size=32, batcher=DynamicBatcher()),
        )
        triton.serve()
