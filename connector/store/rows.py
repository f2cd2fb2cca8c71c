"""The rows of the state as values, and how each becomes the columns of its table.

Instants are stored as whole microseconds since 1970 in UTC: exact, ordered, the same everywhere.
Lists and mappings are stored as JSON.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from connector.model import Action, Band, Channel, KinId, Outcome, PersonId, Route

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Returns whole microseconds since 1970; raises TypeError for an instant without a zone."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(stored: int) -> datetime:
    """Returns the aware UTC instant of :func:`micros`."""
    return _EPOCH + timedelta(microseconds=stored)


class LeadStatus(StrEnum):
    """Where a lead stands; from the moment a push is sent it counts as pushed."""

    PLANNED = "planned"
    PUSHED = "pushed"
    RECALLED = "recalled"


class WriteState(StrEnum):
    """Where an intended write stands; what was sent and not answered is settled by reading."""

    PLANNED = "planned"
    SENT = "sent"
    SETTLED = "settled"
    IN_DOUBT = "in_doubt"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LeadState:
    """One person in one destination. ``external_id`` is minted once and never changes.

    A commit inserts it or renews ``set_flags`` (native flags that we set without an act); all
    else follows from what was really sent and settled.
    """

    person: PersonId
    destination: str
    external_id: str
    record_id: str = ""
    episode: int = 1
    status: LeadStatus = LeadStatus.PLANNED
    channels: tuple[Channel, ...] = ()
    content_hash: str = ""
    changed_at: datetime | None = None
    set_flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept of a person who is watched, held, pushed or tagged.

    ``seen_yes`` maps a channel to the instant of the last known yes (ISO 8601, or None where it
    had none). ``tag`` and ``tagged_at`` tell what stands in Act-On: a commit does not write them,
    settling a tag does. ``leads`` is read with the person and committed apart.
    """

    id: PersonId
    kin: KinId
    email: str
    band: Band = Band.UNKNOWN
    band_since: datetime | None = None
    qualified_on: datetime | None = None
    permitted_on: datetime | None = None
    outcome: Outcome | None = None
    code: str = ""
    look_again_at: datetime | None = None
    fingerprint: str = ""
    evidence: Mapping[str, Any] | None = None
    reperm_state: str = ""
    invites: int = 0
    last_invite: datetime | None = None
    seen_statement: bool = False
    seen_yes: Mapping[str, str | None] = field(default_factory=dict)
    tag: Mapping[str, str] = field(default_factory=dict)
    tagged_at: datetime | None = None
    first_seen_run: str = ""
    last_seen_run: str = ""
    leads: tuple[LeadState, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A person of whom nothing needs to be kept any more; refused while a lead is out."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision in a person's history; an outcome that is no push cancels planned pushes."""

    person: PersonId
    run: str
    at: datetime
    outcome: Outcome
    code: str
    route: Route
    also: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    look_again_at: datetime | None = None
    policy_version: str = ""
    policy_hash: str = ""
    evidence: Mapping[str, Any] | None = None
    proof: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A record for the decision log; ``person`` lets it be erased, the salt is fresh chance."""

    what: str
    at: datetime
    record: Mapping[str, Any]
    salt: bytes
    person: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """An action for the outbox."""

    action: Action
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Write:
    """An action in the outbox that is not finished."""

    key: str
    action: Action
    content_hash: str
    state: WriteState
    attempts: int
    run: str
    planned_at: datetime
    act_at: datetime | None = None
    sent_at: datetime | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What keeps an erased person erased and an objection in force (rule 4.2)."""

    kin: KinId
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedRead:
    """When a feed was last read completely, and how many entries it had."""

    name: str
    count: int
    complete_at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading continues."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of ``sync``; ``exit`` is None while it runs, and after it was killed."""

    id: str
    started_at: datetime
    finished_at: datetime | None = None
    applied: bool = False
    exit: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


Change = (
    Person | LeadState | Dropped | Decided | Logged | Planned | Tombstone | FeedRead | Cursor | Run
)
"""What one commit may consist of."""


class Form(NamedTuple):
    """How a value is stored and read back."""

    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


def json_text(value: object) -> str:
    """Returns ASCII JSON with sorted keys: any text survives it, half characters and NUL too."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _or_none(form: Form) -> Form:
    return Form(
        lambda value: None if value is None else form.out(value),
        lambda stored: None if stored is None else form.back(stored),
    )


def _word(kind: type[StrEnum]) -> Form:
    return Form(str, kind)


INSTANT: Final = _or_none(Form(micros, instant))
JSON: Final = _or_none(Form(json_text, json.loads))
_TEXTS: Final = Form(json_text, lambda stored: tuple(json.loads(stored)))
_CHANNELS: Final = Form(json_text, lambda stored: tuple(map(Channel, json.loads(stored))))
_AS_IT_IS: Final = Form(lambda value: value, lambda stored: stored)

_FORMS: Final[Mapping[str, Form]] = {
    "band": _word(Band),
    "status": _word(LeadStatus),
    "route": _word(Route),
    "outcome": _or_none(_word(Outcome)),
    "channels": _CHANNELS,
    "also": _TEXTS,
    "set_flags": _TEXTS,
    "salt": Form(bytes.hex, bytes.fromhex),
    **dict.fromkeys(("evidence", "proof", "seen_yes", "tag", "counts", "record"), JSON),
    **dict.fromkeys(("band_since", "qualified_on", "permitted_on", "look_again_at"), INSTANT),
    **dict.fromkeys(("last_invite", "tagged_at", "changed_at", "complete_at"), INSTANT),
    **dict.fromkeys(("at", "started_at", "finished_at"), INSTANT),
}
"""By column; a name means the same in every table."""

R = TypeVar("R", bound=Change)


def _plan_of(kind: type[Change]) -> tuple[tuple[str, Form], ...]:
    names = (f.name for f in fields(kind) if f.name != "leads")
    return tuple((name, _FORMS.get(name, _AS_IT_IS)) for name in names)


_PLANS: Final[Mapping[type[Any], tuple[tuple[str, Form], ...]]] = {
    kind: _plan_of(kind)
    for kind in (
        *(Person, LeadState, Dropped, Decided, Logged),
        *(Tombstone, FeedRead, Cursor, Run),
    )
}


def columns(row: Change) -> dict[str, Any]:
    """Returns a row as its stored columns; ``leads`` and :class:`Planned` have their own ways."""
    return {name: form.out(getattr(row, name)) for name, form in _PLANS[type(row)]}


def row_of(kind: type[R], stored: Mapping[Any, Any], **more: Any) -> R:
    """Builds a row from its stored columns; ``more`` are fields that have no column."""
    known = {name: form.back(stored[name]) for name, form in _PLANS[kind]}
    return kind(**known, **more)
