"""Explaining decisions from the state alone, to Sales, to the person, to a regulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.consent.decision import Decision, Ground
from connector.consent.keys import narrow_key
from connector.consent.profiles import Profile
from connector.consent.reasons import REASONS, Code
from connector.consent.sentences import Input
from connector.consent.sentences import explain as explain_decision
from connector.consent.values import text_of
from connector.errors import UsageError
from connector.identity import Pseudonyms
from connector.model import Outcome, Row
from connector.remembering import inputs_in, rows_in
from connector.store.rows import Decided
from connector.store.state import Store


@dataclass(frozen=True, slots=True)
class Explained:
    """One decision in words and as JSON."""

    run: str
    at: str
    outcome: str
    document: dict[str, Any]


def explain(
    email: str, store: Store, names: Pseudonyms, headings: Mapping[tuple[str, str], str]
) -> list[Explained]:
    """Returns the decisions on a person, newest first; none where the person is not known.

    ``headings`` gives the column of a source's field.
    """
    key = narrow_key(email)
    if key is None:
        raise UsageError("give a bare e-mail address, or '-' to read it from standard input")
    return [_explained(decided, headings) for decided in store.decisions(names.person(key))]


def _explained(decided: Decided, headings: Mapping[tuple[str, str], str]) -> Explained:
    decision = decision_in(decided)
    inputs = [
        Input(field, headings.get((source, field), field), value, source, _instant(read_at))
        for field, value, source, read_at in inputs_in(decided.evidence)
    ]
    document = {
        "run": decided.run,
        "at": decided.at.isoformat(),
        "outcome": decided.outcome.value,
        "code": decided.code,
        "also": list(decided.also),
        "route": None if decision.route is None else decision.route.value,
        "channels": [channel.value for channel in decided.channels],
        "policy": {"version": decided.policy_version, "hash": decided.policy_hash},
        "rules": [REASONS[code].number for code in decision.codes],
        **explain_decision(decision, inputs).as_json(),
    }
    return Explained(decided.run, decided.at.isoformat(), decided.outcome.value, document)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def decision_in(decided: Decided) -> Decision:
    """Returns the decision as it was, with its main ground where the proof is kept."""
    kept = decided.evidence or {}
    push = decided.outcome is Outcome.PUSH
    return Decision(
        outcome=decided.outcome,
        code=Code(decided.code),
        also=tuple(Code(code) for code in decided.also),
        route=None if push else decided.route,
        channels=decided.channels,
        look_again_at=decided.look_again_at,
        profile=Profile(kept["profile"]) if kept.get("profile") else None,
        policy_version=decided.policy_version,
        policy_hash=decided.policy_hash,
        grounds=(_ground(decided),) if push else (),
        lacks=tuple(kept.get("lacks", ())),
    )


def _ground(decided: Decided) -> Ground:
    """Returns the main ground of a push: its row is the one that holds the proof."""
    proof = decided.proof or {}
    asked = decided.code == Code.OK_REQUESTED
    field = "request_ts" if asked else "consent_ts"
    rows = rows_in(decided.evidence) or (Row("", "", {}),)
    given = (row for row in rows if text_of(row.cells.get(field)) == proof.get("given_at", ""))
    return Ground(
        Code(decided.code),
        decided.channels,
        next(given, rows[0]),
        proof.get("evidence_ref" if asked else "consent_source", ""),
        proof.get("consent_method", ""),
        proof.get("notice_version", ""),
        decided.look_again_at,
    )
