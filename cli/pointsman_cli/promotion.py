"""Promoting: the version that one channel serves becomes the one that another serves.

A place is an environment of `pointsman.toml`, with its own store perhaps, or else a channel.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman_cli import configuration
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.moves import present
from pointsman_cli.units import counted, size

if TYPE_CHECKING:
    from pointsman.manifest import Version


@dataclass(frozen=True, slots=True)
class Promotion:
    """One version on its way from one place to another."""

    source: Context
    target: Context
    version: "Version"

    @property
    def across_stores(self) -> bool:
        """Whether the version has to be copied first."""
        return self.source.registry.store.url != self.target.registry.store.url

    def plan(self) -> list[str]:
        """Say what would be done."""
        manifest, target = self.version.manifest, self.target
        where, now = f"{target.model}/{target.channel}", present(target)
        move = f"move {where} from {now.stable.version if now else 'nothing'} to {manifest.version}"
        if now and now.stable.digest == self.version.digest:
            move = f"leave {where} at {manifest.version}, which it names already"
        if not self.across_stores:
            return [move]
        files = f"{counted(len(manifest.files), 'file')} ({size(manifest.size)})"
        return [f"copy what is missing of {files} to {target.registry.store.url}", move]

    def copy(self) -> None:
        """Copy the version, unless both places share a store."""
        if not self.across_stores:
            return
        from pointsman import copying
        from pointsman.publishing import Progress

        output, store = self.target.output, self.target.registry.store
        self.target.stands("What was copied stays, and is not copied again; nothing was activated.")
        with output.transfer() as transfer:
            progress = Progress(output.step, transfer.expect, transfer.advance)
            copied = copying.copy(self.source.registry.store, self.version, store, progress)
        name = f"{self.version.manifest.model} {self.version.manifest.version}"
        output.step(f"{name} is in {store.url}: {size(copied.bytes)} copied, the rest was there")


def place(context: Context, name: str) -> Context:
    """Return what works on a place; raises `UsageError` for a name that cannot be one."""
    flags = dict(context.flags)
    if name in configuration.environments(Path.cwd()):
        return Context(context.output, flags | {"env": name, "channel": None})
    return Context(context.output, flags | {"channel": name})


def promotion(context: Context, named: str | None, from_: str, to: str) -> Promotion:
    """Find the version: what `from_` serves now, which has to be the one that is named, if any.

    Raises `CommandError` when it serves another, `UsageError` for two places that are one.
    """
    model, _, version = (named or "").rpartition("@")
    if model:
        context.flags["model"] = model
    source, target = place(context, from_), place(context, to)
    pointer = source.registry.channel(source.model, source.channel).stable
    if version and pointer.version != version:
        raise CommandError(
            f"{from_} serves {pointer.version}, and not {version}",
            f"Promote {pointer.version}, or `pointsman activate {version}` there and try it first.",
        )
    found = source.registry.resolve(source.model, pointer)
    source.registry.notary.check_version(source.registry.store, found)
    result = Promotion(source, target, found)
    if not result.across_stores and source.channel == target.channel:
        raise UsageError(f"{from_} and {to} are the same channel of the same store")
    return result
