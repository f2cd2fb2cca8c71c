"""The words of the house: what the other rooms say to one another.

Glossary. A *contact* is a person in Act-On, one *row* per list; a *lead* is the same person as
sent to a CRM. A *suppression* is a list entry that forbids contact. An *action* is one intended
write; the *plan* is all of them; the *outbox* holds those not yet settled; a *receipt* is a
destination's answer to one. A *run* is one execution of ``sync``.

Everything here is an immutable value. Instants are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, NewType

NarrowKey = NewType("NarrowKey", str)
"""A cleaned, lower-case address with an IDNA domain: one narrow key is one person."""
BroadKey = NewType("BroadKey", str)
"""A narrow key without plus-tag (and without dots at Gmail): what an opt-out is matched by."""
PersonId = NewType("PersonId", str)
"""Pseudonym of a person: keyed hash of the narrow key, 32 hex digits. Still personal data."""
KinId = NewType("KinId", str)
"""Keyed hash of the broad key, 32 hex digits: joins all spellings of one address."""
UnixSeconds = NewType("UnixSeconds", int)
UnixMillis = NewType("UnixMillis", int)


class Interval(NamedTuple):
    """A moment that is known only up to an interval; both ends are UTC and belong to it."""

    earliest: datetime
    latest: datetime


Cell = str | int | float | bool | Interval | None
"""What a mapped column holds. ``Interval`` comes from a column with a declared date format."""


class Row(NamedTuple):
    """One contact as one source shows it; a field that is absent from ``cells`` has no column."""

    source: str
    contact_id: str
    cells: Mapping[str, Cell]


class Feed(StrEnum):
    """Act-On's account-wide lists that forbid contact."""

    OPTOUT = "optout"
    SPAM = "spam"
    HARDBOUNCE = "hardbounce"
    CATEGORY = "category_optout"


class Suppression(NamedTuple):
    """One entry of a feed. ``category`` names the subscription category of a CATEGORY entry."""

    feed: Feed
    email: str
    at: Interval | None = None
    category: str = ""


class Outcome(StrEnum):
    """The answer to one person's evidence; the order is precedence, most protective first."""

    SUPPRESS = "SUPPRESS"
    REVIEW = "REVIEW"
    HOLD = "HOLD"
    PUSH = "PUSH"


class Channel(StrEnum):
    """A way to reach a person; e-mail is named before phone everywhere."""

    EMAIL = "email"
    PHONE = "phone"


class Route(StrEnum):
    """How a held person may be asked for permission, least permissive first."""

    NONE = "none"
    WAIT = "wait"
    PASSIVE = "passive"
    DIRECT = "direct"


class Band(StrEnum):
    """Where a person's score stands; the score itself is not kept (data minimisation)."""

    UNKNOWN = "UNKNOWN"
    BELOW_WATCH = "BELOW_WATCH"
    WATCH = "WATCH"
    QUALIFIED = "QUALIFIED"


class Kind(StrEnum):
    """What an action does, in the order of delivery: protect first, sell last."""

    RECALL = "recall"
    OPTOUT = "optout"
    RELEASE = "release"
    PUSH = "push"
    TAG = "tag"
    UNTAG = "untag"


ACTON: Final = "acton"
"""Name under which writes to Act-On itself stand in plan and outbox."""


class Permission(NamedTuple):
    """Our own two-way fields on a CRM record: a state of ours, never an act of the person."""

    channels: tuple[Channel, ...]
    reason: str
    says: str
    recheck_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A contact as a CRM receives it. It has no field that could clear an opt-out.

    ``fields`` holds mapped contact fields (``first_name``, ``company`` ...) as text; ``proof``
    says on which ground the person may be contacted and where the evidence is.
    """

    external_id: str
    person: PersonId
    email: str
    permission: Permission
    fields: Mapping[str, str] = field(default_factory=dict)
    proof: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recall:
    """What is taken back from a lead that was pushed before: the channels that remain, and why.

    ``acted_at`` is the instant of the person's act as Act-On stamps it, for the withdrawal clock;
    it is ``None`` when the recall is a judgment of ours.
    """

    external_id: str
    person: PersonId
    email: str
    permission: Permission
    acted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """An act of the person, to be written where it is not known yet, at its scope.

    ``flags`` are native CRM flags to set; ``category`` is the Act-On category to opt out of, or
    ``""`` for the global opt-out list.
    """

    external_id: str
    person: PersonId
    email: str
    flags: tuple[str, ...] = ()
    category: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """What the connector says about a contact in Act-On; empty texts take the tag off."""

    person: PersonId
    email: str
    decision: str
    code: str
    route: str
    reperm_state: str
    checked_at: datetime
    contact_id: str = ""


Payload = Lead | Recall | OptOut | Tag


@dataclass(frozen=True, slots=True)
class Action:
    """One intended write. ``episode`` counts the push-recall-push turns of a person."""

    kind: Kind
    person: PersonId
    destination: str
    code: str
    episode: int
    payload: Payload


class Receipt(NamedTuple):
    """A destination's answer to one row; ``fault`` is empty when it is done and read back.

    ``permanent`` tells a fault that a retry cannot heal from one that it may.
    """

    external_id: str
    record_id: str = ""
    fault: str = ""
    permanent: bool = False

    @property
    def ok(self) -> bool:
        """True when the write is known to have happened."""
        return not self.fault


class Asked(NamedTuple):
    """Whom to look up in a CRM: by our external id where one was minted, and by address."""

    person: PersonId
    email: str
    external_id: str = ""


class CrmState(NamedTuple):
    """What a CRM holds about one person; ``flags`` are native do-not-contact flags that are set.

    ``set_by_gate`` names those flags which our ledger shows that we set without an act; they are
    never read as evidence.
    """

    person: PersonId
    exists: bool = False
    record_id: str = ""
    external_id: str = ""
    flags: frozenset[str] = frozenset()
    set_by_gate: frozenset[str] = frozenset()
    permission: Permission | None = None


class Token(NamedTuple):
    """An access token with the single-use refresh token that came with it; both are opaque."""

    access: str
    refresh: str
    fetched_at: datetime
    lifetime_s: int
