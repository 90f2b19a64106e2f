"""The machine under the service: ONNX Runtime, threads, memory."""
