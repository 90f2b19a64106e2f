"""`infra`: provision the store, look at what is there, change its keys, take it down."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands import infra_views
from pointsman_cli.commands.arguments import DryRun
from pointsman_cli.commands.infra_options import (
    Backend,
    Bucket,
    Endpoint,
    InstallCli,
    ProviderName,
    Region,
    RoleName,
    StackName,
    provisioning,
    roles,
)
from pointsman_cli.context import Context, with_context

if TYPE_CHECKING:
    from pointsman_cli.provisioning import Provisioning
    from pointsman_infra.automation.steps import Steps
    from pointsman_infra.outputs import StoreOutputs
    from pointsman_infra.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True)
    for command in (preview, up, drift, rotate, destroy):
        group.command()(command)
    infra_views.register(group)
    app.add_typer(group, name="infra", help="Provision the bucket and its keys, by Pulumi.")


@with_context
def preview(
    context: Context,
    provider: ProviderName = "",
    bucket: Bucket = "",
    region: Region = "",
    endpoint: Endpoint = "",
    stack: StackName = "",
    backend: Backend = "",
    install_cli: InstallCli = False,
) -> None:
    """Show what `up` would do. Nothing is made outside the stack's state."""
    settings = {"provider": provider, "bucket": bucket, "region": region, "endpoint": endpoint}
    _preview(context, provisioning(context, stack, backend, settings, install_cli=install_cli))


@with_context
def up(
    context: Context,
    provider: ProviderName = "",
    bucket: Bucket = "",
    region: Region = "",
    endpoint: Endpoint = "",
    stack: StackName = "",
    backend: Backend = "",
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look at what exists first, and repair drift.")
    ] = False,
    install_cli: InstallCli = False,
    dry_run: DryRun = False,
) -> None:
    """Make the bucket and its keys, and publish declared models. Can be repeated at any time.

    Afterwards `upload-model` and `deploy` use the store without being told where it is.
    """
    given = {"provider": provider, "bucket": bucket, "region": region, "endpoint": endpoint}
    work = provisioning(context, stack, backend, given, install_cli=install_cli)
    if dry_run:
        _preview(context, work)
        return
    settings = work.settings_with_live_keys()
    if refresh:
        with _watched(context, f"{work.name} · what exists") as steps:
            work.stack.refresh(steps)
    steps, handed = _up(context, work, settings)
    context.output.result(_document(work, steps) | {"outputs": handed.public()})
    context.output.success(f"{handed.store} is provisioned · {_counted(steps, _MADE)}")
    context.output.step("`pointsman upload-model VERSION model.onnx` publishes into it.")


@with_context
def drift(context: Context, stack: StackName = "", backend: Backend = "") -> None:
    """Compare what exists with what was made; exit code 7 when they differ. Changes nothing."""
    from pointsman_infra.errors import Drifted

    work = provisioning(context, stack, backend)
    provisioned = work.stack
    with _watched(context, f"{work.name} · what exists") as steps:
        provisioned.drift(steps)
    document = _document(work, steps)
    differing = [step for step in steps.all() if step.changes]
    if differing:
        names = ", ".join(
            f"{step.name} ({_SEEN.get(step.operation, step.operation)})" for step in differing
        )
        raise Drifted(
            f"{len(differing)} of {len(steps.all())} resources differ from what was made: {names}",
            "`pointsman infra up --refresh` puts them back.",
            document | {"drifted": True},
        )
    context.output.result(document | {"drifted": False})
    context.output.success(f"all {len(steps.all())} resources are as they were made")


_SEEN = {"delete": "gone", "update": "changed", "create": "new"}
_MADE = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "removed",
    "same": "unchanged",
}
_WANTED = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to remove",
    "same": "as they should be",
}


@with_context
def rotate(
    context: Context,
    role: RoleName = "",
    finish: Annotated[
        bool, typer.Option("--finish", help="Revoke the old keys, once the new ones are in use.")
    ] = False,
    stack: StackName = "",
    backend: Backend = "",
    dry_run: DryRun = False,
) -> None:
    """Issue new keys beside the old ones; with --finish, revoke the old ones.

    Between the two, `deploy` hands the new runtime key to the service: no moment without a key.
    """
    import msgspec

    from pointsman_infra import rotation

    work = provisioning(context, stack, backend)
    _require_own_keys(work.settings)
    settings = msgspec.structs.replace(work.settings, keys=work.stack.outputs().keys)
    change = rotation.finished if finish else rotation.begun
    wanted = msgspec.structs.replace(settings, keys=change(settings.keys, roles(role)))
    if dry_run:
        verb = "revoke the old" if finish else "issue new"
        plan = f"{verb} keys: {_serials(settings)} → {_serials(wanted)}"
        context.output.result({"plan": [plan]})
        context.output.data(plan)
        return
    steps, handed = _up(context, work, wanted)
    context.output.result(_document(work, steps) | {"outputs": handed.public()})
    if finish:
        context.output.success("the old keys are revoked")
    else:
        context.output.success("new keys are handed out, and the old ones still work")
        context.output.step("Now `pointsman deploy`, and then `pointsman infra rotate --finish`.")


@with_context
def destroy(
    context: Context,
    force: Annotated[
        str, typer.Option(metavar="BUCKET", help="Its name: lose all models in the bucket.")
    ] = "",
    stack: StackName = "",
    backend: Backend = "",
    dry_run: DryRun = False,
) -> None:
    """Remove the bucket, the principals and the stack. Refused while models are in the bucket."""
    work = provisioning(context, stack, backend)
    handed = work.stack.handed()
    # Only now: without Pulumi's library the line above has said so.
    from pointsman_infra import handover, removal

    removal.check(handed, force)
    if dry_run:
        plan = f"remove the stack {work.name}" + (
            f" with the bucket {handed.bucket}" if handed else ""
        )
        context.output.result({"plan": [plan]})
        context.output.data(plan)
        return
    with _watched(context, f"{work.name} · destroy") as steps:
        removal.destroy(work.stack, work.settings_with_live_keys(), handed, steps)
    handover.forget(work.state, work.name)
    context.output.result(_document(work, steps))
    context.output.success(f"the stack {work.name} is gone · {_counted(steps, _MADE)}")


def _preview(context: Context, work: "Provisioning") -> None:
    settings = work.settings_with_live_keys()
    with _watched(context, f"{work.name} · {settings.provider.value} · preview") as steps:
        work.stack.preview(settings, steps)
    context.output.result(_document(work, steps))
    context.output.success(f"`up` would find {_counted(steps, _WANTED)}")


def _up(
    context: Context, work: "Provisioning", settings: "Settings"
) -> "tuple[Steps, StoreOutputs]":
    with _watched(context, f"{work.name} · {settings.provider.value}") as steps:
        handed = work.stack.up(settings, steps)
    work.remember(handed)
    return steps, handed


def _watched(context: Context, title: str) -> Any:
    from pointsman_cli.infra_tree import watched

    return watched(context.output, title)


def _document(work: "Provisioning", steps: "Steps") -> dict[str, Any]:
    from pointsman_infra.automation.stack import documents

    return {"stack": work.name, "summary": steps.summary(), "steps": documents(steps)}


def _counted(steps: "Steps", words: "dict[str, str]") -> str:
    counts = [
        f"{count} {words.get(operation, operation)}"
        for operation, count in sorted(steps.summary().items())
    ]
    return ", ".join(counts) or "nothing to do"


def _require_own_keys(settings: "Settings") -> None:
    """Raise `Guarded` where the keys were given: whoever made them has to make new ones."""
    from pointsman_infra.errors import Guarded
    from pointsman_infra.settings import Provider

    compatible = settings.provider is Provider.COMPATIBLE and not settings.iam_endpoint
    if compatible or settings.provider is Provider.EXISTING:
        raise Guarded(
            "this stack's keys were given to it, so it cannot make new ones",
            "Make new keys where those came from, set POINTSMAN_PUBLISHER_… and "
            "POINTSMAN_RUNTIME_…, and run `pointsman infra up`.",
        )


def _serials(settings: "Settings") -> str:
    keys = settings.keys
    return f"publisher {list(keys.publisher)}, runtime {list(keys.runtime)}"
