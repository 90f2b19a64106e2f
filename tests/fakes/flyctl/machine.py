"""Machines: their documents as Fly's API has them, and the processes behind those that are real."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fakes.flyctl.world import Document, now
from tests.servers import ports

_ROOT = Path(__file__).parents[3]
_STEP_SECONDS = 0.2
_INHERITED = ("PATH", "HOME", "LANG", "NO_PROXY", "no_proxy", "PYTHONPATH")


def made(number: int, release: int, image: Document, env: Document, state: str) -> Document:
    """Return a new machine's document."""
    return {
        "id": f"{0x1485E4D0 + number:08x}{number:06d}",
        "name": f"quiet-lake-{number}",
        "state": state,
        "region": "fra",
        "instance_id": f"01J{number:023d}",
        "private_ip": "fdaa:0:1::2",
        "image_ref": image,
        "config": {
            "env": env,
            "guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 1024},
            "metadata": {
                "fly_platform_version": "v2",
                "fly_process_group": "app",
                "fly_release_version": str(release),
                "fly_flyctl_version": "0.4.87",
            },
        },
        "events": [event("launch", "created")],
        "checks": [],
        "host_status": "ok",
        "cordoned": False,
        "updated_at": "2026-11-25T12:00:00Z",
        "_began": time.time(),
    }


def event(kind: str, status: str, **request: Any) -> Document:
    """Return an event that happens now."""
    happened = {"type": kind, "status": status, "source": "flyd", "timestamp": now()}
    return happened | ({"request": request} if request else {})


def ended(exit_code: int, *, oom: bool = False) -> Document:
    """Return the event of a program that ended by itself."""
    exit_event = {
        "exit_code": exit_code,
        "oom_killed": oom,
        "requested_stop": False,
        "restarting": True,
        "signal": -1,
        "exited_at": "2026-11-25T12:00:00Z",
    }
    return event("exit", "stopped", exit_event=exit_event, restart_count=1)


def shown(machine: Document, knobs: Document) -> Document:
    """Return a machine as Fly tells of it, with its checks as they are at this moment."""
    public = {name: value for name, value in machine.items() if not name.startswith("_")}
    if machine["state"] == "started":
        status, output = _health(machine, knobs)
        check = {"name": "servicecheck-00-http-8000", "status": status, "output": output}
        public["checks"] = [check | {"updated_at": "2026-11-25T12:00:01Z"}] if status else []
    return public


def start(
    directory: Path, knobs: Document, machine: Document, env: Document
) -> "subprocess.Popen[bytes] | None":
    """Start what a machine runs: a process if machines are real."""
    machine["state"], machine["_began"] = "started", time.time()
    machine["events"].insert(0, event("start", "started"))
    if not knobs.get("real"):
        return None
    (machine["_port"],) = ports.free()
    directory = directory / machine["id"]
    directory.mkdir(exist_ok=True)
    own = {
        "POINTSMAN_HOST": "127.0.0.1",
        "POINTSMAN_CACHE_DIR": str(directory / "cache"),
        "POINTSMAN_POLL_SECONDS": "0.05",
        "POINTSMAN_DRAIN_GRACE": "0",
        "FAKE_FLY": str(directory.parent),
        "FLY_MACHINE_ID": machine["id"],
        "FLY_REGION": machine["region"],
    }
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pointsman_service"],
            env=inherited | env | own | {"PORT": str(machine["_port"])},
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    machine["_pid"] = process.pid
    return process


def stop(machine: Document) -> None:
    """Tell what a machine runs to end."""
    if pid := machine.pop("_pid", None):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _health(machine: Document, knobs: Document) -> tuple[str, str]:
    if "_port" in machine:
        return _asked(f"http://127.0.0.1:{machine['_port']}/health")
    ill = machine["image_ref"]["tag"] in knobs.get("ill", [])
    states = ["critical"] if ill else knobs.get("checks", ["passing"])
    # A machine of a release that went well stays as it became.
    old = machine["config"]["metadata"]["fly_release_version"] in knobs.get("settled", [])
    index = int((time.time() - machine["_began"]) / _STEP_SECONDS)
    status = "passing" if old else states[min(index, len(states) - 1)]
    return status, "ok" if status == "passing" else knobs.get("output", "503 loading")


def _asked(url: str) -> tuple[str, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 — loopback
            return "passing", answer.read().decode()[:100]
    except urllib.error.HTTPError as error:
        with error:
            return "critical", error.read().decode()[:200]
    except OSError:
        return "critical", "connect: connection refused"
