"""A server that gives every connection 90 MB/s, as one stream from S3 does: nginx, reading only.

To clients it looks like S3 for exactly one thing, reading objects whole or in ranges; it checks
no signature. Raises `CannotRun` where there is no nginx (Debian: `apt-get install nginx`).
"""

import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.services import free_port
from benchmarks.transfer_tools import nginx

CAP = "90m"
_READY_SECONDS = 10.0

_CONFIGURATION = """
daemon off; worker_processes 2; pid {home}/pid; error_log {home}/error warn;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {root}; limit_rate {cap};
    location = /ready {{ return 204; }}
  }}
}}
"""


class CannotRun(Exception):
    """There is no nginx here; the message says what to do."""


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve the directory `root`, whose folders are buckets; yield the endpoint."""
    binary = nginx()
    if binary is None:
        raise CannotRun("there is no nginx: apt-get install nginx")
    with tempfile.TemporaryDirectory(prefix="capped-") as directory:
        home, port = Path(directory), free_port()
        user = "user root;" if Path("/root").exists() and _is_root() else ""
        configuration = home / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(home=home, port=port, root=root, cap=CAP, user=user)
        )
        process = subprocess.Popen([binary, "-c", str(configuration), "-p", str(home)])
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _await(f"{endpoint}/ready", process)
            yield endpoint
        finally:
            process.terminate()
            process.wait()


def _is_root() -> bool:
    import os

    return os.geteuid() == 0


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 — loopback
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRun(f"nginx does not answer: {error}") from error
            time.sleep(0.02)
        else:
            return
