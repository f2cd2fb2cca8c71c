"""What is kept of a person whom we watch, hold or pushed, and how it is read again.

A snapshot holds the rows as they were decided on, so that a withdrawal can be judged before the
contacts are read again and ``explain`` can show what was seen. The score is never in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connector.consent.decision import Decision
from connector.consent.reasons import Code
from connector.consent.times import when
from connector.consent.values import STATEMENT, Truth, text_of, truth, word
from connector.model import (
    Cell,
    Channel,
    CrmState,
    Interval,
    Outcome,
    Row,
    Suppression,
)

CONTACT_FIELDS: Final = ("first_name", "last_name", "company", "job_title", "phone", "country")
"""Contact fields that a lead may carry; the score is not among them."""
SCORE: Final = "score"


def is_score(field: str) -> bool:
    """Says whether a field is a score, which is kept as a band only (Art. 5(1)(c))."""
    return field == SCORE or field.startswith(f"{SCORE}.")


def snapshot(
    rows: Iterable[Row],
    listed: Iterable[Suppression],
    crm: Mapping[str, CrmState],
    read_at: datetime,
) -> dict[str, Any]:
    """Returns what was seen, as JSON; EMPTY cells and scores are left out."""
    return {
        "read_at": read_at.isoformat(),
        "rows": [
            {
                "source": row.source,
                "contact_id": row.contact_id,
                "cells": {
                    name: _stored(cell)
                    for name, cell in sorted(row.cells.items())
                    if not is_score(name)
                },
            }
            for row in rows
        ],
        "listed": sorted([entry.feed.value, entry.category, text_of(entry.at)] for entry in listed),
        "crm": {name: sorted(state.flags) for name, state in sorted(crm.items()) if state.flags},
    }


def _stored(cell: Cell) -> Any:
    if isinstance(cell, Interval):
        return {"from": cell.earliest.isoformat(), "to": cell.latest.isoformat()}
    return cell


def _read(cell: Any) -> Cell:
    if isinstance(cell, dict):
        return Interval(datetime.fromisoformat(cell["from"]), datetime.fromisoformat(cell["to"]))
    return cell  # type: ignore[no-any-return]  # JSON scalars are cells


def rows_in(kept: Mapping[str, Any] | None) -> tuple[Row, ...]:
    """Returns the rows of a snapshot."""
    return tuple(
        Row(row["source"], row["contact_id"], {n: _read(c) for n, c in row["cells"].items()})
        for row in (kept or {}).get("rows", ())
    )


def inputs_in(kept: Mapping[str, Any] | None) -> list[tuple[str, str, str, str]]:
    """Returns (field, value, source, read at) of everything that a snapshot shows."""
    if not kept:
        return []
    at = kept["read_at"]
    seen = [
        (name, text_of(cell), row.source, at)
        for row in rows_in(kept)
        for name, cell in row.cells.items()
        if word(cell)
    ]
    seen += [
        (feed, stamp or "listed", category or feed, at) for feed, category, stamp in kept["listed"]
    ]
    seen += [(flag, "set", name, at) for name, flags in kept["crm"].items() for flag in flags]
    return seen


def same_inputs(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Says whether two snapshots show the same; when they were taken does not matter."""
    return all((one or {}).get(key) == (other or {}).get(key) for key in ("rows", "listed", "crm"))


def contact_fields(rows: Sequence[Row]) -> dict[str, str]:
    """Takes each contact field from the first row that has it, in the order of the sources."""
    found = {}
    for name in CONTACT_FIELDS:
        texts = (text_of(row.cells.get(name)).strip() for row in rows)
        found[name] = next((text for text in texts if text), "")
    return {name: text for name, text in found.items() if text}


def ever_stated(rows: Iterable[Row]) -> bool:
    """Says whether a row says yes or no: then no other legal basis may follow."""
    return any(truth(row.cells.get(f"consent_{c}")) in STATEMENT for row in rows for c in Channel)


def yeses_seen(before: Mapping[str, str | None], rows: Iterable[Row]) -> dict[str, str | None]:
    """Remembers which source said yes for which channel, and when (``channel@source``)."""
    seen = dict(before)
    for row in rows:
        for channel in Channel:
            if truth(row.cells.get(f"consent_{channel}")) is Truth.YES:
                at = when(row.cells.get("consent_ts"))
                given = at.earliest.isoformat() if isinstance(at, Interval) else None
                seen[f"{channel}@{row.source}"] = given
    return seen


def yeses_replaced(
    before: Mapping[str, str | None], rows: Sequence[Row]
) -> dict[Channel, datetime | None]:
    """Returns the yeses on record whose source says yes no more: a box unticked there since is a
    withdrawal (rule 1.4). A yes that still stands beside an unticked box is no such thing."""
    found: dict[Channel, datetime | None] = {}
    for key, at in before.items():
        channel, _, source = key.partition("@")
        stands = any(
            row.source == source and truth(row.cells.get(f"consent_{channel}")) is Truth.YES
            for row in rows
        )
        if not stands:
            found[Channel(channel)] = None if at is None else datetime.fromisoformat(at)
    return found


def proof_of(decision: Decision, at: datetime, run: str) -> dict[str, str]:
    """Returns the proof that travels with a lead: ground, notice, source, evidence, policy."""
    if decision.outcome is not Outcome.PUSH:
        return {}
    ground = decision.grounds[0]
    asked = ground.code is Code.OK_REQUESTED
    relaxed = decision.also if ground.code is Code.OK_RELAXED else ()
    proof = {
        "ground": " + ".join(dict.fromkeys(g.code.value for g in decision.grounds)),
        "given_at": text_of(ground.cell("request_ts" if asked else "consent_ts")),
        "notice_version": ground.notice,
        "consent_source": ground.source,
        "consent_method": ground.method,
        "evidence_ref": ground.source if asked else text_of(ground.cell("evidence_ref")),
        "relaxed": " ".join(relaxed),
        "checked_at": at.isoformat(),
        "recheck_due": "" if decision.look_again_at is None else decision.look_again_at.isoformat(),
        "policy": f"{decision.policy_version} {decision.policy_hash}",
        "decision_run": run,
    }
    return {name: text for name, text in proof.items() if text}
