"""Schemathesis: requests by the hundred that fit a service's OpenAPI document, and that do not."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = "40"
"""Per route and phase; more than a thousand requests in all."""


def main() -> int:
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program), "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{sys.argv[1]}/openapi.json",
        "--max-examples", EXAMPLES, "--no-color", "--warnings", "off",
    ]  # fmt: skip
    environment = {**os.environ, "SERVICE_KEY": sys.argv[2]}
    with tempfile.TemporaryDirectory() as directory:  # it leaves files where it runs
        return subprocess.run(command, cwd=directory, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
