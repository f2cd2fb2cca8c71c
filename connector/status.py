"""How it stands: the last run, what waits, who is held for what and since when."""

from dataclasses import dataclass
from datetime import datetime

from connector.model import Band, Outcome, PersonId
from connector.store.rows import Run
from connector.store.state import Store


@dataclass(frozen=True, slots=True)
class Held:
    """One qualified person who waits for permission."""

    person: PersonId
    code: str
    since: datetime | None
    reperm_state: str


@dataclass(frozen=True, slots=True)
class Status:
    """The state in numbers."""

    tracked: int
    pushed: int
    held: tuple[Held, ...]
    unfinished: dict[str, int]
    last: Run | None


def status(store: Store) -> Status:
    """Reads how it stands."""
    tracked = pushed = 0
    held = []
    for person in store.tracked():
        tracked += 1
        pushed += any(lead.status == "pushed" for lead in person.leads)
        if person.band is Band.QUALIFIED and person.outcome in {Outcome.HOLD, Outcome.REVIEW}:
            since = person.qualified_on
            held.append(Held(person.id, person.code, since, person.reperm_state))
    runs = store.runs(1)
    return Status(tracked, pushed, tuple(held), store.unfinished(), runs[0] if runs else None)
