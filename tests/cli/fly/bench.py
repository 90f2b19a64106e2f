"""The stand-in for flyctl, first on PATH: its knobs, and what it was given."""

import json
import sys
from pathlib import Path
from typing import Any

from pointsman_cli import process
from tests.fakes import container_engine
from tests.fakes.flyctl import machine
from tests.fakes.flyctl.world import Document, World

ROOT = Path(__file__).parents[3]
APP = "my-model"
TOKEN = "fm2_" + "lJPECAAAAAAA"
RUNTIME_SECRET = "runtime-" + "hunter2"
NOBODY = "http://127.0.0.1:9"
"""Where an app is whose machines are no real services."""
DIGESTS = {tag: f"sha256:{character * 64}" for tag, character in (("one", "1"), ("two", "2"))}

_SCRIPT = """#!/bin/sh
FAKE_FLY={directory} PYTHONPATH={root} exec {python} -S -m tests.fakes.flyctl "$@"
"""


class Bench:
    """Fly as a test arranges it."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory / "fly")
        self.world.make()
        self.path = directory / "bin"
        self.path.mkdir()
        script = self.path / "flyctl"
        script.write_text(
            _SCRIPT.format(directory=self.world.directory, root=ROOT, python=sys.executable)
        )
        script.chmod(0o755)
        self.engine = container_engine.install(directory / "engine")
        self.have_images("amd64", 150_000_000)
        with self.world.changing() as document:
            document["knobs"]["url"] = NOBODY
            document["local"] |= {f"digits:{tag}": digest for tag, digest in DIGESTS.items()}

    def have_images(self, architecture: str, size: int) -> None:
        """Let this machine's engine have the images, and be Docker."""
        image = {"Id": "sha256:a", "Os": "linux", "Architecture": architecture, "Size": size}
        images = {f"digits:{tag}": image for tag in DIGESTS}
        (self.engine.state / "images.json").write_text(json.dumps(images))

    def turn(self, **knobs: Any) -> None:
        """Turn knobs."""
        with self.world.changing() as document:
            document["knobs"] |= knobs

    def release(self, tag: str) -> None:
        """Have an image released on two machines, as if by an earlier command."""
        reference = {
            "registry": "registry.fly.io",
            "repository": APP,
            "tag": tag,
            "digest": DIGESTS[tag],
        }
        name = f"registry.fly.io/{APP}:{tag}"
        found = [machine.made(number, 1, reference, {}, "started") for number in (1, 2)]
        release = {"ID": "r1", "Version": 1, "Status": "complete", "ImageRef": name}
        app = {"machines": found, "releases": [release], "secrets": {}, "made": 2}
        with self.world.changing() as document:
            document["registry"][name] = DIGESTS[tag]
            document["apps"][APP] = app
            document["knobs"]["settled"] = ["1"]

    def take(self, name: str) -> None:
        """Let somebody else have an app of that name."""
        with self.world.changing() as document:
            document["taken"].append(name)

    @property
    def calls(self) -> list[Document]:
        """What flyctl was given: `arguments` and `stdin` of every command."""
        return list(self.world.read()["calls"])

    def commands(self) -> list[str]:
        """Return the first two words of every command that changes something, in order."""
        changing = ("apps create", "apps destroy", "machine start", "secrets import", "secrets set")
        names = [" ".join(each["arguments"][:2]) for each in self.calls]
        words = [name.replace(" --build-only", " push") for name in names]
        return [
            each.replace("deploy --image", "deploy")
            for each in words
            if each.startswith(("deploy", *changing))
        ]

    def arguments(self, *beginning: str) -> list[list[str]]:
        """Return the argument lists that begin so."""
        found = [each["arguments"] for each in self.calls]
        return [each for each in found if tuple(each[: len(beginning)]) == beginning]

    @property
    def app(self) -> Document:
        """The app, as Fly has it."""
        app: Document = self.world.read()["apps"][APP]
        return app

    @property
    def machines(self) -> list[Document]:
        """The app's machines."""
        return list(self.app["machines"])

    def releases(self) -> list[tuple[int, str, str]]:
        """Return number, status and tag of every release, the newest first."""
        return [
            (each["Version"], each["Status"], each["ImageRef"].rpartition(":")[2])
            for each in self.app["releases"]
        ]

    def tags(self) -> list[str]:
        """Return which image each machine runs."""
        return [each["image_ref"]["tag"] for each in self.machines]

    def change(self, index: int, **values: Any) -> None:
        """Change a machine behind everybody's back."""
        with self.world.changing() as document:
            document["apps"][APP]["machines"][index] |= values

    def close(self) -> None:
        """End every service that a machine ran."""
        for service in process.having("FAKE_FLY", str(self.world.directory)):
            service.kill()
