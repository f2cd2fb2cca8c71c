"""The state: what is known of people, decided about them and written for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import delete, func, insert, select, update

from connector.audit import Entry, Head
from connector.model import KinId, PersonId, Receipt
from connector.store import changes, people, trail, writes
from connector.store.database import Database
from connector.store.rows import (
    Change,
    Decided,
    FeedRead,
    LeadStatus,
    Person,
    Run,
    Tombstone,
    Write,
    WriteState,
    row_of,
)
from connector.store.schema import (
    AUDIT_RECORD,
    DECISION,
    FEED,
    LEAD,
    OUTBOX,
    PERSON,
    RUN,
    SETTING,
    TOMBSTONE,
)


class Store:
    """One account's state; a context manager. Every error of the database is a StateError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, *, read_only: bool) -> Self:
        """Opens the state of a URL; reading only never changes or creates it."""
        return cls(Database.open(url, read_only=read_only))

    def __enter__(self) -> Self:
        """Returns the open state."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self._database.close()

    @property
    def absent(self) -> bool:
        """True if there is no state yet and this one is empty."""
        return self._database.absent

    def known(self, ids: Iterable[PersonId]) -> dict[PersonId, Person]:
        """Returns those of the people whom the state knows."""
        return {p.id: p for p in people.among(self._database, PERSON.c.id, ids)}

    def pushed(self) -> Iterator[Person]:
        """Yields everyone of whom a lead is out."""
        return people.stream(self._database, people.is_pushed())

    def tracked(self) -> Iterator[Person]:
        """Yields everyone of whom anything is kept."""
        return people.stream(self._database, PERSON.c.id != "")

    def tombstones(self, kin: Iterable[KinId]) -> dict[KinId, tuple[Tombstone, ...]]:
        """Returns the tombstones of those kin that have one."""
        with self._database.read() as connection:
            return people.tombstones(connection, kin)

    def commit(self, stream: Iterable[Change]) -> Head:
        """Saves all changes in one transaction; returns the head of the decision log."""
        with self._database.write() as connection:
            return changes.save(connection, stream)

    def due_writes(self) -> Iterator[Write]:
        """Yields what may be sent now, in the order of delivery."""
        return writes.due(self._database)

    def unanswered(self) -> Iterator[Write]:
        """Yields what was sent and not answered: to be settled by reading."""
        return writes.unanswered(self._database)

    def mark_sent(self, keys: Iterable[str], now: datetime) -> frozenset[str]:
        """Marks writes as sent, durably; only the returned keys may be sent."""
        with self._database.write() as connection:
            return writes.mark_sent(connection, keys, now)

    def doubt(self, keys: Iterable[str], fault: str) -> int:
        """Saves that nobody knows whether sent writes happened; returns how many."""
        with self._database.write() as connection:
            return writes.set_state(connection, keys, WriteState.IN_DOUBT, fault, WriteState.SENT)

    def settle(self, receipts: Mapping[str, Receipt], now: datetime) -> None:
        """Settles sent writes by their receipts."""
        with self._database.write() as connection:
            writes.settle(connection, receipts, now)

    def cancel(self, keys: Iterable[str], why: str) -> int:
        """Cancels writes that are known not to have happened; returns how many."""
        with self._database.write() as connection:
            cancelled, not_out = WriteState.CANCELLED, (WriteState.PLANNED, WriteState.REFUSED)
            return writes.set_state(connection, keys, cancelled, why, *not_out)

    def retry_refused(self) -> int:
        """Plans again what was refused in an earlier run: a bad row is tried until it succeeds."""
        with self._database.write() as connection:
            again = update(OUTBOX).where(OUTBOX.c.state == WriteState.REFUSED)
            return connection.execute(again.values(state=WriteState.PLANNED)).rowcount

    def unfinished(self) -> dict[str, int]:
        """Counts writes that are not finished, by state."""
        open_ = (WriteState.PLANNED, WriteState.SENT, WriteState.IN_DOUBT, WriteState.REFUSED)
        with self._database.read() as connection:
            found = select(OUTBOX.c.state, func.count()).where(OUTBOX.c.state.in_(open_))
            rows = connection.execute(found.group_by(OUTBOX.c.state)).all()
            return {row[0]: row[1] for row in rows}

    def decisions(self, person: PersonId, limit: int = 100) -> Sequence[Decided]:
        """Returns a person's decisions, newest first."""
        with self._database.read() as connection:
            return people.decisions(connection, person, limit)

    def pushes(self) -> Iterator[tuple[PersonId, str]]:
        """Yields (person, CRM record) of every lead that is out."""
        with self._database.read() as connection:
            out = select(LEAD.c.person, LEAD.c.destination, LEAD.c.record_id)
            rows = connection.execute(out.where(LEAD.c.status == LeadStatus.PUSHED)).all()
        yield from ((PersonId(person), f"{name}/{record}") for person, name, record in rows)

    def runs(self, limit: int = 10) -> list[Run]:
        """Returns the last runs, newest first."""
        asked = select(RUN).order_by(RUN.c.started_at.desc()).limit(limit)
        with self._database.read() as connection:
            return [row_of(Run, row) for row in connection.execute(asked).mappings()]

    def feeds(self) -> list[FeedRead]:
        """Returns when each feed was last read completely."""
        with self._database.read() as connection:
            return [row_of(FeedRead, row) for row in connection.execute(select(FEED)).mappings()]

    def setting(self, key: str) -> str:
        """Returns a setting, ``""`` if it was never set."""
        with self._database.read() as connection:
            asked = select(SETTING.c.value).where(SETTING.c.key == key)
            return connection.scalar(asked) or ""

    def set(self, key: str, value: str) -> None:
        """Keeps a setting."""
        with self._database.write() as connection:
            connection.execute(delete(SETTING).where(SETTING.c.key == key))
            connection.execute(insert(SETTING), {"key": key, "value": value})

    def log_entries(self) -> Iterator[Entry]:
        """Yields every line of the decision log."""
        return trail.entries(self._database)

    def log_records(self) -> trail.Records:
        """Returns the records behind the lines of the log."""
        return trail.Records(self._database)

    def log_head(self) -> Head:
        """Returns the head of the decision log."""
        with self._database.read() as connection:
            return changes.head(connection)

    def forget(self, person: PersonId, kin: KinId, now: datetime) -> None:
        """Erases a person, their records and salts; a tombstone and the bare log lines remain."""
        with self._database.write() as connection:
            changes.save(connection, [Tombstone(kin, "erased", now)])
            for table in (AUDIT_RECORD, DECISION, OUTBOX, LEAD):
                connection.execute(delete(table).where(table.c.person == person))
            connection.execute(delete(PERSON).where(PERSON.c.id == person))

    def stones(self) -> int:
        """Counts tombstones."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(TOMBSTONE)) or 0
