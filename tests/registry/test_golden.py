"""Golden sets: written, read, compared, and the files that only pretend to be one."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman import golden
from pointsman.errors import InvalidModel

FLOATS = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
GOOD = {"inputs/x": FLOATS, "outputs/y": FLOATS}


def example(outputs: Any, **tolerances: float) -> golden.Golden:
    return golden.Golden(
        inputs={"x": FLOATS},
        outputs={"y": np.asarray(outputs)},
        rtol=tolerances.get("rtol", golden.DEFAULT_RTOL),
        atol=tolerances.get("atol", golden.DEFAULT_ATOL),
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "golden.npz"
    golden.save(path, {"x": FLOATS}, {"y": FLOATS * 2})

    loaded = golden.load(path)

    assert loaded.rows == 2
    assert (loaded.rtol, loaded.atol) == (golden.DEFAULT_RTOL, golden.DEFAULT_ATOL)
    np.testing.assert_array_equal(loaded.inputs["x"], FLOATS)
    np.testing.assert_array_equal(loaded.outputs["y"], FLOATS * 2)


def test_strings_travel_without_pickle_and_come_back_as_the_runtime_takes_them(
    tmp_path: Path,
) -> None:
    words = np.array([["grün", ""], ["a", "b"]], dtype=object)
    path = tmp_path / "golden.npz"

    golden.save(path, {"x": words}, {"y": words})

    loaded = golden.load(path)
    assert loaded.inputs["x"].dtype == object
    assert golden.mismatch(loaded, {"y": words}) == ""


def test_tolerances_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "golden.npz"
    path.write_bytes(packed(**GOOD, rtol=0.5, atol=0.25))

    loaded = golden.load(path)

    assert (loaded.rtol, loaded.atol) == (0.5, 0.25)


def packed(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def archive(name: str, data: bytes, times: int = 1) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open(name, "w") as member,
    ):
        for _ in range(times):
            member.write(data)
    return buffer.getvalue()


def header(shape: str) -> bytes:
    """An array's file that claims a shape and holds nothing."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 but no more",
        packed(**GOOD)[:-30],
        packed(**GOOD).replace(b"NUMPY", b"NUMPI"),
        packed(x=FLOATS),
        packed(**{"inputs/x": FLOATS}),
        packed(**{"inputs/x": FLOATS, "outputs/y": FLOATS[:1]}),
        packed(**{"inputs/x": np.float32(1), "outputs/y": np.float32(1)}),
        packed(**{"inputs/x": FLOATS[:0], "outputs/y": FLOATS[:0]}),
        packed(**GOOD, rtol=np.nan),
        packed(**GOOD, rtol=-1.0),
        packed(**GOOD, atol=np.inf),
        packed(**GOOD, atol=FLOATS),
        packed(**GOOD, atol="much"),
        packed(**GOOD, secret=np.array([{"a": 1}], dtype=object)),
        archive("inputs/x.npy", header("(1000000000000,)")),
        archive("inputs/x.npy", header("(-1,)")),
        archive("inputs/x.npy", header("(" * 50 + ")" * 50)),
        archive("inputs/x.npy", b"\0" * (1 << 20), times=(golden.MAX_BYTES >> 20) + 1),
    ],
    ids=range(19),
)
def test_a_file_that_is_no_golden_set_is_refused_with_a_sentence(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "golden.npz"
    path.write_bytes(data)

    with pytest.raises(InvalidModel, match="golden"):
        golden.load(path)


def test_equal_outputs_do_not_differ() -> None:
    assert golden.mismatch(example(FLOATS), {"y": FLOATS}) == ""
    assert golden.mismatch(example([np.nan, 1.0]), {"y": np.array([np.nan, 1.0])}) == ""


def test_floats_may_differ_within_the_tolerance_and_integers_not() -> None:
    assert golden.mismatch(example([1.0, 2.0], rtol=0.1), {"y": np.array([1.05, 2.0])}) == ""
    assert golden.mismatch(example([1, 2], rtol=9.0), {"y": np.array([1, 3])}) != ""


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        ([1.0, 2.0], [1.0, 2.5], "differs at 1 of 2 values, by up to 0.5"),
        ([1.0, 2.0], [1.0, np.nan], "differs at 1 of 2 values, by not a number"),
        ([1.0, np.inf], [1.0, -np.inf], "differs at 1 of 2 values, by up to inf"),
        ([1, 2], [3, 4], "differs at 2 of 2 values"),
        (["a"], ["b"], "differs at 1 of 1 values"),
        ([[1.0]], [1.0], "has the shape (1,) and not (1, 1)"),
    ],
)
def test_a_difference_is_told_in_one_sentence(expected: Any, got: Any, said: str) -> None:
    assert golden.mismatch(example(expected), {"y": np.asarray(got)}) == f"output 'y' {said}"


def test_a_missing_output_is_told() -> None:
    assert golden.mismatch(example(FLOATS), {"z": FLOATS}) == "the model has no output 'y'"


def test_a_services_json_answer_can_be_compared() -> None:
    expected = example(FLOATS)
    answer = golden.from_json(expected, {"y": FLOATS.tolist(), "other": 1})
    assert golden.mismatch(expected, answer) == ""
