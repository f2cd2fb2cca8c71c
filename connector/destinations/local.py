"""The embedded CRM: one SQLite file with leads, proof, permission fields and native flags.

It is what the demo writes to and what the behaviour of every other destination is compared with.
No statement in here clears a native flag.
"""

import csv
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from connector.consent.keys import broad_key, narrow_key
from connector.errors import DestinationError
from connector.model import (
    Asked,
    Channel,
    CrmState,
    Lead,
    OptOut,
    Permission,
    Recall,
    Receipt,
)

FLAGS: Final = (
    "HasOptedOutOfEmail", "DoNotCall", "HasOptedOutSolicit", "HasOptedOutProfiling",
    "HasOptedOutTracking", "HasOptedOutProcessing", "ShouldForget",
)  # fmt: skip
_TABLES: Final = f"""
CREATE TABLE lead (
  id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, email TEXT NOT NULL, email_key TEXT NOT NULL,
  fields TEXT NOT NULL DEFAULT '{{}}', proof TEXT NOT NULL DEFAULT '{{}}',
  gate_email INTEGER NOT NULL DEFAULT 0, gate_phone INTEGER NOT NULL DEFAULT 0,
  gate_reason TEXT NOT NULL DEFAULT '', gate_says TEXT NOT NULL DEFAULT '',
  gate_recheck_due TEXT NOT NULL DEFAULT '',
  {", ".join(f"{flag} INTEGER NOT NULL DEFAULT 0" for flag in FLAGS)});
CREATE INDEX lead_email ON lead (email_key);
CREATE TABLE note (lead INTEGER NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
                   PRIMARY KEY (lead, key));
"""  # the flags are the constants above
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts so is run as a formula by spreadsheets (OWASP, CSV injection)."""


class LocalCrm:
    """One file; made with the first write, mode 0600."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def check(self) -> str:
        """Says whether the file is there and can be read."""
        if not self._path.exists():
            return f"{self._path} will be made with the first lead"
        with self._open() as db:
            count = db.execute("SELECT count(*) FROM lead").fetchone()[0]
        return f"{self._path} holds {count} leads"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            db = sqlite3.connect(self._path, timeout=30)
            try:
                with db:
                    if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                        db.executescript(_TABLES)
                    db.row_factory = sqlite3.Row
                    yield db
            finally:
                db.close()
        except (sqlite3.Error, OSError) as error:
            raise DestinationError(
                f"{self.name}: {self._path} failed: {error}", hint="check the file and its disk"
            ) from error

    def read(self, asked: Sequence[Asked], /) -> list[CrmState]:
        """Returns what is held about each person; a missing file holds nobody."""
        if not self._path.exists():
            return [CrmState(one.person) for one in asked]
        with self._open() as db:
            return [self._state(db, one) for one in asked]

    def _state(self, db: sqlite3.Connection, asked: Asked) -> CrmState:
        records = _records(db, asked.external_id, asked.email)
        if not records:
            return CrmState(asked.person)
        first = records[0]
        return CrmState(
            person=asked.person,
            exists=True,
            record_id=str(first["id"]),
            external_id=first["external_id"] or "",
            flags=frozenset(flag for flag in FLAGS if any(record[flag] for record in records)),
            permission=_permission(first),
        )

    def upsert(self, leads: Sequence[Lead], /) -> list[Receipt]:
        """Writes leads; fields that a lead does not name are left as they are."""
        with self._open() as db:
            return [self._upsert_one(db, lead) for lead in leads]

    def _upsert_one(self, db: sqlite3.Connection, lead: Lead) -> Receipt:
        key = _key(lead.email)
        if not lead.external_id or not key:
            return Receipt(lead.external_id, fault="no external id or address", permanent=True)
        records = _records(db, lead.external_id, lead.email)
        if not records:
            db.execute(
                "INSERT INTO lead (external_id, email, email_key) VALUES (?, ?, ?)",
                (lead.external_id, lead.email, key),
            )
            records = _records(db, lead.external_id, lead.email)
        record = records[0]
        fields = json.loads(record["fields"]) | dict(lead.fields)
        db.execute(
            "UPDATE lead SET external_id = coalesce(external_id, ?), fields = ?, proof = ?"
            " WHERE id = ?",
            (lead.external_id, json.dumps(fields), json.dumps(dict(lead.proof)), record["id"]),
        )
        _permit(db, record["id"], lead.permission)
        return _read_back(db, record["id"], lead.external_id, lead.permission)

    def recall(self, recalls: Sequence[Recall], /) -> list[Receipt]:
        """Takes permission back and leaves one note for the owner."""
        with self._open() as db:
            return [self._recall_one(db, one) for one in recalls]

    def _recall_one(self, db: sqlite3.Connection, one: Recall) -> Receipt:
        receipt = Receipt(one.external_id)
        for record in _records(db, one.external_id, one.email):
            _permit(db, record["id"], one.permission)
            text = f"{one.permission.reason}: {one.permission.says}"
            db.execute("INSERT OR IGNORE INTO note VALUES (?, ?, ?)", (record["id"], text, text))
            receipt = _read_back(db, record["id"], one.external_id, one.permission)
        return receipt

    def opt_out(self, outs: Sequence[OptOut], /) -> list[Receipt]:
        """Sets native flags on every record of a person."""
        with self._open() as db:
            return [self._opt_out_one(db, out) for out in outs]

    def _opt_out_one(self, db: sqlite3.Connection, out: OptOut) -> Receipt:
        unknown = [flag for flag in out.flags if flag not in FLAGS]
        if unknown:
            return Receipt(out.external_id, fault=f"no flag {unknown[0]}", permanent=True)
        for record in _records(db, out.external_id, out.email):
            for flag in out.flags:
                db.execute(f"UPDATE lead SET {flag} = 1 WHERE id = ?", (record["id"],))  # noqa: S608  # a constant
        return Receipt(out.external_id)

    def leads(self) -> Iterator[dict[str, str]]:
        """Yields all leads as flat rows for people."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM lead ORDER BY id").fetchall()
        for row in rows:
            flat = {name: "" if row[name] is None else str(row[name]) for name in row.keys()}  # noqa: SIM118  # no mapping
            del flat["fields"], flat["proof"], flat["email_key"]
            yield flat | json.loads(row["fields"]) | json.loads(row["proof"])

    def export_csv(self, path: Path) -> int:
        """Writes all leads as CSV that a spreadsheet shows and does not run; returns how many."""
        rows = list(self.leads())
        headings = list(dict.fromkeys(name for row in rows for name in row))
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, headings, restval="")
            writer.writeheader()
            writer.writerows({name: shown(cell) for name, cell in row.items()} for row in rows)
        return len(rows)


def shown(cell: str) -> str:
    """Returns a cell that no spreadsheet runs; a plain telephone number stays as it is."""
    digits = cell[1:].replace(" ", "")
    if cell.startswith(FORMULA) and not (cell[0] == "+" and digits.isdigit()):
        return "'" + cell
    return cell


def _key(email: str) -> str:
    key = narrow_key(email)
    return "" if key is None else broad_key(key)


def _records(db: sqlite3.Connection, external_id: str, email: str) -> list[sqlite3.Row]:
    """Returns the records of a person, that with our external id first."""
    found = db.execute(
        "SELECT *, external_id IS ? AS ours FROM lead WHERE external_id = ? OR email_key = ?"
        " ORDER BY ours DESC, id",
        (external_id or None, external_id or None, _key(email)),
    )
    return found.fetchall()


def _permit(db: sqlite3.Connection, record: int, permission: Permission) -> None:
    due = permission.recheck_due
    db.execute(
        "UPDATE lead SET gate_email = ?, gate_phone = ?, gate_reason = ?, gate_says = ?,"
        " gate_recheck_due = ? WHERE id = ?",
        (
            Channel.EMAIL in permission.channels,
            Channel.PHONE in permission.channels,
            permission.reason,
            permission.says,
            "" if due is None else due.isoformat(),
            record,
        ),
    )


def _permission(row: sqlite3.Row) -> Permission:
    gates = ((Channel.EMAIL, row["gate_email"]), (Channel.PHONE, row["gate_phone"]))
    due = row["gate_recheck_due"]
    return Permission(
        tuple(channel for channel, on in gates if on),
        row["gate_reason"],
        row["gate_says"],
        datetime.fromisoformat(due) if due else None,
    )


def _read_back(
    db: sqlite3.Connection, record: int, external_id: str, permission: Permission
) -> Receipt:
    """Believes only what a read shows."""
    row = db.execute("SELECT * FROM lead WHERE id = ?", (record,)).fetchone()
    fault = "" if _permission(row) == permission else "the record does not show what was written"
    return Receipt(external_id, record_id=str(record), fault=fault)
