"""The stand-in as a command: dispatches, answers in flyctl's shapes, ends with flyctl's codes."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.fakes.flyctl import deployment, secret_lines
from tests.fakes.flyctl import machine as machines
from tests.fakes.flyctl.grammar import Call, Refused
from tests.fakes.flyctl.world import World

_OPEN = ("version",)
"""What needs no token."""
_MISSING = 'failed to get app: Could not find App "{}"'


def main() -> int:
    """Do what was asked for, and return flyctl's exit code."""
    world = World(Path(os.environ["FAKE_FLY"]))
    arguments = sys.argv[1:]
    reads = arguments[:2] in (["secrets", "import"], ["secrets", "set"])
    stdin = sys.stdin.read() if reads else ""
    with world.changing() as document:
        document["calls"].append({"arguments": arguments, "stdin": stdin})
    try:
        call = Call(arguments)
        _may(world, call)
        Command(world, call, stdin).run()
    except Refused as refusal:
        sys.stderr.write(f"Error: {refusal}\n")
        return 1
    except KeyboardInterrupt:
        return 127
    return 0


def _may(world: World, call: Call) -> None:
    if call.name in _OPEN:
        return
    if not (os.environ.get("FLY_ACCESS_TOKEN") or os.environ.get("FLY_API_TOKEN")):
        raise Refused("no access token available. Please login with 'flyctl auth login'")
    for prefix, failure in world.knob("failures", {}).items():
        if call.name.startswith(prefix):
            raise Refused(failure)


class Command:
    """One command at work."""

    def __init__(self, world: World, call: Call, stdin: str) -> None:
        self._world = world
        self._call = call
        self._stdin = stdin

    def run(self) -> None:
        """Find what does it."""
        name = self._call.name.replace(" ", "_")
        getattr(self, f"_{name}")()

    def _version(self) -> None:
        version = self._world.knob("version", "0.4.87")
        _give({"Name": "flyctl", "Version": version, "Commit": "ad0172f", "OS": "linux"})

    def _orgs_list(self) -> None:
        _give(self._world.read()["orgs"])

    def _apps_create(self) -> None:
        [name] = self._call.besides
        with self._world.changing() as document:
            if self._call.flags.get("--org") not in document["orgs"]:
                raise Refused("org slug must be specified when not running interactively")
            if name in document["taken"] or name in document["apps"]:
                raise Refused(
                    f'failed to create app "{name}": Validation failed: Name has already been taken'
                )
            document["apps"][name] = {"machines": [], "releases": [], "secrets": {}}
        _give({"ID": name, "Name": name, "Status": "pending", "Deployed": False})

    def _apps_destroy(self) -> None:
        [name] = self._call.besides
        if not self._call.flags.get("--yes"):
            raise Refused("yes flag must be specified when not running interactively")
        with self._world.changing() as document:
            if name not in document["apps"]:
                raise Refused(_MISSING.format(name))
            for each in document["apps"].pop(name)["machines"]:
                machines.stop(each)
        sys.stdout.write(f"Destroyed app {name}\n")

    def _status(self) -> None:
        app = self._app()
        newest = app["releases"][0]["Version"] if app["releases"] else 0
        started = [each for each in app["machines"] if each["state"] == "started"]
        ports = [each["_port"] for each in started if "_port" in each]
        url = f"http://127.0.0.1:{ports[0]}" if ports else self._world.knob("url", "")
        name = self._call.app
        _give({
            "ID": name, "Name": name, "Deployed": bool(newest), "Hostname": f"{name}.fly.dev",
            "Status": "deployed" if newest else "pending", "Version": newest, "AppURL": url,
            "PlatformVersion": "machines", "Organization": {"Slug": "personal", "Name": "Me"},
            "Machines": self._shown(app),
        })  # fmt: skip

    def _machine_list(self) -> None:
        found = self._shown(self._app())
        _give(found or None)

    def _machine_start(self) -> None:
        with self._world.changing() as document:
            app = document["apps"][self._call.app]
            for each in app["machines"]:
                if each["id"] in self._call.besides:
                    env = each["config"]["env"] | app["secrets"]
                    machines.start(self._world.directory, document["knobs"], each, env)
        sys.stdout.write(f"{self._call.besides[0]} has been started\n")

    def _releases(self) -> None:
        _give(self._app()["releases"])

    def _logs(self) -> None:
        self._app()
        wanted = self._call.flags.get("--machine")
        lines = [(wanted or "148", text) for text in self._world.knob("log", [])]
        # Fly keeps the log of a machine that is gone.
        for log in sorted(self._world.directory.glob("*/log")):
            if wanted in {None, log.parent.name}:
                lines += [(log.parent.name, text) for text in log.read_text().splitlines()]
        for machine, text in lines:
            _give({
                "level": "info", "instance": machine, "message": text,
                "region": "fra", "timestamp": "2026-11-25T12:00:00.000Z",
                "meta": {"Instance": machine, "Region": "fra"},
            })  # fmt: skip
            sys.stdout.flush()
        while not lines or not self._call.flags.get("--no-tail"):
            time.sleep(0.1)  # as flyctl does: it waits for a first line, or for the next

    def _secrets_list(self) -> None:
        app = self._app()
        names = sorted(app["secrets"].keys() | app.get("staged", {}).keys())
        _give([{"name": name, "digest": "d41d8cd98f00b204", "status": "Staged"} for name in names])

    def _secrets_import(self) -> None:
        self._stage(secret_lines.parsed(self._stdin))

    def _secrets_set(self) -> None:
        [pair] = self._call.besides
        name, _, value = pair.partition("=")
        assert value == "-", "a secret's value stands in an argument list"
        self._stage({name: self._stdin.strip()})

    def _deploy(self) -> None:
        if not self._call.flags.get("--yes"):
            raise Refused("yes flag must be specified when not running interactively")
        self._app()
        if self._call.flags.get("--build-only"):
            deployment.push(self._world, self._call)
        else:
            deployment.Deployment(self._world, self._call).carry_out()

    def _stage(self, secrets: dict[str, str]) -> None:
        assert self._call.flags.get("--stage"), "without --stage machines restart at once"
        self._app()
        with self._world.changing() as document:
            document["apps"][self._call.app].setdefault("staged", {}).update(secrets)

    def _app(self) -> Any:
        app = self._world.read()["apps"].get(self._call.app)
        if app is None:
            raise Refused(_MISSING.format(self._call.app))
        return app

    def _shown(self, app: Any) -> list[Any]:
        knobs = self._world.read()["knobs"]
        return [machines.shown(each, knobs) for each in app["machines"]]


def _give(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=4) + "\n")


if __name__ == "__main__":
    sys.exit(main())
