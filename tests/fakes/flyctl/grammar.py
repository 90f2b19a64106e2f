"""What flyctl 0.4.87 takes: commands and flags, from its sources; anything else is refused."""

from typing import Any

_APP = {"--app": True}
_JSON = {"--json": False}
_DEPLOY = {
    "--image": True, "--image-label": True, "--config": True, "--yes": False, "--env": True,
    "--local-only": False, "--build-only": False, "--push": False, "--strategy": True,
    "--only-machines": True, "--deploy-retries": True, "--dns-checks": False,
    "--wait-timeout": True, "--ha": False, "--detach": False, "--smoke-checks": False,
}  # fmt: skip
COMMANDS: dict[tuple[str, ...], dict[str, bool]] = {
    ("version",): _JSON,
    ("orgs", "list"): _JSON,
    ("apps", "create"): {"--org": True, **_JSON},
    ("apps", "destroy"): {"--yes": False},
    ("status",): _APP | _JSON,
    ("machine", "list"): _APP | _JSON,
    ("machine", "start"): _APP,
    ("releases",): _APP | _JSON | {"--image": False},
    ("logs",): _APP | _JSON | {"--machine": True, "--no-tail": False},
    ("secrets", "list"): _APP | _JSON,
    ("secrets", "import"): _APP | {"--stage": False},
    ("secrets", "set"): _APP | {"--stage": False},
    ("deploy",): _APP | _DEPLOY,
}


class Refused(Exception):
    """flyctl's `Error: …` with exit code 1."""


class Call:
    """One command: its name, its flags and what stands besides."""

    def __init__(self, arguments: list[str]) -> None:
        name = next((n for n in (tuple(arguments[:2]), tuple(arguments[:1])) if n in COMMANDS), ())
        if not name:
            raise Refused(f'unknown command "{" ".join(arguments[:1])}" for "flyctl"')
        self.name = " ".join(name)
        self.flags: dict[str, Any] = {}
        self.besides: list[str] = []
        self._read(arguments[len(name) :], COMMANDS[name])

    def _read(self, words: list[str], known: dict[str, bool]) -> None:
        rest = iter(words)
        for word in rest:
            flag, assigned, value = word.partition("=")
            if not word.startswith("--"):
                self.besides.append(word)
            elif flag not in known:
                raise Refused(f"unknown flag: {flag}")
            elif flag == "--env":
                self.flags.setdefault("--env", []).append(next(rest))
            elif known[flag]:
                self.flags[flag] = value if assigned else next(rest)
            else:
                self.flags[flag] = value != "false"

    @property
    def app(self) -> str:
        """The app that it is about."""
        return str(self.flags["--app"])
