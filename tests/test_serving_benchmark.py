"""The serving benchmark's own rules: models that run, checked answers, verdicts, reports."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from benchmarks.serving import models, plot, report, requests, targets
from benchmarks.serving.contestants import OURS, PLAIN, V2, V2_BINARY, bare, ours, peers, plain
from benchmarks.serving.measuring import Results, Row
from benchmarks.serving.starting import Starts

STARTS = Starts(imports=0.4, ours=0.44, plain=1.5)


def results(ours: float = 700.0, plain: float = 100.0) -> Results:
    """Results in which all is well, unless the throughputs say otherwise."""
    found = Results()
    for model in ("tiny", "conv", "text"):
        for connections in (1, 16, 64):
            for name, rate in ((OURS, ours), (V2, ours), (V2_BINARY, ours), (PLAIN, plain)):
                found.rows.append(Row(model, name, connections, rate, 1.0, 1.2, 0.1, 0, 0.97))
        found.raw[model] = {1: [ours, ours * 1.01], 16: [ours * 1.05]}
        found.raw_tails[model] = [1.1, 1.7, 1.15]
    found.rest_megabytes = {OURS: 60.0, PLAIN: 80.0}
    found.start_seconds = {OURS: 0.5, PLAIN: 1.6}
    found.installed_megabytes = {OURS: float("nan"), PLAIN: 160.0}
    return found


@pytest.mark.parametrize(
    ("name", "shape"),
    [("tiny", (1, 10)), pytest.param("conv", (1, 1000), marks=pytest.mark.slow)],
)
def test_the_models_compute_something_finite(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    model = models.make(name, tmp_path)
    (y,) = ort.InferenceSession(model.path).run(None, {model.input: model.row})
    assert y.shape == shape
    assert np.isfinite(y).all()


@pytest.mark.slow
def test_the_transformer_computes_row_by_row(tmp_path: Path) -> None:
    model = models.make("text", tmp_path)
    session = ort.InferenceSession(model.path)
    rows = np.concatenate([model.row, model.row[:, ::-1]])
    (together,) = session.run(None, {model.input: rows})
    (alone,) = session.run(None, {model.input: rows[:1]})
    assert together.shape == (2, 384)
    assert np.allclose(together[:1], alone, atol=1e-4)
    assert not np.allclose(together[0], together[1], atol=1e-2)


def test_a_wrong_answer_is_noticed_however_it_is_written() -> None:
    expected = np.array([[0.25, 0.5, 0.125]], np.float32)
    for right in (
        json.dumps({"outputs": {"y": expected.tolist()}}).encode(),
        json.dumps(
            {"id": "1", "outputs": [{"shape": [1, 3], "data": [0.25, 0.5, 0.125]}]}
        ).encode(),
        b'{"outputs":[]}' + expected.tobytes(),
        b"[[0.25, 0.50001, 0.125]]",
    ):
        assert requests.is_right(right, expected)
    for wrong in (b"", b"nonsense", b"{}", b"[0.25, 0.125, 0.5]", b"[0.25, 0.5]", b"\0" * 12):
        assert not requests.is_right(wrong, expected)


def test_every_contestant_says_what_it_needs_and_how_it_is_asked(tmp_path: Path) -> None:
    model = models.make("tiny", tmp_path)
    for contestant in (ours(), plain(), bare(), *peers()):
        arguments = contestant.arguments(model, 1234)
        assert all(isinstance(each, str) for each in arguments)
        if contestant.packages:
            assert Path(arguments[0]).exists()
        for request in contestant.requests(model).values():
            assert request.bytes().startswith(b"POST /")
            assert request.bytes().endswith(request.body)


def test_targets_that_are_reached_are_met_and_others_missed() -> None:
    met = list(targets.judge(results(), STARTS))
    assert len(met) == 17
    assert sum("(ONNX Runtime alone, in turn with it: 1.15)" in target.what for target in met) == 2
    assert all(target.met for target in met)
    missed = {
        target.what for target in targets.judge(results(ours=250.0), STARTS) if not target.met
    }
    assert len(missed) == 6
    held_up = results()
    for row in held_up.rows:
        row.of_raw = 0.9
    assert sum(not target.met for target in targets.judge(held_up, STARTS)) == 2
    slow_start = targets.judge(results(), Starts(imports=0.4, ours=0.8, plain=1.5))
    assert [target.met for target in slow_start if target.what.startswith("start")] == [False]


def test_a_report_names_all_and_who_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    found = results()
    found.left_out["PyTriton, tiny"] = "there is no libpython"
    report.write("plain", found, STARTS)
    text = (tmp_path / "serving-plain.md").read_text()
    assert text in capsys.readouterr().out
    for each in (
        "## tiny",
        "## conv",
        "## text",
        "| met |",
        "PyTriton, tiny: there is no libpython",
    ):
        assert each in text
    assert (tmp_path / "serving-plain.svg").read_text().startswith("<svg")
    assert json.loads((tmp_path / "serving-plain.json").read_text())["starts"]["ours"] == 0.44


def test_a_line_is_drawn_from_its_first_value_to_its_last() -> None:
    drawn = plot.line("Memory", [10.0, 20.0, 15.0], "MB")
    assert drawn.count(",") >= 3
    assert "Memory" in drawn
