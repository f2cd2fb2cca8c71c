"""The outbox: which intended writes are due, in which order, and what became of them.

A write waits while another one of the same person and destination is sent without an answer, or
is planned and comes first. So a recall waits for a push in doubt, and a push for a recall.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    exists,
    or_,
    select,
    update,
)

from connector.model import Action, Kind, Lead, PersonId, Recall, Receipt, Tag
from connector.store.database import Database
from connector.store.payload import decode, tag_texts
from connector.store.people import PAGE, chunks
from connector.store.rows import INSTANT, LeadStatus, Write, WriteState, json_text, micros
from connector.store.schema import LEAD, OUTBOX, PERSON

SENDING: Final = (Kind.PUSH, Kind.RELEASE)
UNANSWERED: Final = (WriteState.SENT, WriteState.IN_DOUBT)


def due(database: Database) -> Iterator[Write]:
    """Yields what may be sent, kind by kind in the order of delivery, then by destination."""
    other = OUTBOX.alias("other")
    waits = exists().where(
        other.c.person == OUTBOX.c.person,
        other.c.destination == OUTBOX.c.destination,
        or_(
            other.c.state.in_(UNANSWERED),
            and_(other.c.state == WriteState.PLANNED, other.c.rank < OUTBOX.c.rank),
        ),
    )
    for kind in Kind:
        free = (OUTBOX.c.state == WriteState.PLANNED) & (OUTBOX.c.kind == kind) & ~waits
        yield from _pages(database, free)


def unanswered(database: Database) -> Iterator[Write]:
    """Yields what was sent and must be settled by reading, in the order of delivery."""
    for kind in Kind:
        asked = OUTBOX.c.state.in_(UNANSWERED) & (OUTBOX.c.kind == kind)
        yield from _pages(database, asked)


def _pages(database: Database, where: ColumnElement[bool]) -> Iterator[Write]:
    destination, seq = "", -1
    while True:
        later = or_(
            OUTBOX.c.destination > destination,
            and_(OUTBOX.c.destination == destination, OUTBOX.c.seq > seq),
        )
        page = select(OUTBOX).where(where, later).order_by(OUTBOX.c.destination, OUTBOX.c.seq)
        with database.read() as connection:
            rows = connection.execute(page.limit(PAGE)).mappings().all()
            found = [_write(row) for row in rows]
        yield from found
        if len(rows) < PAGE:
            return
        destination, seq = rows[-1]["destination"], rows[-1]["seq"]


def _write(row: RowMapping) -> Write:
    return Write(
        key=row["key"],
        action=Action(
            kind=Kind(row["kind"]),
            person=PersonId(row["person"]),
            destination=row["destination"],
            code=row["code"],
            episode=row["episode"],
            payload=decode(row["payload"]),
        ),
        content_hash=row["content_hash"],
        state=WriteState(row["state"]),
        attempts=row["attempts"],
        run=row["run"],
        planned_at=INSTANT.back(row["planned_at"]),
        act_at=INSTANT.back(row["act_at"]),
        sent_at=INSTANT.back(row["sent_at"]),
        fault=row["fault"],
    )


def mark_sent(connection: Connection, keys: Iterable[str], now: datetime) -> frozenset[str]:
    """Marks planned writes as sent and returns their keys; only these may be sent.

    A lead counts as pushed from here on: it may be in the CRM whatever happens next.
    """
    marked: list[str] = []
    for chunk in chunks(keys):
        free = OUTBOX.c.key.in_(chunk) & (OUTBOX.c.state == WriteState.PLANNED)
        change = {"state": WriteState.SENT, "sent_at": micros(now)}
        statement = update(OUTBOX).where(free).values(**change, attempts=OUTBOX.c.attempts + 1)
        rows = connection.execute(statement.returning(*OUTBOX.c)).mappings().all()
        marked += [row["key"] for row in rows]
        leads = [row for row in rows if row["kind"] in SENDING]
        _change_leads(
            connection,
            [_lead_key(row) | {"episode": row["episode"]} for row in leads],
            {"status": LeadStatus.PUSHED, "changed_at": micros(now)},
        )
    return frozenset(marked)


def set_state(
    connection: Connection, keys: Iterable[str], state: WriteState, fault: str, *was: WriteState
) -> int:
    """Moves writes that are in one of the states ``was``; what is cancelled loses its payload."""
    moved = 0
    values: dict[str, Any] = {"state": state, "fault": fault}
    if state is WriteState.CANCELLED:
        values["payload"] = None
    for chunk in chunks(keys):
        chosen = OUTBOX.c.key.in_(chunk) & OUTBOX.c.state.in_(was)
        moved += connection.execute(update(OUTBOX).where(chosen).values(values)).rowcount
    return moved


def settle(connection: Connection, receipts: Mapping[str, Receipt], now: datetime) -> None:
    """Settles sent writes by their receipts, and their leads and tags with them.

    Done: the payload is erased, its hash stays. Refused for good: it waits for the next run or a
    person. Any other fault: planned again.
    """
    for chunk in chunks(receipts):
        asked = select(OUTBOX).where(OUTBOX.c.key.in_(chunk), OUTBOX.c.state.in_(UNANSWERED))
        rows = connection.execute(asked).mappings().all()
        done = [row for row in rows if receipts[row["key"]].ok]
        failed = [row for row in rows if not receipts[row["key"]].ok]
        _done(connection, done, receipts, now)
        _failed(connection, failed, receipts)


def _done(
    connection: Connection,
    rows: Collection[RowMapping],
    receipts: Mapping[str, Receipt],
    now: datetime,
) -> None:
    settled = {"state": WriteState.SETTLED, "settled_at": micros(now), "payload": None, "fault": ""}
    keys = [row["key"] for row in rows]
    connection.execute(update(OUTBOX).where(OUTBOX.c.key.in_(keys)).values(settled))
    leads, named, tags = [], [], []
    for row in rows:
        payload, record_id = decode(row["payload"]), receipts[row["key"]].record_id
        match payload:
            case Lead():
                kept = {"status": LeadStatus.PUSHED, "content_hash": row["content_hash"]}
            case Recall(permission=permission):
                left = LeadStatus.PUSHED if permission.channels else LeadStatus.RECALLED
                kept = {"status": left, "content_hash": ""}  # whatever follows is a change
            case Tag():
                tag = {} if row["kind"] == Kind.UNTAG else tag_texts(payload)
                of = {"of": row["person"], "tagged_at": micros(now)}
                tags.append(of | {"tag": json_text(tag)})
                continue
            case _:
                continue
        channels = json_text(payload.permission.channels)
        leads.append(_lead_key(row) | kept | {"channels": channels})
        if record_id:
            named.append(_lead_key(row) | {"record_id": record_id})
    _change_leads(connection, leads, {"changed_at": micros(now)})
    _change_leads(connection, named, {})
    if tags:
        connection.execute(update(PERSON).where(PERSON.c.id == bindparam("of")), tags)


def _failed(
    connection: Connection, rows: Collection[RowMapping], receipts: Mapping[str, Receipt]
) -> None:
    for row in rows:
        receipt = receipts[row["key"]]
        state = WriteState.REFUSED if receipt.permanent else WriteState.PLANNED
        set_state(connection, [row["key"]], state, receipt.fault, *UNANSWERED)
    never_there = [_lead_key(row) for row in rows if row["kind"] in SENDING]
    _change_leads(
        connection, never_there, {"status": LeadStatus.PLANNED}, where=LEAD.c.record_id == ""
    )


def _lead_key(row: RowMapping) -> dict[str, Any]:
    return {"of": row["person"], "at": row["destination"]}


def _change_leads(
    connection: Connection,
    leads: list[dict[str, Any]],
    same: dict[str, Any],
    where: ColumnElement[bool] | None = None,
) -> None:
    """Updates one lead per row; ``same`` are values that all of them get."""
    one = update(LEAD).where(
        LEAD.c.person == bindparam("of"), LEAD.c.destination == bindparam("at")
    )
    if where is not None:
        one = one.where(where)
    if leads:
        connection.execute(one, [lead | same for lead in leads])
