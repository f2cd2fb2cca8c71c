"""Explaining decisions from the state alone, to Sales, to the person, to a regulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.consent.keys import narrow_key
from connector.consent.reasons import REASONS, Code
from connector.consent.sentences import explain_codes, what_next
from connector.errors import UsageError
from connector.identity import Pseudonyms
from connector.model import Outcome
from connector.remembering import inputs_in
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
    codes = tuple(Code(code) for code in (decided.code, *decided.also))
    lacks = (decided.evidence or {}).get("lacks", ())
    says, law, lifted = explain_codes(decided.outcome, codes, lacks)
    route = None if decided.outcome is Outcome.PUSH else decided.route
    at = decided.look_again_at
    document = {
        "run": decided.run,
        "at": decided.at.isoformat(),
        "outcome": decided.outcome.value,
        "code": decided.code,
        "also": list(decided.also),
        "route": None if route is None else route.value,
        "channels": [channel.value for channel in decided.channels],
        "policy": {"version": decided.policy_version, "hash": decided.policy_hash},
        "rules": [REASONS[code].number for code in codes],
        "inputs": [
            {
                "field": field,
                "column": headings.get((source, field), field),
                "value": value,
                "source": source,
                "read_at": read_at,
            }
            for field, value, source, read_at in inputs_in(decided.evidence)
        ],
        "says": list(says),
        "law": list(law),
        "lifted_by": list(lifted),
        "next": {
            "what": what_next(decided.outcome, route, decided.channels, at),
            "at": None if at is None else at.isoformat(),
        },
    }
    return Explained(decided.run, decided.at.isoformat(), decided.outcome.value, document)
