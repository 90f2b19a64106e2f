"""Why a deployment failed, in one sentence, and what to do: told from its steps and its logs.

The first rule that knows the text wins; without one, the last thing that was said is the cause.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pointsman_cli.platforms.railway.api.deployments import Step

_ERROR = re.compile(
    r"^\s*(?:error|fatal|critical)\b[:\s]\s*|^\w*(?:Error|Exception): ", re.IGNORECASE
)
_LONGEST = 200
_ARCHITECTURE = (
    "Railway runs linux/amd64 only. `pointsman build` builds for that by itself; with docker: "
    "docker build --platform linux/amd64 …"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened, and what to type."""

    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    sentence: str
    hint: str


def _rule(pattern: str, sentence: str, hint: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), sentence, hint)


_OF_IMAGES = (
    _rule(
        r"exec format error|no match(ing manifest)? for (platform|linux/amd64)|image's platform",
        "the image {image} was built for another architecture",
        _ARCHITECTURE,
    ),
    _rule(
        r"manifest (for \S+ )?(unknown|not found)|manifest_unknown|\bimage \S+ not found",
        "the registry has no image {image}",
        "Did `pointsman push` send it there? Check the name and the tag.",
    ),
    _rule(
        r"pull access denied|unauthorized|authentication required|requires? authentication"
        r"|\bdenied\b|403 forbidden|401 ",
        "the registry refuses to give Railway the image {image}",
        "Make the image public, or set RAILWAY_REGISTRY_USERNAME and RAILWAY_REGISTRY_PASSWORD to "
        "an account that may read it (GHCR: a classic token with read:packages); private images "
        "need Railway's Pro plan.",
    ),
    _rule(
        r"VOLUME .*(not supported|banned|keyword)|banned.*VOLUME",
        "the Dockerfile has a VOLUME instruction, which Railway refuses",
        "Remove the instruction.",
    ),
)
"""What may be said before the container runs: of the image, and of whoever has it."""

_OF_SERVICES = (
    _rule(
        r"exec format error",
        "the image {image} was built for another architecture",
        _ARCHITECTURE,
    ),
    _rule(
        r"oomkilled|out of memory|cannot allocate memory|exit(ed)? (with )?(code )?137",
        "the service ran out of memory",
        "Give it more in the service's settings, or publish a smaller model; "
        "`pointsman models show VERSION` tells what a version was measured to need.",
    ),
    _rule(
        r"(running|listening) on https?://(127\.0\.0\.1|localhost)",
        "the service listens on 127.0.0.1, where Railway cannot reach it",
        "Remove POINTSMAN_HOST from the service's variables.",
    ),
)
_HEALTH = "A model that takes longer to load needs a higher healthcheckTimeout in railway.json."
_LOGS = "The last lines of its log are above; Railway's dashboard has all of them."


def cause(steps: Sequence[Step], build_log: Sequence[str], log: Sequence[str], image: str) -> Cause:
    """Return the likely cause; `image` is "" for one that Railway built."""
    failed = next((step for step in reversed(steps) if step.error), None)
    error = failed.error or "" if failed else ""
    known = _known(_OF_SERVICES, [error, *log]) or _known(_OF_IMAGES, [error, *build_log])
    if known:
        return Cause(known.sentence.format(image=image or "that was built"), known.hint)
    words = _last_words(log)
    if failed is not None and failed.step == "HEALTHCHECK":
        return Cause(_health(failed, words), _HEALTH)
    if words:
        return Cause(f"the service said: {words}", _LOGS)
    if failed is not None:
        return Cause(f"{_step(failed)} failed: {_short(failed.error or '')}", _LOGS)
    last = _last_words(build_log)
    return Cause(last or "Railway does not say why", _LOGS)


def _known(rules: Iterable[_Rule], said: Sequence[str]) -> _Rule | None:
    return next((rule for rule in rules if any(map(rule.pattern.search, said))), None)


def _health(step: Step, words: str) -> str:
    tries = f" after {step.attempt} attempts" if step.attempt else ""
    said = f"; the service said: {words}" if words else ""
    return f"the health check failed{tries}: {_short(step.error or '')}{said}"


def _step(step: Step) -> str:
    return step.step.lower().replace("_", " ")


def _last_words(lines: Iterable[str]) -> str:
    """Return the last line that is an error, or else the last one at all."""
    spoken = [line.strip() for line in lines if line.strip()]
    errors = [line for line in spoken if _ERROR.match(line)]
    return _short((errors or spoken or [""])[-1]).removeprefix("error: ")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
