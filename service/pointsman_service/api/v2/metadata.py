"""What server and model say of themselves: their metadata in the protocol's words; pure."""

from collections.abc import Iterable
from typing import Any

from pointsman.manifest import TensorSpec, Version

PLATFORM = "onnx_onnxv1"
EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "parameters",
    "schedule_policy",
    "statistics",
)
REPOSITORY = "model_repository"


def server(*, repository: bool) -> dict[str, Any]:
    """Describe the server; the model repository is there only for those who set a key for it."""
    from importlib.metadata import version as installed

    extensions = sorted([*EXTENSIONS, REPOSITORY] if repository else EXTENSIONS)
    return {
        "name": "pointsman",
        "version": installed("pointsman-service"),
        "extensions": extensions,
    }


def model(version: Version, versions: Iterable[str]) -> dict[str, Any]:
    """Describe a version; `versions` are all that answer here."""
    manifest = version.manifest
    return {
        "name": manifest.model,
        "versions": sorted(versions),
        "platform": PLATFORM,
        "inputs": [_tensor(spec) for spec in manifest.inputs],
        "outputs": [_tensor(spec) for spec in manifest.outputs],
        "properties": {
            "version": manifest.version,
            "digest": version.digest,
            "opset": str(manifest.onnx.opsets.get("ai.onnx", "")),
            "producer": manifest.onnx.producer,
        },
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}
