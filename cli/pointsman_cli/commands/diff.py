"""`models diff`: what changes for whom, when one version takes another's place."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman_cli.context import Context, with_context
from pointsman_cli.units import counted, duration, size

if TYPE_CHECKING:
    from pointsman.comparison import Candidate, Comparison, Runs
    from pointsman.diff import Difference
    from pointsman.manifest import Version


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("diff", epilog="Example: pointsman models diff v1 v2")(diff)


@with_context
def diff(
    context: Context,
    before: Annotated[str, typer.Argument(metavar="VERSION", help="A version.")],
    after: Annotated[str, typer.Argument(metavar="OTHER", help="Another version.")],
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Compare manifests only; fetch nothing.")
    ] = False,
) -> None:
    """Compare two versions: what they are made of, and what they compute.

    Both are run on the golden set of the first, or of the second where the first has none.
    """
    from pointsman import comparison
    from pointsman import diff as rules

    first, second = (context.registry.version(context.model, name) for name in (before, after))
    reason = comparison.not_runnable(first.manifest, second.manifest)
    if no_run or reason:
        facts = tuple(rules.facts(first.manifest, second.manifest))
        compared = comparison.Comparison(facts, None, reason or "--no-run")
    else:
        compared = _run(context, first, second)
    context.output.result(_document(context.model, before, after, compared))
    _tell(context, before, after, compared)


def _run(context: Context, before: "Version", after: "Version") -> "Comparison":
    import tempfile
    from pathlib import Path

    from pointsman import comparison

    context.output.step("fetching both")
    first, second = _candidate(context, before), _candidate(context, after)
    context.output.step("running both on the golden set")
    with tempfile.TemporaryDirectory(prefix="pointsman-") as scratch:
        return comparison.compare(first, second, Path(scratch))


def _candidate(context: Context, version: "Version") -> "Candidate":
    """Fetch a version's files through the project's cache."""
    from pointsman.cache import Cache
    from pointsman.comparison import Candidate

    cache = Cache(context.project.state / "cache")
    name = version.manifest.version
    with context.output.transfer() as transfer:
        transfer.expect(name, version.manifest.size)
        directory = cache.fetch(
            context.registry.store, version, lambda count: transfer.advance(name, count)
        )
    return Candidate(version, directory)


def _tell(context: Context, before: str, after: str, compared: "Comparison") -> None:
    output, runs = context.output, compared.runs
    rows = [[each.kind, each.name, *map(_text(each), _sides(each))] for each in compared.facts]
    if not rows:
        output.step(f"{before} and {after} are made of the same")
    if runs is not None:
        given = f"{counted(runs.rows, 'golden row')} of {runs.golden_of}"
        rows.append(["latency", given, *map(duration, runs.seconds)])
    if rows:
        output.table(["what", "name", before, after], rows)
    if runs is None:
        output.step(f"not run: {compared.not_run}")
    else:
        columns = ["output", "largest difference", "top-1 agreement", "note"]
        output.table(columns, _output_rows(runs))


def _sides(difference: "Difference") -> tuple[Any, Any]:
    return difference.before, difference.after


def _text(difference: "Difference") -> Any:
    def text(value: Any) -> str:
        if value is None:
            return "-"
        if difference.kind == "size":
            return size(value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    return text


def _output_rows(runs: "Runs") -> list[list[str]]:
    return [
        [
            each.name,
            "-" if each.largest is None else f"{each.largest:.3g}",
            "-" if each.agreement is None else f"{each.agreement:.1%}",
            each.note,
        ]
        for each in runs.outputs
    ]


def _document(model: str, before: str, after: str, compared: "Comparison") -> dict[str, Any]:
    from dataclasses import asdict

    runs = compared.runs
    return {
        "model": model,
        "from": before,
        "to": after,
        "differences": [asdict(each) for each in compared.facts],
        "runs": runs
        and {
            "golden_of": runs.golden_of,
            "rows": runs.rows,
            "seconds": dict(zip(("from", "to"), runs.seconds, strict=True)),
            "outputs": [asdict(each) for each in runs.outputs],
        },
        "not_run": compared.not_run,
    }
