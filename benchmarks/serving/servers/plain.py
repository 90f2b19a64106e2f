"""FastAPI as a guide would write it: a pydantic body of lists, a synchronous endpoint."""

import sys
from typing import Any

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}

app = FastAPI()
options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options)
dtype = DTYPES[session.get_inputs()[0].type]
depth = len(session.get_inputs()[0].shape)
Row = {2: list[list[float]], 4: list[list[list[list[float]]]]}[depth]


class Body(BaseModel):
    """A request."""

    inputs: Row  # type: ignore[valid-type] # as deep as the model's input


@app.get("/health")
def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.post("/predict")
def predict(body: Body) -> dict[str, Any]:
    """Compute."""
    (y,) = session.run(None, {"x": np.array(body.inputs, dtype=dtype)})
    return {"outputs": y.tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False)
