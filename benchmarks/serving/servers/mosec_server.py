"""mosec, with batching; MODEL is taken from the environment because mosec reads the arguments."""

import os
import sys
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("BENCH_MODEL", sys.argv[1])
    sys.argv[1:] = ["--port", sys.argv[2], "--address", "127.0.0.1"]

import numpy as np
import onnxruntime as ort
from mosec import Server, Worker


class Served(Worker):
    """One model."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["BENCH_MODEL"], options)
        kind = self.session.get_inputs()[0].type
        self.dtype = np.int64 if kind == "tensor(int64)" else np.float32

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Compute a batch."""
        x = np.concatenate([np.array(each["inputs"], self.dtype) for each in data])
        (y,) = self.session.run(None, {"x": x})
        return [{"outputs": row[None].tolist()} for row in y]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Served, num=1, max_batch_size=32, max_wait_time=1)
    server.run()
