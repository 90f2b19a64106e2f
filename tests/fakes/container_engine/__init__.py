"""A `docker` (or `podman`) for PATH that keeps its images and containers in a file.

It records every command line, its standard input, and which variables named like secrets it was
given; `knobs.json` in its state folder makes it misbehave. It runs nothing: what images do is
tried with a real engine, in `tests/end_to_end`.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = """#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.fakes.container_engine.command import main
sys.exit(main({state!r}, sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """One that is installed in `programs`, which goes onto PATH."""

    name: str
    programs: Path
    state: Path

    def knobs(self, **knobs: Any) -> None:
        """Make it misbehave: `refuse={"push": "denied"}`, `down=True`, `buildx=True`, …."""
        (self.state / "knobs.json").write_text(json.dumps(knobs))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every command line in order."""
        path = self.state / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def install(folder: Path, name: str = "docker") -> ContainerEngine:
    """Install one under `folder`."""
    programs, state = folder / "programs", folder / f"{name}-state"
    programs.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    script = programs / name
    root = str(Path(__file__).parents[3])
    script.write_text(_SCRIPT.format(python=sys.executable, root=root, state=str(state)))
    script.chmod(0o755)
    return ContainerEngine(name, programs, state)
