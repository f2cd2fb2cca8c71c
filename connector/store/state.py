"""The state: what is known of people, what was decided about them, what was written for them.

One class of verbs over one database. Every verb is a short transaction; a stream is one per page,
so that its reader may write. A second writer is kept out by the account's lock (``ledger``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import delete, func, insert, select, true, update

from connector.audit import Entry, Head
from connector.model import KinId, PersonId, Receipt
from connector.store import changes, people, trail, writes
from connector.store.database import Database
from connector.store.rows import (
    Change,
    Cursor,
    Decided,
    FeedRead,
    Logged,
    Person,
    Run,
    Tombstone,
    Write,
    WriteState,
    row_of,
)
from connector.store.schema import (
    AUDIT_RECORD,
    CURSOR,
    DECISION,
    FEED,
    LEAD,
    OUTBOX,
    PERSON,
    RUN,
    SETTING,
)

UNFINISHED = (WriteState.PLANNED, WriteState.REFUSED)
"""What a person or a new decision may cancel: it is known not to be in the destination."""


class Store:
    """The open state. Every verb raises StateError if it cannot be read or saved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> Self:
        """Opens the state; a writer creates and migrates it, a reader leaves every byte alone."""
        return cls(Database.open(url, read_only=read_only))

    @property
    def absent(self) -> bool:
        """True when there is no state yet: this is an empty one in memory, for a first plan."""
        return self._database.absent

    def close(self) -> None:
        """Closes the database; the store cannot be used after it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # people

    def known(self, persons: Iterable[PersonId]) -> dict[PersonId, Person]:
        """Returns those of the given people of whom something is kept."""
        return {one.id: one for one in people.among(self._database, PERSON.c.id, persons)}

    def tracked(self) -> Iterator[Person]:
        """Yields everyone of whom something is kept, by id."""
        return people.stream(self._database, true())

    def pushed(self) -> Iterator[Person]:
        """Yields everyone with a lead that is out, by id: withdrawals are compared with them."""
        return people.stream(self._database, people.is_pushed())

    def kin_of_pushed(self, kin: Iterable[KinId]) -> dict[KinId, tuple[Person, ...]]:
        """Returns, by kin, the people with a lead that is out: whom an opt-out reaches."""
        found: dict[KinId, tuple[Person, ...]] = {}
        for one in people.among(self._database, PERSON.c.kin, kin, people.is_pushed()):
            found[one.kin] = (*found.get(one.kin, ()), one)
        return found

    def due(self, now: datetime) -> Iterator[PersonId]:
        """Yields everyone whose decision may be another one by time alone."""
        return people.due(self._database, now)

    def tombstones(self, kin: Iterable[KinId]) -> dict[KinId, tuple[Tombstone, ...]]:
        """Returns, by kin, what must keep a person from coming back."""
        with self._database.read() as connection:
            return people.tombstones(connection, kin)

    def decisions(self, person: PersonId, limit: int = 20) -> Sequence[Decided]:
        """Returns a person's decisions, newest first."""
        with self._database.read() as connection:
            return people.decisions(connection, person, limit)

    # one commit

    def commit(self, batch: Iterable[Change]) -> Head:
        """Saves a stream of changes in one transaction; returns the head of the decision log.

        A person's leads are changes of their own. A recall replaces pushes that wait; so does a
        decision that is no push. What was sent and not answered is never overwritten.
        """
        with self._database.write() as connection:
            return changes.save(connection, batch)

    # the outbox

    def outbox(self) -> Iterator[Write]:
        """Yields what may be sent now, in the order of delivery, by destination."""
        return writes.due(self._database)

    def in_doubt(self) -> Iterator[Write]:
        """Yields what was sent without an answer: it is settled by reading, never sent again."""
        return writes.unanswered(self._database)

    def mark_sent(self, keys: Iterable[str], now: datetime) -> frozenset[str]:
        """Saves that writes are being sent; send only those whose keys are returned."""
        with self._database.write() as connection:
            return writes.mark_sent(connection, keys, now)

    def doubt(self, keys: Iterable[str], fault: str) -> int:
        """Saves that nobody knows whether writes happened; returns how many."""
        with self._database.write() as connection:
            return writes.set_state(connection, keys, WriteState.IN_DOUBT, fault, WriteState.SENT)

    def settle(self, receipts: Mapping[str, Receipt], now: datetime) -> None:
        """Saves the answers to sent writes by key, and their leads and tags with them.

        A read that finds a write missing settles it with a fault: it is planned again.
        """
        with self._database.write() as connection:
            writes.settle(connection, receipts, now)

    def cancel(self, keys: Iterable[str], why: str) -> int:
        """Takes planned or refused writes out of the outbox; returns how many."""
        with self._database.write() as connection:
            return writes.set_state(connection, keys, WriteState.CANCELLED, why, *UNFINISHED)

    def retry_refused(self) -> int:
        """Plans every refused write again, at the start of a run; returns how many."""
        refused = update(OUTBOX).where(OUTBOX.c.state == WriteState.REFUSED)
        with self._database.write() as connection:
            return connection.execute(refused.values(state=WriteState.PLANNED)).rowcount

    def unfinished(self) -> dict[str, int]:
        """Counts writes that are not finished, by state."""
        waiting = (*UNFINISHED, *writes.UNANSWERED)
        asked = select(OUTBOX.c.state, func.count()).where(OUTBOX.c.state.in_(waiting))
        with self._database.read() as connection:
            found = connection.execute(asked.group_by(OUTBOX.c.state)).all()
            return {str(state): int(number) for state, number in found}

    # feeds, cursors, runs, settings

    def feeds(self) -> dict[str, FeedRead]:
        """Returns when each feed was last read completely."""
        with self._database.read() as connection:
            rows = connection.execute(select(FEED)).mappings()
            return {row["name"]: row_of(FeedRead, row) for row in rows}

    def cursors(self) -> dict[str, str]:
        """Returns where each reading continues."""
        with self._database.read() as connection:
            rows = connection.execute(select(CURSOR)).mappings()
            return {row["name"]: row_of(Cursor, row).value for row in rows}

    def runs(self, limit: int = 20) -> Sequence[Run]:
        """Returns the last runs, newest first."""
        newest = select(RUN).order_by(RUN.c.started_at.desc(), RUN.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [row_of(Run, row) for row in connection.execute(newest).mappings()]

    def setting(self, key: str) -> str | None:
        """Returns what was kept under a name: account id, first approval, key check value."""
        with self._database.read() as connection:
            return connection.scalar(select(SETTING.c.value).where(SETTING.c.key == key))

    def keep_setting(self, key: str, value: str) -> None:
        """Keeps a value under a name, instead of an earlier one."""
        with self._database.write() as connection:
            connection.execute(delete(SETTING).where(SETTING.c.key == key))
            connection.execute(insert(SETTING).values(key=key, value=value))

    # the decision log

    def audit_head(self) -> Head:
        """Returns the head of the decision log, for safe keeping elsewhere."""
        with self._database.read() as connection:
            return changes.head(connection)

    def audit_entries(self) -> Iterator[Entry]:
        """Yields the lines of the decision log in order."""
        return trail.entries(self._database)

    def audit_records(self) -> trail.Records:
        """Returns the records behind the lines; ``.of`` is what ``audit.verify`` asks."""
        return trail.Records(self._database)

    def audit_of(self, person: PersonId) -> Sequence[trail.Kept]:
        """Returns what the log holds about a person, oldest first."""
        return trail.of_person(self._database, person)

    # erasure

    def forget(self, person: PersonId, stone: Tombstone, logged: Iterable[Logged] = ()) -> None:
        """Erases a person and leaves a tombstone (GDPR Art. 17; rules 4.2, 4.3).

        Gone are the person, leads, writes, evidence and proofs, and the salts and records of the
        log; its lines stay and still verify. A decision keeps outcome and code. ``logged`` are
        records of the erasure itself and must not name the person.
        """
        with self._database.write() as connection:
            for table in (OUTBOX, LEAD, AUDIT_RECORD):
                connection.execute(delete(table).where(table.c.person == person))
            connection.execute(delete(PERSON).where(PERSON.c.id == person))
            of_theirs = update(DECISION).where(DECISION.c.person == person)
            connection.execute(of_theirs.values(evidence=None, proof=None))
            changes.save(connection, [stone, *logged])
