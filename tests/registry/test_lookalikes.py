"""What is taken for an ONNX model by mistake is called by its name."""

from pathlib import Path

import pytest

from pointsman.errors import InvalidModel
from pointsman.validation.onnx_file import describe

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438171520\n"


@pytest.mark.parametrize(
    ("data", "kind", "remedy"),
    [
        (POINTER, "a Git LFS pointer", "git lfs pull"),
        (b"PK\x03\x04\x00\x00archive/data.pkl", "a zip archive, as PyTorch", "torch.onnx.export"),
        (b"\x89HDF\r\n\x1a\n\x00", "an HDF5 file, as Keras", "model.export"),
        (b"\x20\x00\x00\x00TFL3\x14\x00", "a TensorFlow Lite model", "tf2onnx"),
        (b'\x4e\x00\x00\x00\x00\x00\x00\x00{"w":{}}', "a safetensors file", "Export"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "compressed by gzip", "gunzip"),
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page", "login"),
        (b"<html><body>404</body></html>", "a web page", "login"),
    ],
)
def test_its_kind_and_the_way_to_onnx_are_named(
    tmp_path: Path, data: bytes, kind: str, remedy: str
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(
        InvalidModel, match=rf"^model\.onnx is no ONNX model: it is {kind}"
    ) as error:
        describe(path)
    assert remedy in error.value.hint


def test_what_is_like_nothing_known_may_be_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"hello")
    with pytest.raises(InvalidModel, match="is not an ONNX model, or is cut short"):
        describe(path)
