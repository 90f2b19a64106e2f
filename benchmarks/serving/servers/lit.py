"""LitServe, with batching."""

import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


class Served(litserve.LitAPI):
    """One model."""

    def setup(self, device: str) -> None:
        """Load it."""
        del device
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(sys.argv[1], options)
        kind = self.session.get_inputs()[0].type
        self.dtype = np.int64 if kind == "tensor(int64)" else np.float32

    def decode_request(self, request: dict[str, Any]) -> NDArray[Any]:
        """Read."""
        return np.array(request["inputs"][0], self.dtype)

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Compute."""
        return self.session.run(None, {"x": x})[0]  # type: ignore[no-any-return]

    def encode_response(self, output: NDArray[Any]) -> dict[str, Any]:
        """Write."""
        return {"outputs": output.tolist()}


if __name__ == "__main__":
    api = Served(max_batch_size=32, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), host="127.0.0.1", generate_client_file=False)
