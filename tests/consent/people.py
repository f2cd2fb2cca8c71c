"""Made-up people for the tests of the engine: base rows and whatever a test changes in them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import CrmFlags, Evidence, History, Suppressions
from connector.consent.facts import Facts, facts_of
from connector.consent.policy import Policy
from connector.consent.times import when
from connector.model import Cell, Feed, Interval, Row, Suppression
from connector.policy_file import load_policy
from connector.policy_trial import read_cases

HERE = Path(__file__).parent.parent / "consent_cases"
CASES = tuple(read_cases(HERE / "cases.csv"))
T0 = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When the base people are judged; their consent is of 10 March 2026, 09:30 UTC."""
GIVEN = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

WHO = {
    "GB": ("ann.lee@contoso.example", "+442079460000"),
    "DE": ("jan.weber@muster.example", "+493012345678"),
    "AT": ("eva.huber@muster-at.example", "+4315550100"),
    "FR": ("chloe.martin@exemple.example", "+33155501000"),
    "IT": ("luca.rossi@esempio.example", ""),
    "ES": ("ana.gil@ejemplo.example", ""),
    "US": ("bob.ray@widgets.example", "+12025550100"),
    "CA": ("joe.roy@maple.example", "+16135550100"),
    "AU": ("kim.tan@outback.example", ""),
    "": ("who.knows@nowhere.example", "+442079460000"),
}
GIVEN_YES: Mapping[str, Cell] = {
    "subscriber_type": "",
    "consent_email": "Yes",
    "consent_phone": "",
    "consent_ts": "2026-03-10T09:30:00Z",
    "consent_source": "web_form",
    "consent_method": "unticked_checkbox",
    "evidence_ref": "form:q-0002/sub:81723",
    "notice_version": "PN-2024-03",
    "doi_ts": "2026-03-10T09:41:12Z",
    "tracking_consent": "Yes",
}


class Absent:
    """The type of the mark for a cell whose column is not there."""


ABSENT = Absent()


def row(country: str = "GB", /, source: str = "l-0001", **changes: Cell | Absent) -> Row:
    """Returns the fully valid row of a country's base person with some cells changed."""
    email, phone = WHO[country]
    cells = {"email": email, "country": country, "phone": phone, **GIVEN_YES, **changes}
    return Row(source, "1", {k: v for k, v in cells.items() if not isinstance(v, Absent)})


def silent(country: str = "GB", /, source: str = "l-0001", **changes: Cell | Absent) -> Row:
    """Returns a row of somebody who was informed and tracked by agreement but never said yes."""
    unsaid = {"consent_email": "", "consent_ts": "", "doi_ts": "", "evidence_ref": ""}
    return row(country, source=source, **{**unsaid, **changes})


def request(country: str = "GB", /, **changes: Cell | Absent) -> Row:
    """Returns a row of somebody who asked for a demonstration three days ago and said no more."""
    asked = {"request_form": "q-0101", "request_ts": "2026-11-20T10:00:00Z"}
    return silent(country, **{**asked, **changes})


def at(text: Cell) -> Interval:
    """Returns the interval that a timestamp stands for."""
    found = when(text)
    assert isinstance(found, Interval)
    return found


def entry(feed: Feed, when_: Cell = None, category: str = "", email: str = "") -> Suppression:
    """Returns an entry of a list that names the British base person unless told otherwise."""
    dated = None if when_ is None else at(when_)
    return Suppression(feed, email or WHO["GB"][0], dated, category)


@cache
def policy_of(name: str) -> Policy:
    """Returns a case policy."""
    return load_policy(HERE / "policies" / f"{name}.toml", today=date(2026, 11, 24)).policy


def ruled(name: str = "consent_only", **changes: Any) -> Policy:
    """Returns a case policy with some settings changed."""
    return replace(policy_of(name), **changes)


def evidence(
    *rows: Row,
    listed: Iterable[Suppression] = (),
    crm: CrmFlags | Mapping[str, Cell] | None = None,
    screening: Mapping[str, Cell] | None = None,
    history: History | None = None,
    now: datetime = T0,
) -> Evidence:
    """Returns what is known of the person of the first row; the lists are read at ``now``."""
    return Evidence(
        subject=str(rows[0].cells["email"]),
        rows=rows,
        suppressions=Suppressions(True, now, tuple(listed)),
        crm=crm if isinstance(crm, CrmFlags) else CrmFlags(crm or {}),
        screening=screening or {},
        history=history or History(),
    )


def decide(
    *rows: Row, policy: str | Policy = "consent_only", now: datetime = T0, **known: Any
) -> Decision:
    """Decides about the person of the first row."""
    rules = policy_of(policy) if isinstance(policy, str) else policy
    return evaluate(evidence(*rows, now=now, **known), rules, now)


def facts(
    *rows: Row, policy: str | Policy = "consent_only", now: datetime = T0, **known: Any
) -> Facts:
    """Returns the facts of the person of the first row."""
    rules = policy_of(policy) if isinstance(policy, str) else policy
    found = facts_of(evidence(*rows, now=now, **known), rules, now)
    assert found is not None
    return found
