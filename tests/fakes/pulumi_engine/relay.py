"""A `pulumi` on disk whose work is done in the process of the tests: starting it costs nothing.

The SDK runs the command again and again, and an interpreter with all its imports each time would
make tests slow. The script only passes on what it was asked, and prints the answer.
"""

import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.pulumi_engine.command import FakePulumi
from tests.fakes.pulumi_engine.state import EngineError

_SCRIPT = """#!{python} -S
import json, os, socket, sys
if sys.argv[1:] == ["version"]:
    sys.exit(print("v3.272.0"))
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    with connection.makefile("rw") as stream:
        json.dump([sys.argv[1:], os.getcwd(), dict(os.environ)], stream)
        stream.write("\\n")
        stream.flush()
        code, text = json.loads(stream.readline())
sys.stdout.write(text)
if code:
    sys.stderr.write(text)
sys.exit(code)
"""


@contextmanager
def installed(root: Path, fake: FakePulumi) -> Iterator[Path]:
    """Put the command into `root/bin`, which is yielded; it works until the block ends."""
    address = root / "engine"
    binary = root / "bin" / "pulumi"
    binary.parent.mkdir(parents=True)
    binary.write_text(_SCRIPT.format(python=sys.executable, address=str(address)))
    binary.chmod(0o755)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            arguments, directory, environment = json.loads(self.rfile.readline())
            fake.asked.append(arguments)
            try:
                answer = [0, fake.execute(arguments, Path(directory), environment)]
            except EngineError as error:
                answer = [255, f"{error}\n"]
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    with socketserver.ThreadingUnixStreamServer(str(address), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield binary.parent
        finally:
            server.shutdown()
            thread.join()
