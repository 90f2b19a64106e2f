"""Draws how many rollbacks, and how many instances, were done after how many seconds."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt


def main(data: Path, picture: Path) -> None:
    """Read what `benchmarks.convergence` wrote, and draw it."""
    document = json.loads(data.read_text())
    poll = document["poll_seconds"]
    figure, axes = plt.subplots(figsize=(7, 4))
    lines = (
        ("instance_seconds", f"one of {document['instances']} instances"),
        ("fleet_seconds", f"all {document['instances']} instances"),
    )
    for name, label in lines:
        axes.ecdf(document[name], label=label)
    axes.axvline(poll, linestyle=":", color="gray", label=f"polling interval, {poll:g} s")
    axes.axvline(poll + 0.5, linestyle="--", color="firebrick", label="allowed at 95 %")
    axes.axhline(0.95, linestyle="--", linewidth=0.8, color="firebrick")
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds from the change of the channel")
    axes.set_ylabel("share that serves the version before")
    axes.set_title(f"{document['rollbacks']} rollbacks, confirmed by the fleet")
    axes.legend(loc="upper left")
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
