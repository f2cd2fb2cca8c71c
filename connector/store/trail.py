"""Reads the decision log for its check: lines as a stream, records read ahead beside them."""

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from connector.audit import Entry
from connector.store.database import Database
from connector.store.schema import AUDIT_ENTRY, AUDIT_RECORD

_AHEAD: Final = 1_000


def entries(database: Database) -> Iterator[Entry]:
    """Yields every line of the log in order."""
    last = 0
    while True:
        page = select(AUDIT_ENTRY).where(AUDIT_ENTRY.c.seq > last).order_by(AUDIT_ENTRY.c.seq)
        with database.read() as connection:
            rows = connection.execute(page.limit(_AHEAD)).mappings().all()
        yield from (Entry(**row) for row in rows)
        if len(rows) < _AHEAD:
            return
        last = rows[-1]["seq"]


class Records:
    """The records behind the lines: asked in order, so read a page at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._page: dict[int, tuple[bytes, object]] = {}
        self._until = 0

    def of(self, seq: int) -> tuple[bytes, object] | None:
        """Returns salt and record of a line, None where they were erased."""
        if seq > self._until or seq <= self._until - _AHEAD:
            self._read(seq)
        return self._page.get(seq)

    def _read(self, seq: int) -> None:
        self._until = seq + _AHEAD - 1
        asked = select(AUDIT_RECORD).where(AUDIT_RECORD.c.seq.between(seq, self._until))
        with self._database.read() as connection:
            rows = connection.execute(asked).mappings().all()
            self._page = {r["seq"]: _record(r["salt"], r["record"]) for r in rows}


def _record(salt: str, record: str) -> tuple[bytes, object]:
    return bytes.fromhex(salt), json.loads(record)
