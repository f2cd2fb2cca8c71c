"""Saves one commit: a stream of changes, written in bulk as they come, inside one transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector import audit
from connector.audit import Head, canonical, entry
from connector.errors import StateError
from connector.model import Kind, Outcome
from connector.store.payload import RANK, act_at, content_hash, encode, outbox_key
from connector.store.rows import (
    INSTANT,
    Change,
    Cursor,
    Decided,
    Dropped,
    FeedRead,
    LeadState,
    LeadStatus,
    Logged,
    Person,
    Planned,
    Run,
    Tombstone,
    WriteState,
    columns,
    micros,
)
from connector.store.schema import (
    AUDIT_ENTRY,
    AUDIT_RECORD,
    CURSOR,
    DECISION,
    FEED,
    LEAD,
    OUTBOX,
    PERSON,
    RUN,
    TOMBSTONE,
)
from connector.store.writes import SENDING, UNANSWERED

BULK: Final = 1_000
"""How many changes of one type are held before they are written."""


def save(connection: Connection, changes: Iterable[Change]) -> Head:
    """Writes every change and returns the new head of the decision log."""
    saving = _Saving(connection)
    for change in changes:
        saving.add(change)
    saving.flush()
    return saving.head


def head(connection: Connection) -> Head:
    """Returns the head of the decision log as its last line gives it."""
    last = select(AUDIT_ENTRY).order_by(AUDIT_ENTRY.c.seq.desc()).limit(1)
    row = connection.execute(last).mappings().one_or_none()
    return audit.GENESIS if row is None else audit.Entry(**row).head()


class _Saving:
    """The state of one commit under way: what waits to be written, and the next numbers."""

    def __init__(self, connection: Connection) -> None:
        self.head = head(connection)
        self._connection = connection
        self._waiting: defaultdict[type, list[Any]] = defaultdict(list)
        self._decision = _last(connection, DECISION.c.id)
        self._seq = _last(connection, OUTBOX.c.seq)

    def add(self, change: Change) -> None:
        waiting = self._waiting[type(change)]
        waiting.append(change)
        if len(waiting) >= BULK:
            self._flush_one(type(change))

    def flush(self) -> None:
        for kind in list(self._waiting):
            self._flush_one(kind)

    def _flush_one(self, kind: type) -> None:
        waiting = self._waiting.pop(kind)
        ways: Mapping[type, Callable[[list[Any]], None]] = {
            Decided: self._decisions,
            Logged: self._log,
            Planned: self._outbox,
            Dropped: self._drop,
        }
        if kind in ways:
            ways[kind](waiting)
        else:
            table, owned = _UPSERTS[kind]
            # the last of several changes to one row wins, as it would one by one
            rows = {tuple(c[k.name] for k in table.primary_key): c for c in map(columns, waiting)}
            _upsert(self._connection, table, list(rows.values()), owned)

    def _decisions(self, decided: list[Decided]) -> None:
        rows = [
            columns(one) | {"id": number}
            for number, one in enumerate(decided, start=self._decision + 1)
        ]
        self._decision += len(rows)
        self._connection.execute(insert(DECISION), rows)
        last = {one.person: one.outcome for one in decided}
        refused = [person for person, outcome in last.items() if outcome is not Outcome.PUSH]
        self._cancel(OUTBOX.c.person.in_(refused), "no longer permitted")

    def _log(self, logged: list[Logged]) -> None:
        entries, records = [], []
        for one in logged:
            line = entry(self.head, one.at, one.what, one.record, one.salt)
            self.head = line.head()
            entries.append(line._asdict())
            kept = {"salt": one.salt.hex(), "record": canonical(one.record)}
            records.append(kept | {"seq": line.seq, "person": one.person})
        self._connection.execute(insert(AUDIT_ENTRY), entries)
        self._connection.execute(insert(AUDIT_RECORD), records)

    def _outbox(self, planned: list[Planned]) -> None:
        recalled: defaultdict[str, list[str]] = defaultdict(list)
        rows: dict[str, dict[str, Any]] = {}
        for one in planned:
            self._seq += 1
            row = _outbox_row(one, self._seq)
            rows[row["key"]] = row
            if one.action.kind is Kind.RECALL:
                recalled[one.action.destination].append(one.action.person)
        for destination, people in recalled.items():
            replaced = OUTBOX.c.person.in_(people) & (OUTBOX.c.destination == destination)
            self._cancel(replaced, "replaced by a recall")
        _upsert(
            self._connection,
            OUTBOX,
            list(rows.values()),
            tuple(name for name in OUTBOX.c.keys() if name != "key"),  # noqa: SIM118  # no mapping
            where=and_(*(OUTBOX.c.state != state for state in UNANSWERED)),
        )

    def _cancel(self, whose: ColumnElement[bool], why: str) -> None:
        """Cancels pushes that were planned in earlier runs and not sent."""
        waiting = OUTBOX.c.state.in_((WriteState.PLANNED, WriteState.REFUSED))
        cancelled = update(OUTBOX).where(whose, waiting, OUTBOX.c.kind.in_(SENDING))
        values = {"state": WriteState.CANCELLED, "payload": None, "fault": why}
        self._connection.execute(cancelled.values(values))

    def _drop(self, dropped: list[Dropped]) -> None:
        people = [one.person for one in dropped]
        out = LEAD.c.person.in_(people) & (LEAD.c.status == LeadStatus.PUSHED)
        open_ = (WriteState.PLANNED, *UNANSWERED)
        waiting = OUTBOX.c.person.in_(people) & OUTBOX.c.state.in_(open_)
        if self._connection.scalar(select(or_(_any(LEAD, out), _any(OUTBOX, waiting)))):
            raise StateError("a person with a lead or a write that is not finished was dropped")
        self._connection.execute(delete(LEAD).where(LEAD.c.person.in_(people)))
        self._connection.execute(delete(PERSON).where(PERSON.c.id.in_(people)))


def _any(table: Table, where: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(table).where(where).exists()


def _last(connection: Connection, column: ColumnElement[int]) -> int:
    return connection.scalar(select(func.max(column))) or 0


def _outbox_row(planned: Planned, seq: int) -> dict[str, Any]:
    action = planned.action
    return {
        "key": outbox_key(action),
        "seq": seq,
        "rank": RANK[action.kind],
        "kind": action.kind,
        "person": action.person,
        "destination": action.destination,
        "code": action.code,
        "episode": action.episode,
        "content_hash": content_hash(action.payload),
        "payload": encode(action.payload),
        "state": WriteState.PLANNED,
        "attempts": 0,
        "run": planned.run,
        "act_at": INSTANT.out(act_at(action.payload)),
        "planned_at": micros(planned.at),
        "sent_at": None,
        "settled_at": None,
        "fault": "",
    }


def _upsert(
    connection: Connection,
    table: Table,
    rows: list[dict[str, Any]],
    owned: tuple[str, ...],
    where: ColumnElement[bool] | None = None,
) -> None:
    """Inserts rows; where one is there already, renews the ``owned`` columns if ``where`` holds."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    if owned:
        renewed = {name: statement.excluded[name] for name in owned}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=renewed, where=where)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, rows)


def _all_but(table: Table, *names: str) -> tuple[str, ...]:
    return tuple(c.name for c in table.c if not c.primary_key and c.name not in names)


_UPSERTS: Final[Mapping[type, tuple[Table, tuple[str, ...]]]] = {
    Person: (PERSON, _all_but(PERSON, "tag", "tagged_at", "first_seen_run")),
    LeadState: (LEAD, ("set_flags",)),
    Tombstone: (TOMBSTONE, ()),
    FeedRead: (FEED, _all_but(FEED)),
    Cursor: (CURSOR, _all_but(CURSOR)),
    Run: (RUN, _all_but(RUN)),
}
"""Where a change goes, and which columns of a row that is there already it renews."""
