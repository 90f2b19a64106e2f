"""`make bench`: run every benchmark, print the tables, and write them to `benchmarks/results/`."""

import json
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import startup, switching, throughput
from benchmarks.services import published

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as directory:
        store = published(Path(directory))
        answers = {
            "startup": startup.measure(store),
            "throughput": throughput.measure(store),
            "switching": switching.measure(store),
        }
    document = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **answers,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=2) + "\n")
    for name, answer in answers.items():
        print(f"\n{name}")
        for row in answer:
            print("  " + "  ".join(f"{key} {value}" for key, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
