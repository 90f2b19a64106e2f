"""`fly deploy`: pushing, and releasing by each strategy with the holes that flyctl has.

It waits its whole wait time for a machine whose program has ended, does not start machines that
sleep, and believes Fly when that has put a machine back to its old image.
"""

import re
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fakes.flyctl import machine as machines
from tests.fakes.flyctl.grammar import Call, Refused
from tests.fakes.flyctl.world import Document, World

_LOOK_SECONDS = 0.05
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ASLEEP = ("stopped", "suspended")


def push(world: World, call: Call) -> None:
    """`--build-only --push`: a local image goes to the app's repository."""
    image, tag = call.flags["--image"], call.flags["--image-label"]
    sys.stderr.write(f"Searching for image '{image}' locally...\n")
    with world.changing() as document:
        digest = document["local"].get(image)
        if not call.flags.get("--local-only") or digest is None:
            raise Refused(
                f'failed to fetch an image or build from source: Could not find image "{image}"'
            )
        if denied := document["knobs"].get("registry"):
            raise Refused(denied)
        document["registry"][f"registry.fly.io/{call.app}:{tag}"] = digest
    sys.stderr.write(f"image found: {digest}\n--> Pushing image to fly\n")
    sys.stderr.write(f"{tag}: digest: {digest} size: 1234\n--> Pushing image done\n")


def _seconds(duration: str | int) -> float:
    """Read a duration as Go writes it; a bare number is seconds."""
    if isinstance(duration, int):
        return duration
    parts = re.findall(r"([\d.]+)(h|ms|m|s)", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise Refused(f'time: invalid duration "{duration}"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class Deployment:
    """One release on its way."""

    def __init__(self, world: World, call: Call) -> None:
        self._world = world
        self._call = call
        self._file = tomllib.loads(Path(call.flags["--config"]).read_text())
        self._image = call.flags["--image"]
        self._processes: dict[str, subprocess.Popen[bytes] | None] = {}
        self._beside = False
        """Whether new machines stand beside old ones, and go when they do not get healthy."""
        deploy = self._file.get("deploy", {})
        self._strategy = call.flags.get("--strategy") or deploy.get("strategy", "rolling")
        self._wait = _seconds(deploy.get("wait_timeout", "5s"))

    def carry_out(self) -> None:
        """Release it; raises `Refused` when it does not get healthy in time."""
        self._begin()
        try:
            self._strategies()
            status = "complete"
        except BaseException as error:
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            if self._beside:
                self._destroy(self._new())
            raise
        finally:
            with self._world.changing() as document:
                self._app(document)["releases"][0]["Status"] = status
        if self._world.knob("emits", True):
            emitted = (
                f'{{"id":"r{self._version}","version":{self._version},"image_ref":"{self._image}"}}'
            )
            sys.stdout.write(f"{emitted}\n")

    def _begin(self) -> None:
        with self._world.changing() as document:
            unknown = document["knobs"].get("unknown_manifest", 0)
            document["knobs"]["unknown_manifest"] = max(0, unknown - 1)
        if unknown:
            raise Refused("failed to get manifest for the image: manifest unknown")
        with self._world.changing() as document:
            digest = document["registry"].get(self._image)
            if digest is None:
                raise Refused(f'failed to fetch an image: Could not find image "{self._image}"')
            app = self._app(document)
            app["secrets"] |= app.pop("staged", {})
            self._version = max((each["Version"] for each in app["releases"]), default=0) + 1
            app["releases"].insert(0, {
                "ID": f"r{self._version}", "Version": self._version, "Status": "running",
                "ImageRef": self._image, "DeploymentStrategy": self._strategy,
                "CreatedAt": "2026-11-25T12:00:00Z", "User": {"Email": "me@example.com"},
            })  # fmt: skip
            registry, _, name = self._image.partition("/")
            repository, _, tag = name.partition(":")
            self._reference = {
                "registry": registry, "repository": repository, "tag": tag, "digest": digest,
            }  # fmt: skip
            given = dict(pair.split("=", 1) for pair in self._call.flags.get("--env", []))
            self._env = {str(k): str(v) for k, v in self._file.get("env", {}).items()} | given
            self._private = app["secrets"]

    def _strategies(self) -> None:
        existing = [each["id"] for each in self._app(self._world.read())["machines"]]
        only = self._call.flags.get("--only-machines")
        if not existing:
            count = 1 if self._file.get("mounts") else 2
            for _ in range(count):
                self._wait_for(self._create())
        elif self._strategy == "bluegreen":
            self._beside = True
            for each in [self._create() for _ in existing]:
                self._wait_for(each)
            self._destroy(existing)
        else:
            for each in only.split(",") if only else existing:
                if self._update(each) and self._strategy != "immediate":
                    self._wait_for(each)

    def _new(self) -> list[str]:
        """Return the machines that this release made."""
        made = self._app(self._world.read())["machines"]
        release = str(self._version)
        return [
            each["id"]
            for each in made
            if each["config"]["metadata"]["fly_release_version"] == release
        ]

    def _create(self) -> str:
        with self._world.changing() as document:
            app = self._app(document)
            app["made"] = app.get("made", 0) + 1
            machine = machines.made(
                app["made"], self._version, self._reference, self._env, "created"
            )
            app["machines"].append(machine)
            self._launch(document, machine)
            return str(machine["id"])

    def _update(self, identity: str) -> bool:
        """Give a machine the new image; tell whether it runs, and so whether to wait for it."""
        with self._world.changing() as document:
            if identity in document["knobs"].get("reverts", []):
                return False
            machine = self._machine(document, identity)
            machine["image_ref"] = self._reference
            machine["config"]["env"] = self._env
            machine["config"]["metadata"]["fly_release_version"] = str(self._version)
            machine["events"].insert(0, machines.event("update", "replacing"))
            if machine["state"] in _ASLEEP:
                return False
            machines.stop(machine)
            self._launch(document, machine)
            return True

    def _launch(self, document: Document, machine: Document) -> None:
        env = self._env | self._private
        process = machines.start(self._world.directory, document["knobs"], machine, env)
        self._processes[machine["id"]] = process

    def _wait_for(self, identity: str) -> None:
        self._say(identity, "Waiting for it to have a started state and to become healthy")
        crash = self._world.knob("crash")
        deadline = time.monotonic() + self._wait
        while time.monotonic() < deadline:
            with self._world.changing() as document:
                machine = self._machine(document, identity)
                process = self._processes.get(identity)
                if process is not None and process.poll() is not None and machine.pop("_pid", 0):
                    machine["state"] = "stopped"
                    machine["events"].insert(0, machines.ended(process.returncode))
                if crash and machine["state"] == "started":
                    machine["state"] = "stopped"
                    machine["events"].insert(0, machines.ended(**crash))
                checks = machines.shown(machine, document["knobs"])["checks"]
                passing = checks and all(each["status"] == "passing" for each in checks)
                if machine["state"] == "started" and passing:
                    return
            time.sleep(_LOOK_SECONDS)
        raise Refused(
            f"failed to update machine {identity}: timeout reached waiting for health checks to "
            f"pass for machine {identity}"
        )

    def _destroy(self, identities: list[str]) -> None:
        with self._world.changing() as document:
            app = self._app(document)
            for each in app["machines"]:
                if each["id"] in identities:
                    machines.stop(each)
            app["machines"] = [each for each in app["machines"] if each["id"] not in identities]

    def _app(self, document: Document) -> Any:
        return document["apps"][self._call.app]

    def _machine(self, document: Document, identity: str) -> Any:
        found = [each for each in self._app(document)["machines"] if each["id"] == identity]
        return found[0]

    def _say(self, identity: str, text: str) -> None:
        with suppress(BrokenPipeError):
            sys.stdout.write(f"> [1/1] Machine {identity} [app] {text}\n")
            sys.stdout.flush()
