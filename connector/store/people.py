"""Reads people with their leads, their decisions and tombstones, a page at a time.

A page is a transaction of its own: a stream holds no lock while its reader writes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, select

from connector.model import KinId, PersonId
from connector.store.database import Database
from connector.store.rows import Decided, LeadState, LeadStatus, Person, Tombstone, row_of
from connector.store.schema import DECISION, LEAD, PERSON, TOMBSTONE

PAGE: Final = 500
T = TypeVar("T")


def chunks(items: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yields lists of at most ``size`` items."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def _with_leads(connection: Connection, where: ColumnElement[bool], limit: int) -> list[Person]:
    """Returns people in the order of their ids; ``where`` and ``limit`` bound the page."""
    page = select(PERSON).where(where).order_by(PERSON.c.id).limit(limit)
    found = connection.execute(page).mappings().all()
    ids = [row["id"] for row in found]
    leads: defaultdict[str, list[LeadState]] = defaultdict(list)
    asked = select(LEAD).where(LEAD.c.person.in_(ids)).order_by(LEAD.c.person, LEAD.c.destination)
    for row in connection.execute(asked).mappings():
        leads[row["person"]].append(row_of(LeadState, row))
    return [row_of(Person, row, leads=tuple(leads[row["id"]])) for row in found]


def among(
    database: Database, column: ColumnElement[str], keys: Iterable[str], *more: ColumnElement[bool]
) -> Iterator[Person]:
    """Yields the people whose ``column`` is one of ``keys``."""
    for chunk in chunks(dict.fromkeys(keys)):
        yield from stream(database, and_(column.in_(chunk), *more))


def stream(database: Database, where: ColumnElement[bool]) -> Iterator[Person]:
    """Yields everyone of whom ``where`` holds, in the order of their ids."""
    last = ""
    while True:
        with database.read() as connection:
            page = _with_leads(connection, where & (PERSON.c.id > last), PAGE)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].id


def is_pushed() -> ColumnElement[bool]:
    """Returns the condition that some lead of the person is out."""
    return PERSON.c.id.in_(select(LEAD.c.person).where(LEAD.c.status == LeadStatus.PUSHED))


def tombstones(connection: Connection, kin: Iterable[KinId]) -> dict[KinId, tuple[Tombstone, ...]]:
    """Returns the tombstones of each kin that has some, by kind."""
    found: dict[KinId, tuple[Tombstone, ...]] = {}
    for chunk in chunks(kin):
        asked = select(TOMBSTONE).where(TOMBSTONE.c.kin.in_(chunk)).order_by(TOMBSTONE.c.kind)
        for row in connection.execute(asked).mappings():
            stone = row_of(Tombstone, row)
            found[stone.kin] = (*found.get(stone.kin, ()), stone)
    return found


def decisions(connection: Connection, person: PersonId, limit: int) -> Sequence[Decided]:
    """Returns a person's decisions, newest first."""
    asked = select(DECISION).where(DECISION.c.person == person)
    rows = connection.execute(asked.order_by(DECISION.c.id.desc()).limit(limit)).mappings()
    return [row_of(Decided, row) for row in rows]
