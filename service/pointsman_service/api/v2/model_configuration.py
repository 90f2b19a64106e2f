"""The model configuration extension: a signature as Triton's ModelConfig has it; pure.

Source: Triton's `model_config.proto` and its JSON form. `max_batch_size` 0 says that the shapes
are whole, with their rows.
"""

from typing import Any

from pointsman.manifest import TensorSpec, Version

_NAMES = {"BYTES": "TYPE_STRING"}


def document(version: Version) -> dict[str, Any]:
    """Return the configuration of a version."""
    manifest = version.manifest
    return {
        "name": manifest.model,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "max_batch_size": 0,
        "input": [{**_tensor(spec), "format": "FORMAT_NONE"} for spec in manifest.inputs],
        "output": [_tensor(spec) for spec in manifest.outputs],
        "instance_group": [{"name": manifest.model, "kind": "KIND_CPU", "count": 1}],
        "default_model_filename": manifest.entrypoint,
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    data_type = _NAMES.get(spec.datatype, f"TYPE_{spec.datatype}")
    return {"name": spec.name, "data_type": data_type, "dims": spec.shape}
