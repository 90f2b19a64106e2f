"""What a container engine says when it refuses, as a sentence with what to type next."""

import re
from collections.abc import Callable

from pointsman_cli.errors import CommandError

Refusal = Callable[[str, str, str], CommandError]
"""From the engine's name, what it was about, and what was said."""

_NOISE = re.compile(r"^(#\d+|\s*-+>|Step \d+|DEPRECATED:|-{5,}|(See|Run) '\w+ .*--help')")
_DENIED = re.compile(
    r"denied|unauthorized|no basic auth|authentication required|forbidden|HTTP 40[13]\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"no such host|connection refused|i/o timeout|no route to host|server gave HTTP response|"
    r"Temporary failure (in name resolution|resolving)|network is unreachable",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device", re.IGNORECASE)
_ARCHITECTURE = re.compile(
    r"exec format error|does not match the specified platform|no match for platform"
)
_BASE = re.compile(
    r"pull access denied|manifest unknown|manifest for .* not found|failed to resolve"
)


def of_engine(name: str, said: str) -> CommandError:
    """Return why an installed engine does not answer."""
    if "permission denied" in said:
        return CommandError(
            f"you may not use {name}: {last_words(said)}",
            "Add yourself to its group (`sudo usermod -aG docker $USER`, then log in again), or "
            "use Podman.",
        )
    return CommandError(
        f"{name} is installed, but its engine is not running: {last_words(said)}",
        "Start it (`sudo systemctl start docker`, or open Docker Desktop), or point DOCKER_HOST to "
        "one that runs.",
    )


def of_build(name: str, context: str, said: str) -> CommandError:  # noqa: ARG001
    """Return why an image was not built."""
    tail = "\n".join(said.splitlines()[-15:])
    if _FULL.search(said):
        return CommandError(
            "the image was not built: the disk is full", f"`{name} system prune` frees space."
        )
    if _BASE.search(said):
        return CommandError(
            f"the image was not built: its base cannot be had: {last_words(said)}",
            "Is the registry of the base reachable? [image] base in pointsman.toml names another.",
        )
    if _ARCHITECTURE.search(said):
        return CommandError(
            f"the image was not built: {name} cannot run programs of that architecture here",
            "Build on a machine of that kind, or install QEMU's binfmt handlers.",
        )
    if _GONE.search(said):
        return CommandError(
            f"the image was not built, because the network was out of reach: {last_words(said)}",
            'If only this machine itself reaches it, set network = "host" under [image].\n' + tail,
        )
    return CommandError(f"the image was not built: {last_words(said)}", tail)


def of_push(name: str, reference: str, said: str) -> CommandError:
    """Return why a registry did not take an image."""
    host = registry_host(reference)
    if _DENIED.search(said):
        return CommandError(
            f"{host} refuses the push of {reference}: {last_words(said)}",
            f"`{name} login {host}` with an account that may write there; does the repository "
            "exist?",
        )
    return _unmoved("push", reference, host, said)


def of_pull(name: str, reference: str, said: str) -> CommandError:
    """Return why a registry did not give an image."""
    host = registry_host(reference)
    if _DENIED.search(said) or "not found" in said or "manifest unknown" in said:
        return CommandError(
            f"{host} does not give {reference}: {last_words(said)}",
            f"Is it the right name? If it is private: `{name} login {host}`.",
        )
    return _unmoved("pull", reference, host, said)


def registry_host(reference: str) -> str:
    """Return the registry of a reference; one without a host is Docker Hub's."""
    first, slash, _ = reference.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return first if is_host else "docker.io"


def last_words(said: str) -> str:
    """Return the line that says why: the last one that is not about progress."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)] or lines
    errors = [line for line in telling if re.match(r"(?i)error|denied|unauthorized|failed", line)]
    last = (errors or telling or ["it said nothing"])[-1]
    return re.sub(r"(?i)^(docker: )?(error( response from daemon)?: )?", "", last)[:400]


def _unmoved(verb: str, reference: str, host: str, said: str) -> CommandError:
    here = " An image of this name is not on this machine either." if verb == "pull" else ""
    if _GONE.search(said):
        return CommandError(
            f"{host} cannot be reached to {verb} {reference}: {last_words(said)}",
            f"Is the name of the registry right, and is it up?{here}",
        )
    return CommandError(
        f"the {verb} of {reference} failed: {last_words(said)}",
        f"Try again; if it stays so, whoever runs {host} knows more.",
    )
