"""The main job on a real model, from publishing to rolling back, while clients keep asking.

Run by `make demo`. Everything is done by the `pointsman` command as an operator would, in a
folder of its own, with a directory as the store and a local process as the platform. Ends with
a table, and with exit code 1 if a single request failed.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parent.parent
DIGITS = REPOSITORY / "examples" / "digits"
FOLDER = REPOSITORY / ".pointsman" / "demo"
POINTSMAN = Path(sys.executable).with_name("pointsman")
CLIENTS = 4
CALM_SECONDS = 1.5
"""How long clients keep asking before, between and after the changes."""

console = Console(highlight=False)


def main() -> int:
    """Tell the story; return the exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        return _story()
    finally:
        pointsman("destroy", "--platform", "local")
        shutil.rmtree(FOLDER)


def _story() -> int:
    publish("v1")
    url = pointsman("deploy", "--platform", "local", "--port", "0")["url"]
    accuracy = {"v1": held_out_accuracy(url, "v1")}
    publish("v2")
    with Load(url) as load:
        time.sleep(CALM_SECONDS)
        switch = pointsman("activate", "v2", "--why", "more accurate")
        time.sleep(CALM_SECONDS)
        accuracy["v2"] = held_out_accuracy(url, "v2")
        back = pointsman("rollback", "--why", "to show that it works")
        time.sleep(CALM_SECONDS)
    report(accuracy, switch, back, load)
    return verdict(switch, back, load)


def pointsman(*arguments: str) -> Any:
    """Run the command with `--json`, show its story, and return its document."""
    shown = shlex.join(arguments).replace(f"{REPOSITORY}/", "")
    console.print(f"[bold]$[/] pointsman {shown}", soft_wrap=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POINTSMAN_")}
    result = subprocess.run(
        [POINTSMAN, *arguments, "--json", "--model", "digits"],
        cwd=FOLDER,
        env=environment | {"POINTSMAN_STORE": (FOLDER / "store").as_uri()},
        stdout=subprocess.PIPE,
        check=False,
    )
    if result.returncode:
        sys.exit(f"demo: pointsman {arguments[0]} ended with exit code {result.returncode}")
    return json.loads(result.stdout)


def publish(version: str) -> None:
    """Publish one of the two example models, with its golden set and its accuracy."""
    folder = DIGITS / version
    accuracy = json.loads((DIGITS / "metrics.json").read_text())[version]["accuracy"]
    files = (str(folder / "model.onnx"), "--golden", str(folder / "golden.npz"))
    pointsman("upload-model", version, *files, "--metric", f"accuracy={accuracy}")


def held_out_accuracy(url: str, version: str) -> float:
    """Ask for every held-out row over HTTP; return the share answered rightly by `version`."""
    with np.load(DIGITS / "heldout.npz") as file:
        pixels, labels = file["pixels"], file["label"]
    body = {"inputs": {"pixels": pixels.tolist()}}
    response = httpx.post(f"{url}/predict", json=body, timeout=30).raise_for_status()
    if response.headers["x-model-version"] != version:
        sys.exit(f"demo: {response.headers['x-model-version']} answered, and not {version}")
    return float(np.mean(np.array(response.json()["outputs"]["label"]) == labels))


@dataclass
class Load:
    """Clients that keep asking, each on a connection of its own, and note every answer."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)
    _clients: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._clients = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop asking, after the requests under way are answered."""
        self._ended.set()
        for client in self._clients:
            client.join()

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return self.answers.total() + self.failures.total()

    def _ask(self) -> None:
        body = (DIGITS / "request.json").read_bytes()
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self._ended.is_set():
                try:
                    response = client.post("/predict", content=body)
                    response.raise_for_status()
                    told = response.json()["model"]["version"]
                    if told != response.headers["x-model-version"]:
                        self.failures["header and body name different versions"] += 1
                    else:
                        self.answers[told] += 1
                except httpx.HTTPError as error:
                    self.failures[f"{type(error).__name__}: {error}"] += 1


def report(accuracy: dict[str, float], switch: Any, back: Any, load: Load) -> None:
    """Print the table."""
    table = Table(title="digits, while clients kept asking", show_header=False, title_style="bold")
    for version, share in accuracy.items():
        table.add_row(f"{version}: accuracy on held-out rows, over HTTP", f"{share:.1%}")
    table.add_row(f"switch {switch['from']} → {switch['to']}", f"{switch['seconds']:.2f} s")
    table.add_row(f"roll back {back['from']} → {back['to']}", f"{back['seconds']:.2f} s")
    by_version = ", ".join(f"{count} by {name}" for name, count in sorted(load.answers.items()))
    table.add_row("requests sent", f"{load.sent} ({by_version})")
    table.add_row("requests failed", str(load.failures.total()))
    console.print(table)


def verdict(switch: Any, back: Any, load: Load) -> int:
    """Return 0 if nothing failed and both versions were really asked, else say what was wrong."""
    complaints = [f"{count} times {reason}" for reason, count in load.failures.items()]
    if set(load.answers) != {"v1", "v2"}:
        complaints.append(f"answers came from {sorted(load.answers)} and not from v1 and v2")
    complaints += [
        f"the instance did not confirm {move['to']}"
        for move in (switch, back)
        if [each["state"] for each in move["instances"]] != ["serving"]
    ]
    for complaint in complaints:
        console.print(f"[red]failed:[/] {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
