"""Train and export two versions of a digit classifier that differ only in how good they are.

Both take `pixels` (float32 [N, 64], raw values 0..16) and answer `label` (int64 [N]) and
`probabilities` (float32 [N, 10]), so that either may replace the other under live traffic:
v1 is a regularised logistic regression, v2 a small neural network. Beside each model stands its
golden set; the held-out rows, both accuracies and a sample request are shared. Every number is
measured by ONNX Runtime on the exported file.

Running it twice on one machine with the same packages writes the same bytes. Another processor may
round differently while fitting: the weights then differ in their last digits, and with them the
digests.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx.helper import make_opsetid
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from threadpoolctl import threadpool_limits

HERE = Path(__file__).parent
SEED = 0
CLASSES = 10
GOLDEN_ROWS = 16
# Older than the newest on purpose: a service may run any ONNX Runtime since 1.17.
OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8

Pixels = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Images and the digits they show."""

    pixels: Pixels
    label: Labels


@dataclass(frozen=True)
class Answers:
    """What a model says about some rows."""

    label: Labels
    probabilities: npt.NDArray[np.float32]


def main() -> None:
    """Write both versions, their golden sets and what they share next to this script."""
    training, heldout = split_digits()
    golden = golden_indices(heldout.label)
    answers: dict[str, Answers] = {}
    for version, classifier in candidates().items():
        model = HERE / version / "model.onnx"
        model.parent.mkdir(exist_ok=True)
        model.write_bytes(export(fit(classifier, training), f"digits-{version}"))
        answers[version] = ask(model, heldout.pixels)
        write_golden_set(model, heldout.pixels[golden])
    save_arrays(HERE / "heldout.npz", {"pixels": heldout.pixels, "label": heldout.label})
    write_metrics(heldout.label, answers)
    write_request(heldout, answers)


def split_digits() -> tuple[Rows, Rows]:
    """Return the training rows and the held-out third, every digit in its usual proportion."""
    digits = load_digits()
    fitted, kept, fitted_label, kept_label = train_test_split(
        digits.data.astype(np.float32),
        digits.target.astype(np.int64),
        test_size=1 / 3,
        stratify=digits.target,
        random_state=SEED,
    )
    return Rows(fitted, fitted_label), Rows(kept, kept_label)


def candidates() -> dict[str, Pipeline]:
    """Return the untrained classifier of each version, its scaling included."""
    return {
        "v1": make_pipeline(MaxAbsScaler(), LogisticRegression(C=0.1, max_iter=1000)),
        "v2": make_pipeline(
            MaxAbsScaler(),
            MLPClassifier(hidden_layer_sizes=(64,), max_iter=1000, random_state=SEED),
        ),
    }


def fit(classifier: Pipeline, training: Rows) -> Pipeline:
    """Train on one thread, because the order of a parallel sum depends on the number of cores."""
    with threadpool_limits(limits=1):
        return classifier.fit(training.pixels, training.label)


def export(classifier: Pipeline, name: str) -> bytes:
    """Return the classifier as ONNX, named so that no random name enters the digest."""
    model = to_onnx(
        classifier,
        name=name,
        initial_types=[("pixels", FloatTensorType([None, 64]))],
        options={"zipmap": False},
        target_opset=OPSETS,
    )
    model.ir_version = IR_VERSION
    # The converter lists a domain twice for some classifiers, and lowers ai.onnx.ml for both.
    del model.opset_import[:]
    model.opset_import.extend(make_opsetid(domain, number) for domain, number in OPSETS.items())
    return bytes(model.SerializeToString(deterministic=True))


def ask(model: Path, pixels: Pixels) -> Answers:
    """Run an exported model."""
    # Read while the module loads: later, the runtime has already opened files and a thread.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {"pixels": pixels})
    return Answers(label, probabilities)


def golden_indices(label: Labels) -> list[int]:
    """Pick the first row of every digit, then the first of the others."""
    firsts = [int(np.flatnonzero(label == digit)[0]) for digit in range(CLASSES)]
    others = [index for index in range(len(label)) if index not in firsts]
    return sorted(firsts + others[: GOLDEN_ROWS - CLASSES])


def write_golden_set(model: Path, pixels: Pixels) -> None:
    """Record what the exported model answers to the golden rows, beside the model."""
    answers = ask(model, pixels)
    arrays: dict[str, npt.NDArray[Any]] = {
        "inputs/pixels": pixels,
        "outputs/label": answers.label,
        "outputs/probabilities": answers.probabilities,
    }
    save_arrays(model.with_name("golden.npz"), arrays)


def save_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Save arrays under their names, slashes included."""
    np.savez_compressed(path, allow_pickle=False, **arrays)


def write_metrics(label: Labels, answers: dict[str, Answers]) -> None:
    """Record and print the accuracy of every version on the held-out rows."""
    metrics = {
        version: {"accuracy": round(float(np.mean(given.label == label)), 4)}
        for version, given in answers.items()
    }
    text = json.dumps(metrics)
    (HERE / "metrics.json").write_text(text + "\n")
    print(text)


def write_request(heldout: Rows, answers: dict[str, Answers]) -> None:
    """Write a body for `POST /predict` whose second row only v2 gets right."""
    first, second = (answers[version].label == heldout.label for version in ("v1", "v2"))
    # A row on which the versions disagree makes a switch visible in the answer itself.
    shown = [int(np.flatnonzero(hits)[0]) for hits in (first & second, ~first & second)]
    rows = ",\n".join(f"  {json.dumps(row)}" for row in heldout.pixels[shown].astype(int).tolist())
    (HERE / "request.json").write_text(f'{{"inputs": {{"pixels": [\n{rows}\n]}}}}\n')
    print(f"request.json shows {heldout.label[shown].tolist()}")


if __name__ == "__main__":
    main()
