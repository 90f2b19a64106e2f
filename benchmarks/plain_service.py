"""The comparison: a FastAPI service as a guide would write it, one model, one worker."""

import os
import sys

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
session = ort.InferenceSession(sys.argv[1])


class Body(BaseModel):
    """A request."""

    inputs: list[list[float]]


@app.get("/health")
def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.post("/predict")
def predict(body: Body) -> dict[str, list[object]]:
    """Compute."""
    pixels = np.array(body.inputs, dtype=np.float32)
    label, probabilities = session.run(None, {"pixels": pixels})
    return {"label": label.tolist(), "probabilities": probabilities.tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False)
