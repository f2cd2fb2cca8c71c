"""``auth`` and ``doctor``: credentials, and whether everything is in place."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connector.config import Config


@click.group()
def auth() -> None:
    """Set, look up, try and remove credentials; secrets are never arguments."""


def _file(config: "Config") -> Path | None:
    name = config.tables.account.credentials_file
    return config.beside(name) if name else None


def _config(context: click.Context) -> "Config":
    from connector.config import find_config, load_config  # noqa: PLC0415  # commands start fast

    return load_config(find_config(context.obj))


@auth.command("set")
@click.argument("name", type=click.Choice(["acton"]))
def set_(name: str) -> None:
    """Keep credentials in the keyring: prompted for, or four lines on standard input."""
    from connector.credentials import FIELDS, Credentials, keep  # noqa: PLC0415  # see _config

    if sys.stdin.isatty():
        values = [click.prompt(field.replace("_", " "), hide_input=True) for field in FIELDS]
    else:
        values = [line.rstrip("\n") for line in sys.stdin.readlines()][: len(FIELDS)]
    if len(values) < len(FIELDS) or not all(values):
        raise click.UsageError(f"give {', '.join(FIELDS)}, one a line")
    where = keep(name, Credentials(*values))
    click.echo(f"{name}: kept in {where}")


@auth.command("status")
@click.argument("name", default="acton", type=click.Choice(["acton"]))
@click.pass_context
def status_(context: click.Context, name: str) -> None:
    """Say where credentials are found, never what they are."""
    from connector.credentials import find  # noqa: PLC0415  # see _config

    found = find(name, file=_file(_config(context)), environ=os.environ)
    click.echo(f"{name}: found in the {found.where}")


@auth.command("test")
@click.argument("name", default="acton", type=click.Choice(["acton"]))
@click.pass_context
def test_(context: click.Context, name: str) -> None:
    """Log in and ask whose account it is."""
    from connector.wiring import opened  # noqa: PLC0415  # see _config

    with opened(context.obj, writes=False) as house:
        account = house.acton.account()
        click.echo(f"{name}: account {account.id} {account.name}".rstrip())


@auth.command("remove")
@click.argument("name", type=click.Choice(["acton"]))
def remove_(name: str) -> None:
    """Take credentials out of the keyring."""
    from connector.credentials import remove  # noqa: PLC0415  # see _config

    click.echo(f"{name}: {remove(name)} fields removed from the keyring")


@click.command()
@click.option("--as-cron", is_flag=True, help="With the empty environment that cron gives.")
@click.option("--json", "as_json", is_flag=True, help="One object per check.")
@click.pass_context
def doctor(context: click.Context, *, as_cron: bool, as_json: bool) -> int:
    """Check configuration, policy, credentials, account, columns, destination, state and lock."""
    from connector.doctor import examine  # noqa: PLC0415  # see _config
    from connector.output import tell, tell_json  # noqa: PLC0415  # see _config

    lines = list(examine(context.obj, as_cron=as_cron))
    for line in lines:
        if as_json:
            tell_json(line._asdict())
        else:
            tell(f"{line.verdict:<5} {line.what}: {line.says}")
            if line.mend:
                tell(f"      next: {line.mend}")
    return int(any(line.verdict == "fail" for line in lines))
