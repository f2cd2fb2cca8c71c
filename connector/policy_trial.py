"""Trying a policy on written cases: ``policy test`` needs no account, state or network.

A case is one row of a CSV file: rows, lists and state as JSON, the instant, and optionally what is
expected of the decision. Raises UsageError, with line and column, on a cell that cannot be read.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import (
    Asking,
    CrmFlags,
    Evidence,
    History,
    Suppressions,
    Tombstone,
)
from connector.consent.keys import broad_key, is_blank, narrow_key
from connector.consent.policy import Policy
from connector.consent.reasons import RANK, Code
from connector.consent.times import when
from connector.errors import UsageError
from connector.model import Channel, Feed, Interval, Outcome, Row, Suppression

FEEDS = {"optout": Feed.OPTOUT, "spam": Feed.SPAM, "hardbounce": Feed.HARDBOUNCE}
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One written case; ``expected`` holds only the columns that the file has."""

    id: str
    policy: str
    now: datetime
    evidence: Evidence
    expected: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a case; ``differs`` names what is not as expected, ``ok`` is None where
    nothing was compared."""

    case: Case
    decision: Decision
    differs: tuple[str, ...]

    @property
    def ok(self) -> bool | None:
        """True if all agrees, None if nothing was compared."""
        return None if not self.case.expected else not self.differs

    def as_json(self) -> dict[str, Any]:
        """Returns the row that ``policy test --json`` prints."""
        decision = self.decision
        at = decision.look_again_at
        return {
            "id": self.case.id,
            "decision": decision.outcome.value,
            "code": decision.code.value,
            "also": [code.value for code in decision.also],
            "route": None if decision.outcome is Outcome.PUSH else str(decision.route or "none"),
            "channels": [channel.value for channel in decision.channels],
            "look_again_at": None if at is None else at.isoformat().replace("+00:00", "Z"),
            "ok": self.ok,
        }


def read_cases(path: Path) -> Iterator[Case]:
    """Reads a file of cases in order."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            needed = {"policy", "now", "records"} - set(rows.fieldnames or ())
            if needed:
                raise UsageError(f"{path.name}: lacks the columns {', '.join(sorted(needed))}")
            for row in rows:
                yield _case(row, f"{path.name}:{rows.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from error


def judge_case(case: Case, policy: Policy) -> Verdict:
    """Decides a case under a policy and compares what the file expects."""
    decision = evaluate(case.evidence, policy, case.now)
    found = {
        "expected_decision": decision.outcome.value,
        "expected_code": decision.code.value,
        "expected_reperm": "-" if decision.route is None else decision.route.value,
        "expected_channels": "+".join(decision.channels) or "-",
    }
    differs = [
        f"{column.removeprefix('expected_')}: expected {wanted}, decided {found[column]}"
        for column, wanted in case.expected.items()
        if column in found and found[column] != wanted
    ]
    wanted_also = {c.strip() for c in case.expected.get("expected_also", "").split(";") if c}
    missing = wanted_also - {code.value for code in decision.also}
    if missing:
        differs.append(f"also: lacks {', '.join(sorted(missing, key=_place))}")
    return Verdict(case, decision, tuple(differs))


def _place(code: str) -> int:
    return RANK[Code(code)] if code in Code.__members__ else len(RANK)


def _case(row: dict[str, str | None], where: str) -> Case:
    now = when(row["now"])
    if not isinstance(now, Interval) or now.earliest != now.latest:
        raise UsageError(f"{where}: now must be an instant such as 2026-11-23T12:00:00Z")
    expected = {
        column: value.strip()
        for column, value in row.items()
        if column and column.startswith("expected_") and value and value.strip()
    }
    try:
        evidence = _evidence(
            _json(row.get("records") or "[]", list),
            _json(row.get("lists") or "{}", dict),
            _json(row.get("state") or "{}", dict),
            now.earliest,
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(f"{where}: a JSON cell does not fit: {error}") from error
    policy = (row["policy"] or "").strip()
    return Case((row.get("id") or where).strip(), policy, now.earliest, evidence, expected)


def _json(text: str, kind: type) -> Any:
    value = json.loads(text)
    if not isinstance(value, kind):
        raise TypeError(f"expected a JSON {kind.__name__}, found {type(value).__name__}")
    return value


def _evidence(records: list[Json], lists: Json, state: Json, now: datetime) -> Evidence:
    rows = tuple(_row(record, number) for number, record in enumerate(records))
    subject = next((str(r.cells["email"]) for r in rows if not is_blank(r.cells.get("email"))), "")
    crm = dict(state.get("crm") or {})
    ours = frozenset(str(flag) for flag in crm.pop("set_by_gate", None) or ())
    return Evidence(
        subject=subject,
        rows=rows,
        suppressions=_suppressions(lists, now),
        crm=CrmFlags(crm, ours),
        screening=dict(state.get("registry") or {}),
        history=_history(state, subject),
    )


def _row(record: Json, number: int) -> Row:
    for name, cell in record.items():
        if isinstance(cell, list | dict):
            raise TypeError(f"record {number + 1}: {name} must be a text, number, true or false")
    cells = {name: cell for name, cell in record.items() if name != "list"}
    return Row(str(record.get("list") or ""), str(number), cells)


def _suppressions(lists: Json, now: datetime) -> Suppressions:
    entries = [
        Suppression(feed, str(entry.get("email") or ""), _interval(entry.get("ts")))
        for name, feed in FEEDS.items()
        for entry in lists.get(name) or ()
    ]
    for category, listed in (lists.get("category_optout") or {}).items():
        entries += [
            Suppression(
                Feed.CATEGORY, str(e.get("email") or ""), _interval(e.get("ts")), str(category)
            )
            for e in listed
        ]
    fetched = when(lists["fetched_at"]) if "fetched_at" in lists else Interval(now, now)
    complete = lists.get("complete", True) is True
    read_at = fetched.earliest if isinstance(fetched, Interval) else None
    return Suppressions(complete, read_at, tuple(entries))


def _history(state: Json, subject: str) -> History:
    key = narrow_key(subject)
    stones = [
        Tombstone(str(stone.get("kind")), _interval(stone.get("ts")))
        for stone in state.get("tombstones") or ()
        if key is not None
        and (theirs := narrow_key(stone.get("email"))) is not None
        and broad_key(theirs) == broad_key(key)
    ]
    reperm = state.get("reperm") or {}
    asking = Asking(
        str(reperm.get("state") or ""),
        int(reperm.get("invites") or 0),
        _interval(reperm.get("last_invite")),
        _interval(reperm.get("ts")),
    )
    seen_yes: dict[Channel, datetime | None] = (
        dict.fromkeys(Channel) if state.get("seen_yes") else {}
    )
    return History(tuple(stones), asking, bool(state.get("seen_statement")), seen_yes)


def _interval(cell: Any) -> Interval | None:
    found = when(cell)
    return found if isinstance(found, Interval) else None
