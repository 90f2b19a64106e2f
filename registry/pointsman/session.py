"""The only contact with ONNX Runtime: open a model, run it, tell its signature.

Validation and the service share it, so that a version is tried by the very code that will serve
it. Importing this module needs the extra `pointsman-registry[runtime]`.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The runtime would start a thread and write files under ~/.cache; it looks when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort
from numpy.typing import NDArray

from pointsman import datatypes
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec

RUNTIME = f"onnxruntime {ort.__version__}"
_ONLY_FATAL = 4
_NOISE = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : "
    r"|Load model from .*? failed:"
    r"|This is an invalid model\. In Node, .*? , Error "
    r"|Non-zero status code returned while running .*? Status Message: "
    r"|/onnxruntime_src/\S+ .*?\) (?=[A-Z])"
)

Arrays = Mapping[str, NDArray[Any]]


class RunFailed(Exception):
    """ONNX Runtime could not compute; the message is its reason."""


class Session:
    """A loaded model. `run` may be called from several threads at once."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Load `model`; raises `InvalidModel` when the runtime refuses it, or it has no tensors.

        Idle pool threads do not spin: that would burn the quota that the next request needs.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # A path, not bytes: loading from bytes holds the model in memory twice.
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InvalidModel(
                f"{RUNTIME} does not load {model.name}: {_reason(error)}",
                "Export it again, with operators that this runtime knows.",
            ) from error
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._names = [output.name for output in self.outputs]

    def run(self, feed: Arrays) -> dict[str, NDArray[Any]]:
        """Compute all outputs, in the signature's order; raises `RunFailed`."""
        try:
            return dict(zip(self._names, self._session.run(self._names, feed), strict=True))
        except Exception as error:
            raise RunFailed(_reason(error)) from error


def _spec(node: Any) -> TensorSpec:
    datatype = datatypes.from_runtime(node.type)
    if datatype is None:
        raise InvalidModel(
            f"{node.name!r} is a {node.type}, and only tensors can be served",
            "For scikit-learn models, export with options={'zipmap': False}."
            if "map" in node.type
            else "Export the model with plain tensors.",
        )
    shape = tuple(size if isinstance(size, int) else -1 for size in node.shape)
    return TensorSpec(name=node.name, datatype=datatype, shape=shape)


def _reason(error: Exception) -> str:
    """Cut ONNX Runtime's text to what a reader can use: no codes, no paths, no C++."""
    return _NOISE.sub("", " ".join(str(error).split())).strip()[:300] or type(error).__name__
