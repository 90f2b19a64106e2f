"""The Open Inference Protocol, version 2, over HTTP.

Source: kserve/open-inference-protocol, `inference_rest.md`, and Triton's extensions for binary
tensors, model repository, statistics, classification, schedule policy and model configuration.
What the wire says is decoded and encoded by pure functions (`decoding`, `encoding`); `routes`
knows which path is whose.
"""
