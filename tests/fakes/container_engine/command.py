"""What the fake engine does for each of its commands."""

import hashlib
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(state: str, arguments: list[str]) -> int:
    """Record the call, and answer it."""
    folder = Path(state)
    _record(folder, arguments)
    knobs = _read(folder / "knobs.json", {})
    if knobs.get("down"):
        sys.stderr.write("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n")
        return 1
    if arguments[0] == "buildx" and not knobs.get("buildx"):
        sys.stderr.write("docker: 'buildx' is not a docker command.\n")
        return 1
    verb = _verb(arguments)
    if verb in knobs.get("refuse", {}):
        sys.stderr.write(knobs["refuse"][verb] + "\n")
        return 1
    images = _read(folder / "images.json", {})
    code = _answer(verb, arguments, images, knobs)
    (folder / "images.json").write_text(json.dumps(images))
    return code


def _answer(verb: str, arguments: list[str], images: dict[str, Any], knobs: dict[str, Any]) -> int:
    name = arguments[-1]
    if verb == "build":
        images[_value(arguments, "--tag")] = _built(arguments)
        sys.stdout.write("Step 1/2 : FROM base\nStep 2/2 : ENTRYPOINT\n")
    elif verb == "tag":
        images[name] = dict(images[arguments[-2]])
    elif verb == "push":
        digest = hashlib.sha256(name.encode()).hexdigest()
        images[name]["RepoDigests"] = [f"{name.rpartition(':')[0]}@sha256:{digest}"]
    elif verb == "pull":
        images[name] = _image({}, knobs.get("architecture", "amd64"))
    elif verb == "image":
        if name not in images:
            sys.stderr.write(f"Error: No such image: {name}\n")
            return 1
        sys.stdout.write(json.dumps([images[name]]))
    return 0


def _verb(arguments: list[str]) -> str:
    return arguments[1] if arguments[0] == "buildx" else arguments[0]


def _built(arguments: list[str]) -> dict[str, Any]:
    pairs = itertools.pairwise(arguments)
    labels = dict(value.split("=", 1) for option, value in pairs if option == "--label")
    context = Path(arguments[-1])
    files = sorted(str(each.relative_to(context)) for each in context.rglob("*") if each.is_file())
    return _image(labels, _value(arguments, "--platform").rpartition("/")[2]) | {"Files": files}


def _image(labels: dict[str, str], architecture: str) -> dict[str, Any]:
    return {
        "Id": "sha256:" + hashlib.sha256(json.dumps(labels).encode()).hexdigest(),
        "Size": 421_000_000,
        "Os": "linux",
        "Architecture": architecture,
        "Config": {"Labels": labels},
        "RepoDigests": [],
    }


def _value(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def _record(folder: Path, arguments: list[str]) -> None:
    told = {name: os.environ[name] for name in ("DOCKER_BUILDKIT",) if name in os.environ}
    call = {"arguments": arguments, "environment": told}
    with (folder / "calls.jsonl").open("a") as file:
        file.write(json.dumps(call) + "\n")


def _read(path: Path, default: Any) -> Any:
    return json.loads(path.read_text()) if path.exists() else default
