"""The only contact with ONNX Runtime: open a model, run it, tell its signature.

Validation and the service share it, so that a version is tried by the very code that will serve
it. Importing this module needs the extra `pointsman-registry[runtime]`.
"""

import ctypes
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# The runtime would start a thread and write files under ~/.cache; it looks when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pointsman import bfloat16, datatypes
from pointsman.errors import InvalidModel
from pointsman.manifest import TensorSpec

RUNTIME = f"onnxruntime {ort.__version__}"
_ONLY_FATAL = 4
_ONNX_BFLOAT16 = 16
"""TensorProto.BFLOAT16 in onnx.proto; the package is not needed for one number."""
_NOISE = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : "
    r"|Load model from .*? failed:"
    r"|This is an invalid model\. In Node, .*? , Error "
    r"|Non-zero status code returned while running .*? Status Message: "
    r"|/onnxruntime_src/\S+ .*?\) (?=[A-Z])"
    r"|ONNX Runtime only \*guarantees\* .*? backward compatibility\. "
)

Arrays = Mapping[str, NDArray[Any]]


class RunFailed(Exception):
    """ONNX Runtime could not compute; the message is its reason."""


class Session:
    """A loaded model. `run` may be called from several threads at once."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """Load `model`; raises `InvalidModel` when the runtime refuses it, or it has no tensors.

        Idle pool threads do not spin: that would burn the quota that the next request needs. The
        runtime's memory arena stays on: without it a convolutional net takes half as long again
        for a batch of eight, and nothing less for one row. Its memory goes back with the session.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
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
        # The runtime's short way takes and returns what numpy has, which BF16 is not.
        by_value = "BF16" in _datatypes(self.inputs) | _datatypes(self.outputs)
        if "BF16" in _datatypes(self.outputs) and "BYTES" in _datatypes(self.inputs):
            raise InvalidModel(
                f"{RUNTIME} cannot compute {model.name}: it takes strings and gives BF16",
                "Let the model cast its outputs to FP32.",
            )
        self._run = self._run_by_value if by_value else self._session.run
        self._options = ort.RunOptions()  # for all runs: making them anew would take a tenth of one

    def run(self, feed: Arrays) -> dict[str, NDArray[Any]]:
        """Compute all outputs, in the signature's order; raises `RunFailed`."""
        try:
            return dict(zip(self._names, self._run(self._names, feed, self._options), strict=True))
        except Exception as error:
            raise RunFailed(_reason(error)) from error

    def shrink(self, feed: Arrays) -> None:
        """Compute, and give back what the arena holds beyond that; raises `RunFailed`.

        Otherwise it keeps what the largest run so far needed.
        """
        options = ort.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        try:
            self._run(self._names, feed, options)
        except Exception as error:
            raise RunFailed(_reason(error)) from error

    def _run_by_value(
        self, names: list[str], feed: Arrays, options: Any = None
    ) -> list[NDArray[Any]]:
        values = {name: _value(array) for name, array in feed.items()}
        if "BF16" not in _datatypes(self.outputs):
            computed: list[NDArray[Any]] = self._session.run(names, values, options)
            return computed
        found = self._session.run_with_ort_values(names, values, options)
        return [_array(value) for value in found]


def _datatypes(specs: Iterable[TensorSpec]) -> set[str]:
    return {spec.datatype for spec in specs}


def _value(array: NDArray[Any]) -> Any:
    if array.dtype == object:
        return array  # the runtime takes strings only so
    if array.dtype != bfloat16.DTYPE:
        return ort.OrtValue.ortvalue_from_numpy(array)
    halves = np.require(array.view(np.uint16), requirements=["C", "A"])
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(halves, _ONNX_BFLOAT16)


def _array(value: Any) -> NDArray[Any]:
    if value.data_type() != "tensor(bfloat16)":
        computed: NDArray[Any] = value.numpy()
        return computed
    data = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return np.frombuffer(data, bfloat16.DTYPE).reshape(value.shape())


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
