"""Asking a cluster through `kubectl`, with failures as sentences that name the fix."""

import json
from collections.abc import Sequence
from typing import Any

from pointsman_cli import process
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.kubernetes.observation import Observation, Trouble, observe
from pointsman_cli.units import clean

_SECONDS = 60.0
_DELETION_SECONDS = 300.0
_SAID = 300

# What kubectl says, and what to do about it; the first that fits counts.
_REMEDIES = (
    ("forbidden", "Ask for a role that may write deployments, services and secrets there."),
    ("unauthorized", "Sign in to the cluster again; `kubectl get pods` shows whether it worked."),
    ("must be logged in", "Sign in to the cluster again; `kubectl get pods` shows it worked."),
    ("context was not found", "`kubectl config get-contexts` lists the contexts there are."),
    ("does not exist", "`kubectl config get-contexts` lists the contexts there are."),
    ("namespaces", "`kubectl create namespace NAME` makes it."),
    ("localhost:8080", "kubectl knows of no cluster: set KUBECONFIG, or fill ~/.kube/config."),
    ("refused", "Is the cluster running? `kubectl cluster-info` asks it."),
    ("no configuration has been provided", "Name a cluster: `kubectl config use-context NAME`."),
    ("unable to connect", "Is the cluster reachable? `kubectl cluster-info` asks it."),
)
_HINT = "`kubectl cluster-info` shows which cluster is asked."


def ask(arguments: Sequence[str], stdin: str | None = None) -> str:
    """Run a `kubectl` command and return what it prints; raises `CommandError`."""
    finished = process.run(arguments, stdin=stdin, timeout=_SECONDS)
    if not finished.ok:
        raise refusal(finished.stderr or finished.stdout)
    return finished.stdout


def wait_for(arguments: Sequence[str]) -> str:
    """Run a command that takes its time, such as ending pods in good order."""
    finished = process.run(arguments, timeout=_DELETION_SECONDS)
    if not finished.ok:
        raise refusal(finished.stderr or finished.stdout)
    return finished.stdout


def observed(arguments: Sequence[str]) -> Observation | None:
    """Read how a Deployment stands; None when there is none."""
    text = ask(arguments)
    items: list[dict[str, Any]] = json.loads(text)["items"] if text.strip() else []
    return observe(items)


def last_words(arguments: Sequence[str]) -> str:
    """Return the last line a container wrote that says anything; "" when it cannot be had."""
    finished = process.run(arguments, timeout=_SECONDS)
    lines = [line.strip() for line in finished.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return clean((errors or lines or [""])[-1])[:_SAID] if finished.ok else ""


def cause(trouble: Trouble, said: str) -> str:
    """Return the sentence that says why a release does not serve."""
    if "exec format error" in said.lower():
        return (
            f"pod {trouble.pod} cannot run: its image is for another kind of processor "
            "(exec format error)"
        )
    words = f": {said}" if said else ""
    return f"pod {trouble.pod} does not serve, {trouble.reason}{words}"


def refusal(said: str) -> CommandError:
    """Turn what `kubectl` complained of into an error."""
    lines = [line for line in said.splitlines() if line.strip()]
    text = clean(" ".join((lines or ["it did not say why"])[-1].split()))[:_SAID]
    text = text.removeprefix("error: ").removeprefix("Error from server ")
    lowered = said.lower()
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in lowered), _HINT)
    return CommandError(f"kubectl: {text}", remedy)
