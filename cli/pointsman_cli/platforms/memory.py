"""Whether a model fits into an instance: foretold by the rules that the service follows itself."""

from pointsman import findings, memory_policy
from pointsman.errors import NotFound
from pointsman.findings import Finding
from pointsman.manifest import Manifest
from pointsman.memory_policy import Strategy
from pointsman_cli.context import Context
from pointsman_cli.units import size

_SERVICE_BYTES = 16 << 20
"""The web framework and the store's client, on top of what every process with ONNX Runtime holds:
the image serves a model of 6.5 kB at 89 MB."""
_HINT = "Give the instance more memory, or activate a smaller version."


def verdict(manifest: Manifest, limit_bytes: int) -> str:
    """Say how a version fits into an instance of `limit_bytes`, and how it will be switched."""
    return _judged(manifest, limit_bytes)[1]


def check(context: Context, limit_bytes: int) -> list[Finding]:
    """Tell whether the active version fits; where nothing is active, there is nothing to tell."""
    try:
        channel = context.registry.channel(context.model, context.channel)
    except NotFound:
        return []
    manifest = context.registry.resolve(context.model, channel.stable).manifest
    strategy, sentence = _judged(manifest, limit_bytes)
    if strategy is Strategy.REFUSE:
        return [findings.error("memory", sentence, _HINT)]
    if strategy is Strategy.DRAIN_FIRST:
        return [findings.warning("memory", sentence, _HINT)]
    return [findings.ok("memory", sentence)]


def _judged(manifest: Manifest, limit_bytes: int) -> tuple[Strategy, str]:
    need = memory_policy.needed_bytes(manifest)
    free = limit_bytes - memory_policy.BASELINE_BYTES - _SERVICE_BYTES
    numbers = f"{manifest.version} needs {size(need)} of {size(limit_bytes)}"
    if need > free - memory_policy.MARGIN_BYTES:
        return Strategy.REFUSE, f"{numbers}, which is more than the service leaves"
    choice = memory_policy.choose(manifest, free - need, serving=[manifest])
    if choice.strategy is Strategy.SIDE_BY_SIDE:
        return choice.strategy, f"{numbers}: two versions fit side by side, a switch costs nothing"
    return (
        Strategy.DRAIN_FIRST,
        f"{numbers}: one version fits and not two, nothing answers while one is switched",
    )
