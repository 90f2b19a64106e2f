"""`commands.md`: every command, in the order and in the words of `--help`."""

from collections.abc import Iterator, Sequence

from docs.reference.markdown import code, page, prose, table
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from pointsman_cli.application import app

_INTRODUCTION = """\
What `pointsman --help` and `pointsman COMMAND --help` say, on one page; `make docs` writes it from
the code. What the options leave open is said by [pointsman.toml](settings.md#pointsmantoml), and
what a command ends with by its [exit code](exit-codes.md)."""
Record = tuple[str, str]
"""A parameter as it is typed, and what it does."""


def written() -> str:
    """Return the page."""
    command = get_command(app)
    root = Context(command, info_name="pointsman", **command.context_settings)
    each = list(_descendants(root))
    everywhere = _shared(each)
    alone = [record for record in _records(root, "option") if record not in everywhere]
    return page(
        "# Commands",
        _INTRODUCTION,
        table(("command", "what it does"), map(_entry, each)),
        "## Options of every command",
        _parameters("option", everywhere),
        "`pointsman` itself has these:",
        _parameters("option", alone),
        *(_chapter(context, everywhere) for context in each),
    )


def _descendants(context: Context) -> Iterator[Context]:
    """Yield a context for every command below this one, each group before what is in it."""
    group = context.command
    if isinstance(group, TyperGroup):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command and not command.hidden:
                below = Context(command, info_name=name, parent=context)
                yield below
                yield from _descendants(below)


def _shared(contexts: Sequence[Context]) -> list[Record]:
    """Return the options that all commands have, and which need to be told only once."""
    commands = [each for each in contexts if not isinstance(each.command, TyperGroup)]
    first, *others = (_records(each, "option") for each in commands)
    return [record for record in first if all(record in other for other in others)]


def _records(context: Context, kind: str) -> list[Record]:
    """Return the command's options or arguments as `--help` tells them."""
    parameters = context.command.get_params(context)
    told = [each.get_help_record(context) for each in parameters if each.param_type_name == kind]
    return [record for record in told if record]


def _entry(context: Context) -> Record:
    path = context.command_path.removeprefix("pointsman ")
    anchor = context.command_path.replace(" ", "-")
    return f"[`{path}`](#{anchor})", prose(_paragraphs(context)[0])


def _chapter(context: Context, everywhere: Sequence[Record]) -> str:
    """Return all that there is to say of one command, or what a group is for."""
    depth = context.command_path.count(" ") + 1
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    own = [record for record in _records(context, "option") if record not in everywhere]
    return page(
        f"{'#' * depth} {context.command_path}",
        *map(prose, _paragraphs(context)),
        f"```\n{usage}\n```",
        _parameters("argument", _records(context, "argument")),
        _parameters("option", own),
        _example(context.command.epilog or ""),
    ).rstrip()


def _paragraphs(context: Context) -> list[str]:
    return (context.command.help or "").split("\n\n")


def _parameters(kind: str, records: Sequence[Record]) -> str:
    if not records:
        return ""
    return table((kind, ""), ((code(typed), prose(told)) for typed, told in records))


def _example(epilog: str) -> str:
    """Return what stands below a command's options, what is to be typed as code."""
    said, colon, typed = epilog.partition(": ")
    return f"{said}{colon}{code(typed)}"
