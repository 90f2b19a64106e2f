"""BentoML, with adaptive batching."""

import os
import sys

if __name__ == "__main__":
    os.environ["BENCH_MODEL"] = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 — nothing is imported yet
    os.chdir(here)
    arguments = ["serve", "bento:Served", "--port", sys.argv[2], "--host", "127.0.0.1"]
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", *arguments])  # noqa: S606

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=1)
class Served:
    """One model."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["BENCH_MODEL"], options)
        kind = self.session.get_inputs()[0].type
        self.dtype = np.int64 if kind == "tensor(int64)" else np.float32

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def predict(self, inputs: np.ndarray) -> np.ndarray:  # type: ignore[type-arg] # as it asks for
        """Compute."""
        return self.session.run(None, {"x": inputs.astype(self.dtype)})[0]  # type: ignore[no-any-return]
