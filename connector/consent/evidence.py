"""Evidence: all that is known of one person at the moment of deciding.

The caller collects it; nothing here reads anything. Suppressions that do not concern the person
may be among it: the engine matches them itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.model import Cell, Channel, Interval, Row, Suppression


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Entries of the opt-out feeds, whether all feeds were read to their end, and when (UTC).

    ``fetched_at`` is None where the age cannot be read; that is as bad as incomplete.
    """

    complete: bool
    fetched_at: datetime | None
    entries: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class CrmFlags:
    """Native do-not-contact flags over all destinations, least permissive first.

    A flag named in ``set_by_gate`` was set by us without an act of the person: it is no evidence.
    """

    values: Mapping[str, Cell] = field(default_factory=dict)
    set_by_gate: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of a person who was erased or objected; ``at`` is None where undated."""

    kind: str
    at: Interval | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """How far re-permission has come: INVITED, REMINDED, LAPSED, DECLINED or ``""``."""

    state: str = ""
    invites: int = 0
    last_invite: Interval | None = None
    answered_at: Interval | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger remembers of a person.

    ``seen_yes`` gives, per channel, when a yes was seen (None where undated); such a yes makes a
    later unticked box a withdrawal.
    """

    tombstones: tuple[Tombstone, ...] = ()
    asking: Asking = field(default_factory=Asking)
    seen_statement: bool = False
    seen_yes: Mapping[Channel, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. ``subject`` is the person's address as read; ``rows`` are own and kin rows.

    ``screening`` holds TPS, CTPS, DNC and ``screened_at`` of the person's telephone number.
    """

    subject: str
    rows: tuple[Row, ...]
    suppressions: Suppressions
    crm: CrmFlags = field(default_factory=CrmFlags)
    screening: Mapping[str, Cell] = field(default_factory=dict)
    history: History = field(default_factory=History)
