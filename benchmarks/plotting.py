"""Plots, drawn by matplotlib in `.bench/`: no dependency of anything, installed when used."""

import subprocess
import sys
from pathlib import Path

from benchmarks.transfer_tools import HOME

_PYTHON = HOME / "bin" / "python"
_PLOTS = Path(__file__).parent / "plots"


def draw(name: str, data: Path, picture: Path) -> str:
    """Let `plots/<name>.py` turn a JSON file into a picture; return why it did not."""
    if not _PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    install = [str(_PYTHON), "-m", "pip", "install", "--quiet", "matplotlib"]
    for command in (install, [str(_PYTHON), str(_PLOTS / f"{name}.py"), str(data), str(picture)]):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            return f"{' '.join(command[1:4])} failed: {result.stderr.strip()[-300:]}"
    return ""
