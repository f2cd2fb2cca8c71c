"""The demo: three runs on the sandbox with time moved on between them, told as a story."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
import requests

from connector.destinations.local import LocalCrm
from connector.errors import UsageError
from connector.house import Wish
from connector.output import tell
from connector.policy_sign import write_signed
from connector.report import Report
from connector.summary import tell_report
from connector.sync import sync
from connector.transport import SystemClock
from connector.wiring import opened

QUICK: Final = (100, 30_000, 5)
"""Calls a second, a day, authentications an hour: faster than Act-On, so that nobody waits."""


class SimulatedClock(SystemClock):
    """The machine's clock moved to the sandbox's time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._skew = timedelta()
        self.adjust()

    def adjust(self) -> None:
        """Asks the sandbox what time it is."""
        told = requests.get(f"{self._url}/_sandbox/now", timeout=10).json()["now"]
        self._skew = datetime.fromisoformat(told) - super().now()

    def now(self) -> datetime:
        """Returns the sandbox's instant."""
        return super().now() + self._skew


def show(contacts: int, folder: Path | None) -> None:
    """Runs the story and leaves the files where it says."""
    try:
        from connector.sandbox import config_files, serve  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise UsageError("the demo needs the extra [sandbox]") from error
    place = folder or Path(tempfile.mkdtemp(prefix="acton-connector-demo-"))
    if folder is not None and (folder / "state.db").exists():
        shutil.rmtree(folder)
    with serve(contacts=contacts, seed=7, limits=QUICK) as server:
        files = config_files(server.url)
        files["connector.toml"] += "\n[limits]\nper_second = 50\n"
        write_signed(place, files, datetime.now(UTC).date())
        config = str(place / "connector.toml")
        clock = SimulatedClock(server.url)
        _first(config, clock)
        _move(server.url, clock, days=3)
        second = _run(config, clock, "2", "People answered, browsed, and asked for a demo")
        crm = LocalCrm("crm", place / "crm.db")
        tell(f"  {second.actions.get('release', 0)} held people were released: their yes is there.")
        who = next(row["email"] for row in crm.leads() if row["gate_email"] == "1")
        _act(server.url, "optout", who)
        third = _run(config, clock, "3", f"{_masked(who)} opted out at Act-On a moment ago")
        taken = next(row for row in crm.leads() if row["email"] == who)
        tell(f"  Taken back in the CRM: {taken['gate_says']}")
        tell_report(third)
        count = crm.export_csv(place / "leads.csv")
    tell("")
    tell(f"Where the files are: {place}")
    tell(f"  leads.csv ({count} leads with proof), state.db (decisions, log), policy.toml (signed)")
    tell(f"Ask why:  acton-connector --config {config} explain {who}")
    tell(f"Check it: acton-connector --config {config} audit verify")


def _first(config: str, clock: SimulatedClock) -> None:
    report = _run(config, clock, "1", "A first sync, approved by a person")
    tell_report(report)
    tell(f"  {report.actions.get('push', 0)} leads went to Sales, each with its proof.")
    for piece, people in list(report.freed_by.items())[:1]:
        tell(f"  One piece would free most of those held: {piece} ({people} people).")


def _run(config: str, clock: SimulatedClock, number: str, title: str) -> Report:
    tell("")
    tell(f"== Run {number}. {title} ==")
    clock.adjust()
    with opened(config, writes=True, clock=clock) as house:
        return sync(house, Wish(f"demo-{number}", apply=True, approve=True))


def _move(url: str, clock: SimulatedClock, *, days: int) -> None:
    requests.post(f"{url}/_sandbox/advance", json={"days": days}, timeout=60).raise_for_status()
    clock.adjust()
    tell("")
    click.echo(f"-- {days} days go by --")


def _act(url: str, what: str, email: str) -> None:
    body = {"do": what, "email": email}
    requests.post(f"{url}/_sandbox/act", json=body, timeout=10).raise_for_status()


def _masked(email: str) -> str:
    return email[:2] + "***@" + email.partition("@")[2]
