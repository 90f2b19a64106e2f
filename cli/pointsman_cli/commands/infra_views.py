"""`infra outputs|env|doctor|cost`: what was handed over, whether it works, and what it costs."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.commands.infra_options import (
    Backend,
    ProviderName,
    StackName,
    provisioning,
    roles,
)
from pointsman_cli.context import Context, with_context

if TYPE_CHECKING:
    from pointsman_cli.provisioning import Provisioning
    from pointsman_infra.doctor import Finding


def register(group: typer.Typer) -> None:
    """Add the commands."""
    for command in (outputs, env, doctor, cost):
        group.command()(command)


@with_context
def outputs(context: Context, stack: StackName = "", backend: Backend = "") -> None:
    """Show what the stack hands over, without its secrets; `infra env` prints those."""
    work = provisioning(context, stack, backend)
    handed = work.stack.outputs()
    work.remember(handed)
    shown = handed.public()
    context.output.result({"stack": work.name, **shown})
    shown["keys"] = ", ".join(f"{role} {list(live)}" for role, live in shown["keys"].items())
    rows = [[name, str(value)] for name, value in shown.items() if value]
    context.output.table(["output", "value"], rows)


@with_context
def env(
    context: Context,
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="NAME", help="dotenv, fly, railway or json.")
    ] = "dotenv",
    role: Annotated[str, typer.Option(metavar="NAME", help="publisher or runtime.")] = "runtime",
    stack: StackName = "",
    backend: Backend = "",
) -> None:
    """Print a role's environment, SECRETS INCLUDED.

    `… env --format fly | fly secrets import` hands them over without a file.
    """
    import sys

    from pointsman_cli.errors import UsageError
    from pointsman_infra.formats import Format, render

    try:
        wanted = Format.JSON if context.output.as_json else Format(form)
    except ValueError:
        known = ", ".join(each.value for each in Format)
        raise UsageError(f"there is no format {form!r}", f"There are: {known}.") from None
    handed = provisioning(context, stack, backend).stack.outputs()
    variables = handed.environment(roles(role or "runtime")[0])
    sys.stdout.write(render(variables, wanted) + "\n")


@with_context
def doctor(context: Context, stack: StackName = "", backend: Backend = "") -> None:
    """Try the provisioned keys on the store: what they must do, and what they must not."""
    from pointsman_cli.errors import CommandError

    work = provisioning(context, stack, backend)
    findings = _findings(context, work)
    document = {"stack": work.name, "findings": [finding.document() for finding in findings]}
    bad = [finding for finding in findings if not finding.good]
    if bad:
        raise CommandError(
            f"{len(bad)} of {len(findings)} checks failed: {bad[0].question}: {bad[0].answer}",
            bad[0].fix,
            document,
        )
    context.output.result(document)
    context.output.success(f"all {len(findings)} checks are good")


@with_context
def cost(
    context: Context,
    provider: ProviderName = "",
    stored: Annotated[float, typer.Option(min=0, metavar="GB", help="Kept in the store.")] = 10.0,
    instances: Annotated[
        int, typer.Option(min=0, metavar="COUNT", help="Instances that poll.")
    ] = 3,
    downloads: Annotated[
        int, typer.Option(min=0, metavar="COUNT", help="Versions fetched in a month.")
    ] = 100,
    model_size: Annotated[
        float, typer.Option(min=0, metavar="GB", help="The size of one version.")
    ] = 0.1,
) -> None:
    """Estimate dollars per month from a small table of prices; asks nobody."""
    from pointsman_infra import prices

    usage = prices.Usage(stored, instances, downloads, model_size)
    table = {name.value: each for name, each in prices.TABLE.items()}
    table["railway"] = prices.RAILWAY
    chosen = {name: each for name, each in table.items() if provider in {"", name}}
    if not chosen:
        from pointsman_cli.errors import UsageError

        raise UsageError(f"no prices are known of {provider!r}", f"Known: {', '.join(table)}.")
    estimates = {name: prices.monthly(each, usage) for name, each in chosen.items()}
    context.output.result({"as_of": prices.AS_OF, "dollars_per_month": estimates})
    columns = ["provider", "storage", "polling", "heartbeats", "egress", "total", ""]
    rows = [
        [name, *(f"{value:.2f}" for value in parts.values()), chosen[name].note]
        for name, parts in estimates.items()
    ]
    context.output.table(columns, rows)
    context.output.step(f"US dollars per month, list prices of {prices.AS_OF}, no free allowances")


def _findings(context: Context, work: "Provisioning") -> "list[Finding]":
    """Collect findings, told as they come: first of the tools, then of the store."""
    found = []
    for finding in _all(work):
        found.append(finding)
        if finding.good:
            context.output.success(f"{finding.question}: {finding.answer}")
        else:
            context.output.warn(f"{finding.question}: {finding.answer}. {finding.fix}")
    return found


def _all(work: "Provisioning") -> Any:
    from pointsman.errors import PointsmanError
    from pointsman_infra import doctor as examination
    from pointsman_infra.doctor import Finding

    try:
        version = work.stack.version
        where = work.backend.url or work.backend.source
        yield Finding("pulumi", good=True, answer=version)
        yield Finding("state", good=True, answer=f"{where}, by {work.backend.source}")
        handed = work.stack.outputs()
    except PointsmanError as error:
        yield Finding("the stack can be read", good=False, answer=error.message, fix=error.hint)
        return
    yield Finding("stack", good=True, answer=f"{work.name} hands over {handed.store}")
    yield from examination.examine(handed)
