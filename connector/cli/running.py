"""``sync``: see what a run would do, or do it."""

import secrets
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connector.report import Report

NOT_ASKED = "-"
THIS = "this"


@click.command()
@click.option("--apply", is_flag=True, help="Carry the plan out; without it nothing is written.")
@click.option(
    "--approve", is_flag=False, flag_value=THIS, default=NOT_ASKED,
    help="With --apply: approve this plan. Alone, with RUN: release the plan that was stopped.",
)  # fmt: skip
@click.option("--only", default="", help="Only this address; '-' reads it from standard input.")
@click.option("--full", is_flag=True, help="Read everything afresh (every run does so now).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def sync(
    context: click.Context, *, apply: bool, approve: str, only: str, full: bool, as_json: bool
) -> int:
    """Read Act-On, decide on everyone, and show the plan; --apply carries it out."""
    from connector.consent.keys import narrow_key  # noqa: PLC0415  # commands start fast
    from connector.house import Wish  # noqa: PLC0415  # see above
    from connector.sync import approve as release  # noqa: PLC0415  # see above
    from connector.sync import sync as run_once  # noqa: PLC0415  # see above
    from connector.wiring import opened  # noqa: PLC0415  # see above

    del full  # whole lists are read in every run; the option is kept for cron lines
    release_run = approve not in {NOT_ASKED, THIS}
    with opened(context.obj, writes=apply or release_run) as house, _progress():
        name = f"{house.clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        if release_run:
            report = release(house, approve, name)
        else:
            address = sys.stdin.readline().strip() if only == "-" else only
            key = narrow_key(address) or "" if address else ""
            if address and not key:
                raise click.UsageError("--only needs a bare e-mail address")
            wish = Wish(name, apply=apply, approve=approve == THIS, only=key)
            report = run_once(house, wish)
    _tell(report, as_json=as_json)
    return report.exit


def _progress() -> AbstractContextManager[object]:
    """Shows that work goes on, where a person looks."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415  # only where a person looks

    return Console(stderr=True).status("Reading Act-On, deciding, writing")


def _tell(report: "Report", *, as_json: bool) -> None:
    from connector.output import tell_json  # noqa: PLC0415  # commands start fast
    from connector.summary import tell_report  # noqa: PLC0415  # see above

    if as_json:
        tell_json(report.as_json())
    elif sys.stdout.isatty() or not report.applied or report.exit:
        tell_report(report)
