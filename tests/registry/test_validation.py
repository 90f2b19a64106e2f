"""The child process that tries a model: what it is given, what it finds, how it may end."""

import json
import os
from pathlib import Path

import pytest

from pointsman import validation
from pointsman.errors import InvalidModel, PointsmanError
from tests import models


@pytest.fixture
def startup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that every Python process started from here runs first."""
    directory = tmp_path / "startup"
    directory.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(directory))
    return directory / "sitecustomize.py"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.affine(tmp_path / "model.onnx")


def test_it_finds_signature_origin_and_costs(model: Path) -> None:
    found = validation.inspect(model)

    assert [str(spec) for spec in (*found.inputs, *found.outputs)] == [
        "x FP32[-1,4]",
        "y FP32[-1,4]",
    ]
    assert found.onnx.producer == "pointsman-tests"
    assert found.onnx.opsets == {"ai.onnx": 17}
    assert found.measured.runtime.startswith("onnxruntime ")
    assert found.measured.load_seconds > 0
    assert found.measured.latency_seconds > 0
    assert found.golden is None


def test_it_describes_the_golden_set_it_replayed(model: Path, tmp_path: Path) -> None:
    found = validation.inspect(model, models.affine_golden(tmp_path / "mine.npz"))

    assert found.golden is not None
    assert (found.golden.path, found.golden.rows) == ("golden.npz", 3)


def test_an_index_is_tried_with_one_that_exists(tmp_path: Path) -> None:
    assert validation.inspect(models.gather(tmp_path / "model.onnx")).external == ()


def test_a_file_of_another_suffix_is_read_as_what_it_is(model: Path) -> None:
    renamed = model.rename(model.with_suffix(".json"))
    assert validation.inspect(renamed).inputs


def test_modules_in_the_present_directory_are_not_mistaken_for_libraries(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model.parent / "onnx.py").write_text("raise SystemExit('this is a training script')")
    monkeypatch.chdir(model.parent)

    assert validation.inspect(model).inputs


def test_a_model_file_never_sits_in_a_process_that_knows_secrets(
    model: Path, tmp_path: Path, startup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "POINTSMAN_API_KEY", "FLY_API_TOKEN"]
    for name in secrets:
        monkeypatch.setenv(name, "hidden")
    seen = tmp_path / "seen.json"
    startup.write_text(f"import json, os; json.dump(dict(os.environ), open({str(seen)!r}, 'w'))")

    validation.inspect(model)

    environment = json.loads(seen.read_text())
    assert "hidden" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize(("name", "cause"), [("SIGSEGV", "hostile"), ("SIGKILL", "memory")])
def test_a_child_that_is_taken_down_takes_nobody_with_it(
    model: Path, startup: Path, name: str, cause: str
) -> None:
    startup.write_text(f"import os, signal; os.kill(os.getpid(), signal.{name})")

    with pytest.raises(InvalidModel, match=rf"took ONNX Runtime down \({name}\): .*{cause}"):
        validation.inspect(model)


def test_a_missing_library_is_named_with_the_way_to_get_it(model: Path, startup: Path) -> None:
    startup.write_text("import sys; sys.modules['onnx'] = None")

    with pytest.raises(PointsmanError, match=r"validation could not run: .*onnx") as caught:
        validation.inspect(model)
    assert "pip install" in caught.value.hint


def test_what_libraries_print_does_not_get_into_the_answer(model: Path, startup: Path) -> None:
    startup.write_text("print('a banner')\nimport atexit; atexit.register(print, 'good-bye')")
    assert validation.inspect(model).inputs


def test_more_memory_than_there_is_is_a_sentence_too(model: Path, startup: Path) -> None:
    startup.write_text("import onnx\ndef load(*_, **__): raise MemoryError\nonnx.load = load\n")
    with pytest.raises(InvalidModel, match=r"not enough memory to try model\.onnx"):
        validation.inspect(model)
