"""`keys new`: what signing needs."""

from pathlib import Path
from typing import Annotated

import typer

from pointsman_cli.context import Context, with_context

_DEFAULT = Path("pointsman.key")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("new", epilog="Example: pointsman keys new --out ~/.pointsman/release.key")(new)
    group.command("public")(public)
    app.add_typer(group, name="keys", help="Keys that sign versions and channels.")


@with_context
def new(
    context: Context,
    out: Annotated[Path, typer.Option(help="Where the private key goes.")] = _DEFAULT,
) -> None:
    """Make a key pair: a private key in a file for you alone, and the public key to hand out."""
    from pointsman.signing.keypair import SigningKey

    key = SigningKey.generate()
    key.save(out)
    context.output.success(f"the private key is in {out}: keep it secret, and keep it")
    context.output.step(
        "Services that get the public key as POINTSMAN_PUBLIC_KEYS serve only what it signed:"
    )
    _tell(context, out, str(key.public), key.public.id)


@with_context
def public(
    context: Context,
    key_file: Annotated[Path, typer.Argument(help="A private key's file.")] = _DEFAULT,
) -> None:
    """Print the public key that belongs to a private one."""
    from pointsman.signing.keypair import SigningKey

    key = SigningKey.load(key_file).public
    _tell(context, key_file, str(key), key.id)


def _tell(context: Context, path: Path, public_key: str, key_id: str) -> None:
    context.output.result({"private_key": str(path), "public_key": public_key, "id": key_id})
    context.output.data(public_key)
