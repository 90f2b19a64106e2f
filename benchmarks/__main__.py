"""`make bench`: switching, and serving beside a plain FastAPI service."""

import sys
import tempfile
from pathlib import Path

from benchmarks import switching
from benchmarks.services import published
from benchmarks.serving.__main__ import main as serving


def main() -> int:
    """Measure, print, write; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as directory:
        print("switching the example model, both versions resident")
        for row in switching.measure(published(Path(directory))):
            print("  " + "  ".join(f"{key} {value}" for key, value in row.items()))
    return serving()


if __name__ == "__main__":
    sys.exit(main())
