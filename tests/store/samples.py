"""People, actions and changes as the tests of the store need them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connector.model import (
    ACTON,
    Action,
    Channel,
    Kind,
    KinId,
    Lead,
    OptOut,
    Outcome,
    Payload,
    Permission,
    PersonId,
    Recall,
    Receipt,
    Route,
    Tag,
)
from connector.store.rows import Change, Decided, LeadState, Logged, Person, Planned
from connector.store.state import Store

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ON = Permission((Channel.EMAIL, Channel.PHONE), "OK_CONSENT", "may be contacted", LATER)
OFF = Permission((), "OPTED_OUT", "opted out")
CRM = "crm"


def pid(number: int) -> PersonId:
    """Returns the pseudonym of a person."""
    return PersonId(f"{number:032x}")


def kid(number: int) -> KinId:
    """Returns the kin of a person, another text than the pseudonym."""
    return KinId(f"{number:032x}"[::-1])


def mail(number: int) -> str:
    """Returns the address of a person."""
    return f"p{number}@example.org"


def person(number: int, **more: object) -> Person:
    """Returns a person of whom hardly anything is known."""
    return Person(pid(number), kid(number), mail(number), **more)  # type: ignore[arg-type]  # any column


def lead(number: int, permission: Permission = ON) -> Lead:
    """Returns a lead with our external id ``e<number>``."""
    return Lead(f"e{number}", pid(number), mail(number), permission, {"first_name": "Ada"})


def action(kind: Kind, number: int, episode: int = 1, payload: Payload | None = None) -> Action:
    """Returns an action with a payload that fits its kind."""
    whom = (f"e{number}", pid(number), mail(number))
    fitting: dict[Kind, Payload] = {
        Kind.RECALL: Recall(*whom, OFF, NOW),
        Kind.OPTOUT: OptOut(*whom, ("DoNotCall",)),
        Kind.RELEASE: lead(number),
        Kind.PUSH: lead(number),
        Kind.TAG: Tag(pid(number), mail(number), "HOLD", "CONSENT_MISSING", "direct", "", NOW),
        Kind.UNTAG: Tag(pid(number), mail(number), "", "", "", "", NOW),
    }
    where = ACTON if kind in {Kind.TAG, Kind.UNTAG} else CRM
    return Action(kind, pid(number), where, "CODE", episode, payload or fitting[kind])


def planned(*actions: Action, run: str = "r1") -> Iterator[Planned]:
    """Yields actions as changes of one run."""
    return (Planned(one, run, NOW) for one in actions)


def decided(number: int, outcome: Outcome, run: str = "r1") -> Decided:
    """Returns a decision with evidence and proof."""
    return Decided(
        pid(number), run, NOW, outcome, "CODE", Route.NONE, evidence={"rows": [1]}, proof={"a": 1}
    )


def logged(number: int) -> Logged:
    """Returns a record for the log."""
    return Logged("PUSH", NOW, {"person": pid(number)}, bytes([number % 256]) * 16, pid(number))


def known(number: int) -> list[Change]:
    """Returns a person and a minted lead."""
    return [person(number), LeadState(pid(number), CRM, f"e{number}")]


def send(store: Store, *faults: Receipt) -> list[str]:
    """Sends all that is due and settles it; returns what was sent as ``kind number``."""
    by_id = {receipt.external_id: receipt for receipt in faults}
    sent = []
    for write in store.due_writes():
        if write.key in store.mark_sent([write.key], NOW):
            number = int(write.action.person, 16)
            done = Receipt(f"e{number}", record_id=f"rec{number}")
            store.settle({write.key: by_id.get(f"e{number}", done)}, LATER)
            sent.append(f"{write.action.kind} {number}")
    return sent


def push(store: Store, *numbers: int) -> None:
    """Makes people pushed."""
    for number in numbers:
        store.commit([*known(number), *planned(action(Kind.PUSH, number))])
    send(store)
