"""`python -m benchmarks.serving [plain|peers]`: measure, print, and write `benchmarks/results/`."""

import sys
import tempfile
from pathlib import Path

from benchmarks.serving import contestants, report, starting
from benchmarks.serving.measuring import Plan, Results, make_models, measure

# What a window of `plain` and of `peers` takes; slow models need longer ones.
_PLANS = {
    "plain": {
        "tiny": Plan((1, 16, 64), 4, 2.0),
        # Three, so that a window in which the machine was needed elsewhere is not half of a median.
        "conv": Plan((1, 16, 64), 3, 4.0),
        "text": Plan((1, 16, 64), 3, 4.0),
    },
    "peers": {
        "tiny": Plan((1, 16, 64), 3, 2.0),
        "conv": Plan((1, 16, 64), 1, 4.0),
        "text": Plan((1, 16, 64), 1, 4.0),
    },
}


def main() -> int:
    """Measure; return the exit code."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "plain"
    if kind not in _PLANS:
        sys.exit(f"python -m benchmarks.serving [{'|'.join(_PLANS)}]")
    rivals = [contestants.ours(), contestants.plain()]
    rivals += contestants.peers() if kind == "peers" else [contestants.bare()]
    results = Results()
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as directory:
        models = make_models(Path(directory), list(_PLANS[kind]))
        for model in models:
            measure(model, rivals, _PLANS[kind][model.name], results)
        starts = starting.measure(models[0], contestants.ours(), contestants.plain())
    report.write(kind, results, starts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
