"""Comparing versions: by what they say of themselves, and by what they compute."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pointsman import comparison, diff, validation
from pointsman import manifest as manifests
from pointsman.comparison import Candidate
from pointsman.diff import Difference, OutputDifference
from pointsman.manifest import File, GoldenSet, Manifest, OnnxInfo, TensorSpec
from tests import models
from tests.versions import described

FILES = (File(path="model.onnx", size=10, sha256="0" * 64),)
BEFORE = described("v1", FILES, "m", datetime(2026, 1, 1, tzinfo=UTC))


def _facts(**changes: object) -> list[Difference]:
    return diff.facts(BEFORE, msgspec.structs.replace(BEFORE, **changes))


def test_what_is_the_same_is_not_mentioned() -> None:
    assert _facts(version="v2", created="2026-01-02", note="other") == []


def test_signature_metrics_and_labels_are_compared_by_name() -> None:
    wider = (TensorSpec(name="x", datatype="FP32", shape=(-1, 8)),)
    found = _facts(inputs=wider, metrics={"accuracy": 0.9}, labels={"team": "a"})
    assert found == [
        Difference("input", "x", "FP32[-1,4]", "FP32[-1,8]"),
        Difference("metric", "accuracy", None, 0.9),
        Difference("label", "team", None, "a"),
    ]


def test_files_and_size_are_compared() -> None:
    found = _facts(files=(File(path="model.onnx", size=30, sha256="1" * 64),))
    assert found == [
        Difference("file", "model.onnx", "10 bytes, 000000000000", "30 bytes, 111111111111"),
        Difference("size", "bytes", 10, 30),
    ]


def test_opsets_and_operators_are_compared_where_both_were_counted() -> None:
    newer = OnnxInfo(ir_version=8, opsets={"ai.onnx": 21}, operators={"Mul": 2})
    assert _facts(onnx=newer) == [Difference("opset", "ai.onnx", 17, 21)]
    older = msgspec.structs.replace(
        BEFORE, onnx=OnnxInfo(ir_version=8, opsets={"ai.onnx": 21}, operators={"Add": 1, "Mul": 2})
    )
    assert diff.facts(older, msgspec.structs.replace(BEFORE, onnx=newer)) == [
        Difference("operator", "Add", 1, None)
    ]


def test_the_largest_difference_and_the_agreement_of_decisions_are_told() -> None:
    before = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.1]], np.float32)
    after = np.array([[0.8, 0.2], [0.6, 0.4], [0.2, 0.8], [0.5, 0.1]], np.float32)
    (found,) = diff.outputs({"scores": before}, {"scores": after, "new": after})
    assert found.largest == pytest.approx(0.2)
    assert found.agreement == 0.75


def test_labels_agree_where_they_are_equal() -> None:
    (found,) = diff.outputs({"label": np.array([1, 2, 3, 4])}, {"label": np.array([1, 2, 3, 7])})
    assert found == OutputDifference("label", 3.0, 0.75)
    (words,) = diff.outputs(
        {"label": np.array(["a", "b"], object)}, {"label": np.array(["a", "c"], object)}
    )
    assert words == OutputDifference("label", None, 0.5)


def test_not_a_number_and_infinity_are_only_equal_to_themselves() -> None:
    odd = np.array([[np.nan, np.inf]], np.float32)
    (same,) = diff.outputs({"y": odd}, {"y": odd.copy()})
    assert same.largest == 0.0
    (other,) = diff.outputs({"y": odd}, {"y": np.zeros((1, 2), np.float32)})
    assert other.largest is None


def test_outputs_of_different_shapes_are_not_subtracted() -> None:
    (found,) = diff.outputs({"y": np.zeros((2, 3))}, {"y": np.zeros((2, 4))})
    assert found == OutputDifference("y", None, None, "shapes (2, 3) and (2, 4)")


def _candidate(directory: Path, name: str, factor: float, *, golden: bool) -> Candidate:
    """A real model, described as its publishing would, but without counted operators."""
    model = models.affine(directory / name / "model.onnx", factor)
    examples = models.affine_golden(directory / name / "golden.npz", factor) if golden else None
    found = validation.inspect(model, examples)
    files = (*FILES, File(path="golden.npz", size=1, sha256="2" * 64))
    manifest: Manifest = msgspec.structs.replace(
        described(name, files, "m", datetime(2026, 1, 1, tzinfo=UTC)),
        inputs=found.inputs,
        outputs=found.outputs,
        golden=GoldenSet(path="golden.npz", rows=3, rtol=1e-3, atol=1e-5) if golden else None,
    )
    return Candidate(manifests.seal(manifest), model.parent)


def test_both_are_run_on_the_golden_set_of_either(tmp_path: Path) -> None:
    before = _candidate(tmp_path, "v1", 2.0, golden=False)
    after = _candidate(tmp_path, "v2", 2.5, golden=True)

    found = comparison.compare(before, after, tmp_path)

    assert found.runs is not None
    assert (found.runs.golden_of, found.runs.rows) == ("v2", 3)
    (output,) = found.runs.outputs
    assert output.largest == pytest.approx(11 * 0.5)
    assert output.agreement == 1.0
    assert all(seconds > 0 for seconds in found.runs.seconds)


def test_operators_that_early_manifests_lack_are_counted_when_both_run(tmp_path: Path) -> None:
    before = _candidate(tmp_path, "v1", 2.0, golden=True)
    pair = models.echo(tmp_path / "v2" / "model.onnx", "FP32", ("rows", 4))
    after = replace(before, directory=pair.parent)
    found = comparison.compare(before, after, tmp_path)
    assert {(each.name, each.before, each.after) for each in found.facts} == {
        ("Mul", 1, None),
        ("Identity", None, 1),
    }


def test_a_version_that_does_not_run_is_a_finding(tmp_path: Path) -> None:
    before = _candidate(tmp_path, "v1", 2.0, golden=True)
    broken = replace(before, directory=models.truncated(tmp_path / "v2.onnx").parent)
    (tmp_path / "model.onnx").write_bytes(b"rotten")
    found = comparison.compare(before, broken, tmp_path)
    assert found.runs is None
    assert "model.onnx" in found.not_run


def test_without_a_golden_set_or_with_other_inputs_nothing_is_run() -> None:
    assert comparison.not_runnable(BEFORE, BEFORE) == "neither version has a golden set"
    golden = GoldenSet(path="model.onnx", rows=1, rtol=0.0, atol=0.0)
    with_golden = msgspec.structs.replace(BEFORE, golden=golden)
    other = msgspec.structs.replace(BEFORE, inputs=())
    assert comparison.not_runnable(with_golden, other) == "they take different inputs"
    assert comparison.not_runnable(BEFORE, with_golden) == ""
