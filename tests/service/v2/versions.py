"""Versions with the signatures that the protocol's tests need."""

from pointsman.manifest import Manifest, Measured, OnnxInfo, TensorSpec, Version


def spec(name: str, datatype: str, *shape: int) -> TensorSpec:
    return TensorSpec(name=name, datatype=datatype, shape=shape)


def version(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Version:
    """A version of the model `m` that has this signature, and no files."""
    draft = Manifest(
        schema=1,
        model="m",
        version="v7",
        created="",
        entrypoint="model.onnx",
        files=(),
        inputs=inputs,
        outputs=outputs,
        onnx=OnnxInfo(ir_version=8, opsets={"ai.onnx": 17}, producer="tests"),
        measured=Measured(runtime="", load_seconds=0, latency_seconds=0, peak_rss_bytes=0),
    )
    return Version(draft, b"", "sha256:7")


def echo(datatype: str, *shape: int) -> Version:
    """A version with one input `x` and one output `y` of the same kind."""
    return version((spec("x", datatype, *shape),), (spec("y", datatype, *shape),))
