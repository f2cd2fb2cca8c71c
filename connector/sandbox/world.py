"""The account behind the server: lists, suppressions, segments, and the state of its uploads."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from connector.sandbox.clock import SimulatedClock
from connector.sandbox.headings import (
    ACCOUNT_FEEDS,
    AS_FORM,
    CATEGORIES,
    EMAIL,
    EVENT_HEADINGS,
    EVENTS,
    FORM_HEADINGS,
    FORMS,
    ORIGIN,
    TAG_HEADINGS,
    TAGS,
    UNIFIED,
)
from connector.sandbox.merging import Job
from connector.sandbox.people import Population
from connector.sandbox.tables import Moves, Table

LISTED_BEFORE_DAYS: Final = 30
LISTED_SPAN_DAYS: Final = 300
SHOUTED_EVERY: Final = 8
"""Every so many addresses of a suppression list are written in capitals."""


HEX: Final = re.compile(r"[0-9a-f]{1,12}")


def contact_id(list_id: str, index: int) -> str:
    """Returns the id of an Act-On Contact; it stays when rows come and go."""
    return f"{UNIFIED}:{2 * index + (list_id == EVENTS):x}"


class Entry(NamedTuple):
    """One line of a suppression list; ``at`` is aware UTC."""

    email: str
    at: datetime
    origin: str = "User: API"


class World:
    """One account with ``size`` people; its clock starts at the population's start."""

    def __init__(self, people: Population, clock: SimulatedClock, seed: int) -> None:
        self.people, self.clock, self.seed = people, clock, seed
        self.tables = {
            FORMS: Table(FORMS, FORM_HEADINGS, people),
            EVENTS: Table(EVENTS, EVENT_HEADINGS, people),
            TAGS: Table(TAGS, TAG_HEADINGS, None),
        }
        self.contact_headings: tuple[str, ...] = (*FORM_HEADINGS, ORIGIN)
        self.segments: dict[str, Segment] = {}
        self.jobs: dict[str, Job] = {}
        self.rejected: dict[str, str] = {}
        self._acted: dict[str, dict[str, Entry]] = {}
        self._cleared: set[tuple[str, str]] = set()
        self._listed: dict[str, dict[str, Entry]] = {}
        self.contact_moves = Moves()
        self.answered: set[tuple[str, str]] = set()
        self.opted_in: set[tuple[str, str]] = set()

    @property
    def size(self) -> int:
        """How many people there are."""
        return self.people.size

    def settle(self) -> None:
        """Merges uploads whose time has come."""
        now = self.clock.now()
        for job in self.jobs.values():
            if job.due(now):
                job.merge(now)

    def contact_count(self) -> int:
        """Counts Act-On Contacts: one for each row of both lists."""
        return sum(len(self.tables[name]) for name in (FORMS, EVENTS) if name in self.tables)

    def contacts(self, start: int, stop: int) -> Iterator[tuple[str, int]]:
        """Yields Act-On Contacts as (list of origin, row), those of the form list first."""
        for place in range(start, min(stop, self.contact_count())):
            yield from self._contact_at(self.contact_moves.source(place))

    def contacts_since(self, start: datetime, *, created: bool) -> list[tuple[str, int]]:
        """Returns contacts that changed, or came, after an instant."""
        both = [self.tables[name] for name in (FORMS, EVENTS) if name in self.tables]
        return [(t.id, i) for t in both for i in t.changed_since(start, created=created)]

    def _contact_at(self, place: int) -> Iterator[tuple[str, int]]:
        for name in (FORMS, EVENTS):
            table = self.tables.get(name)
            if table is not None and place < len(table):
                yield from ((name, index) for index in table.indices(place, place + 1))
                return
            place -= 0 if table is None else len(table)

    def contact_cells(self, list_id: str, index: int) -> dict[str, str]:
        """Returns a contact's cells under the form list's headings."""
        cells = self.tables[list_id].cells(index)
        if list_id == FORMS:
            return cells
        return {AS_FORM[heading]: cell for heading, cell in cells.items()}

    def rows_of(self, email: str) -> list[tuple[str, int]]:
        """Returns the rows of both lists that have an address."""
        both = [self.tables[name] for name in (FORMS, EVENTS) if name in self.tables]
        return [(table.id, index) for table in both for index in table.find(email)]

    def contact_in(self, record: str) -> tuple[str, int] | None:
        """Reads the id of an Act-On Contact; None if there is no such contact."""
        prefix, _, digits = record.rpartition(":")
        if prefix != UNIFIED or not HEX.fullmatch(digits):
            return None
        index, odd = divmod(int(digits, 16), 2)
        name = EVENTS if odd else FORMS
        table = self.tables.get(name)
        known = table is not None and table.index_in(table.record(index)) is not None
        return (name, index) if known else None

    def segment_members(self) -> list[str]:
        """Returns the addresses in all direct-select segments."""
        rows = [self.contact_in(m) for s in self.segments.values() for m in s.members]
        found = [self.contact_cells(*row)[EMAIL].strip().lower() for row in rows if row is not None]
        return [email for email in found if "@" in email]

    def feed(self, name: str) -> list[Entry]:
        """Returns an account list or the opt-outs of a category, those from the start first."""
        from_start = self._from_start(name)
        kept = [entry for key, entry in from_start.items() if (name, key) not in self._cleared]
        return [*kept, *self._acted.get(name, {}).values()]

    def _from_start(self, name: str) -> dict[str, Entry]:
        if not self._listed:
            self._listed = {feed: {} for feed in (*ACCOUNT_FEEDS, *CATEGORIES)}
            for number in range(self.people.size):
                feed = self.people.listed_on(number)
                email = self.people.contact(number).email if feed else ""
                if "@" in email:
                    days = LISTED_BEFORE_DAYS + number % LISTED_SPAN_DAYS
                    at = self.people.start - timedelta(days=days, minutes=number % 1440)
                    shown = email.upper() if number % SHOUTED_EVERY == 0 else email
                    self._listed[feed][_key(email)] = Entry(shown, at, "User: Import")
        return self._listed.get(name, {})

    def is_listed(self, name: str, email: str) -> bool:
        """Says whether an address stands on a list, in any case."""
        key = _key(email)
        from_start = key in self._from_start(name) and (name, key) not in self._cleared
        return from_start or key in self._acted.get(name, {})

    def list_on(self, name: str, email: str, origin: str, at: datetime | None = None) -> None:
        """Puts an address on a list, now unless told; what stands there keeps its date."""
        if not self.is_listed(name, email):
            entry = Entry(email.strip(), at or self.clock.now(), origin)
            self._acted.setdefault(name, {})[_key(email)] = entry

    def unlist(self, name: str, email: str) -> None:
        """Takes an address off a list, as an opt-in call does."""
        self._acted.get(name, {}).pop(_key(email), None)
        self._cleared.add((name, _key(email)))


class Segment(NamedTuple):
    """A direct-select segment of Act-On Contacts."""

    id: str
    name: str
    members: dict[str, None]

    def shown(self) -> dict[str, object]:
        """Returns it as the API shows it."""
        return {
            "id": self.id, "name": self.name, "type": "DIRECT_SELECT", "parentId": UNIFIED,
            "filter": None,
        }  # fmt: skip


def _key(email: str) -> str:
    return email.strip().lower()
