"""The stand-in as a command: `python -m tests.fakes.pulumi_engine stack select --stack x`."""

import os
import sys
from pathlib import Path

from tests.fakes.pulumi_engine.command import FakePulumi
from tests.fakes.pulumi_engine.state import EngineError

arguments = sys.argv[1:]
if arguments == ["version"]:
    sys.stdout.write("v3.272.0\n")
    sys.exit()
try:
    sys.stdout.write(FakePulumi().execute(arguments, Path.cwd(), os.environ))
except EngineError as error:
    sys.stderr.write(f"{error}\n")
    sys.stdout.write(f"{error}\n")
    sys.exit(255)
