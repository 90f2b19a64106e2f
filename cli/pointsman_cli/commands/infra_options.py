"""Options that the `infra` commands share, and what they come to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman_cli.context import Context

if TYPE_CHECKING:
    from pointsman_cli.provisioning import Provisioning
    from pointsman_infra.outputs import Role

ProviderName = Annotated[
    str,
    typer.Option(
        "--provider", metavar="NAME", help="aws, r2, compatible or existing; else of [infra]."
    ),
]
Bucket = Annotated[str, typer.Option("--bucket", metavar="NAME", help="The bucket's name.")]
Region = Annotated[str, typer.Option("--region", metavar="NAME", help="E.g. eu-central-1.")]
Endpoint = Annotated[str, typer.Option("--endpoint", metavar="URL", help="An S3 server's URL.")]
StackName = Annotated[
    str, typer.Option("--stack", "-s", metavar="NAME", help="The stack; default: production.")
]
Backend = Annotated[
    str,
    typer.Option(
        "--backend", metavar="URL", help="Where the state is kept, as `pulumi login` takes it."
    ),
]
InstallCli = Annotated[
    bool, typer.Option("--install-cli", help="Fetch `pulumi` by its own installer, if missing.")
]
RoleName = Annotated[
    str, typer.Option("--role", metavar="NAME", help="publisher or runtime; default: both.")
]


def provisioning(
    context: Context,
    stack: str,
    backend: str,
    settings: Mapping[str, str] | None = None,
    *,
    install_cli: bool = False,
) -> "Provisioning":
    """Return what the options and the file come to."""
    from pointsman_cli.provisioning import Asked, Provisioning

    asked = Asked(stack, backend, settings or {}, install_cli)
    return Provisioning(context.configured, context.output, asked)


def roles(name: str) -> "list[Role]":
    """Read `--role`; raises `UsageError` for a role that is none."""
    from pointsman_cli.errors import UsageError
    from pointsman_infra.outputs import Role

    try:
        return [Role(name)] if name else list(Role)
    except ValueError:
        raise UsageError(f"there is no role {name!r}", "There are publisher and runtime.") from None
