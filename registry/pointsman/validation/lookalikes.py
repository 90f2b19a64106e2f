"""What is published instead of an ONNX model by mistake, known by its first bytes.

A parser can only say that it is not one; whoever cloned without Git LFS, or downloaded the page
about a file, is helped by hearing which file this is.
"""

from pathlib import Path

_EXPORT = "Export it to ONNX: `torch.onnx.export`, or `optimum-cli export onnx`."
_KERAS = 'Export it to ONNX: `model.export(PATH, format="onnx")`.'
_TFLITE = "Convert it to ONNX: `python -m tf2onnx.convert --tflite`."
_DOWNLOAD = "Download the file itself, and look whether that needs a login."
# Where in the file, what stands there, what that makes it, what to do about it.
_KNOWN = (
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer, which only stands for the model",
        "`git lfs pull` in that repository fetches the file itself.",
    ),
    (0, b"PK\x03\x04", "a zip archive, as PyTorch saves models", _EXPORT),
    (0, b"\x89HDF", "an HDF5 file, as Keras saves models", _KERAS),
    (4, b"TFL3", "a TensorFlow Lite model", _TFLITE),
    (8, b'{"', "a safetensors file: weights without a graph", _EXPORT),
    (0, b"\x1f\x8b", "compressed by gzip", "Unpack it: `gunzip`."),
    (0, b"<!DOCTYPE", "a web page", _DOWNLOAD),
    (0, b"<html", "a web page", _DOWNLOAD),
)
_LONGEST = max(offset + len(magic) for offset, magic, _, _ in _KNOWN)


def recognised(path: Path) -> tuple[str, str] | None:
    """Return what the file is, and what to do about it; None for what is not known here."""
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    for offset, magic, kind, remedy in _KNOWN:
        if head[offset:].startswith(magic):
            return kind, remedy
    return None
