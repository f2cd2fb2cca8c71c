"""The command line: gathers arguments, calls one errand, renders what comes back.

Each command imports its work when it runs, so that ``--help`` and a cron tick start fast.
"""

import logging
import sys
import traceback
from typing import Final

import click

from connector.cli.account import auth, doctor
from connector.cli.policies import policy
from connector.cli.records import audit, explain, export, status
from connector.cli.running import sync
from connector.cli.trying import demo, sandbox
from connector.errors import ConnectorError, LockHeld
from connector.output import log_to, tell_error

BUG: Final = 70
INTERRUPTED: Final = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="acton-consent-connector")
@click.option(
    "--config", "-c", type=click.Path(), help="connector.toml (or ACTON_CONNECTOR_CONFIG)."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Of logs.")
@click.option("--verbose", "-v", is_flag=True, help="Say what happens meanwhile.")
@click.pass_context
def cli(context: click.Context, config: str | None, log_format: str, *, verbose: bool) -> None:
    """Hands contacts that score high in Act-On to the CRM only with proof of consent."""
    context.obj = config
    log_to(log_format, logging.INFO if verbose else logging.WARNING)


for command in (sync, explain, status, policy, auth, doctor, audit, export, sandbox, demo):
    cli.add_command(command)


def main() -> None:
    """Runs the command line; every way to fail has its own exit code (see ``errors``)."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except ConnectorError as error:
        quiet = isinstance(error, LockHeld) and not error.stale and not sys.stderr.isatty()
        if not quiet:
            tell_error(error)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception:  # noqa: BLE001  # the last door: a bug must not look like a result
        traceback.print_exc()
        click.echo("This is a bug in acton-connector: please report the lines above.", err=True)
        sys.exit(BUG)
