"""A change as one line of JSON and back: what a spooled and a kept plan consist of.

JSON and not pickle: a kept plan is read again later, and reading must not be able to run code.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from connector.errors import StateError
from connector.model import Action, Kind, PersonId
from connector.store.payload import decode, encode
from connector.store.rows import (
    Change,
    Cursor,
    Decided,
    Dropped,
    FeedRead,
    LeadState,
    Logged,
    Person,
    Planned,
    Run,
    Tombstone,
    columns,
    instant,
    json_text,
    micros,
    row_of,
)

_ROWS: Final[Mapping[str, type[Change]]] = {
    kind.__name__: kind
    for kind in (Person, LeadState, Dropped, Decided, Logged, Tombstone, FeedRead, Cursor, Run)
}


def write(change: Change) -> tuple[str, str]:
    """Returns the name of a change's type and its JSON; a person's leads are not part of it."""
    if isinstance(change, Planned):
        return "Planned", json_text(_columns(change))
    return type(change).__name__, json_text(columns(change))


def read(name: str, text: str) -> Change:
    """Returns the change that :func:`write` wrote; raises StateError for anything else."""
    try:
        stored = json.loads(text)
        return _planned(stored) if name == "Planned" else row_of(_ROWS[name], stored)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise StateError(
            "a spooled plan holds what this version does not write",
            hint="run sync again for a new plan",
        ) from None


def _columns(planned: Planned) -> dict[str, Any]:
    action = planned.action
    return {
        "kind": action.kind,
        "person": action.person,
        "destination": action.destination,
        "code": action.code,
        "episode": action.episode,
        "payload": encode(action.payload),
        "run": planned.run,
        "at": micros(planned.at),
    }


def _planned(stored: Mapping[str, Any]) -> Planned:
    action = Action(
        kind=Kind(stored["kind"]),
        person=PersonId(stored["person"]),
        destination=stored["destination"],
        code=stored["code"],
        episode=stored["episode"],
        payload=decode(stored["payload"]),
    )
    return Planned(action, stored["run"], instant(stored["at"]))
