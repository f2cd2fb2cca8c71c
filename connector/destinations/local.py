"""The embedded CRM: one SQLite file with leads, proof, permission fields and native flags.

It is what the demo writes to and what the behaviour of every other destination is compared with.
A record belongs to one address (the narrow key). Flags are read by mailbox (the broad key): an
opt-out travels between spellings, consent does not. No statement in here clears a native flag.
"""

import csv
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
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
BEGIN IMMEDIATE;
CREATE TABLE lead (
  id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, email TEXT NOT NULL, email_key TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  fields TEXT NOT NULL DEFAULT '{{}}', proof TEXT NOT NULL DEFAULT '{{}}',
  gate_email INTEGER NOT NULL DEFAULT 0, gate_phone INTEGER NOT NULL DEFAULT 0,
  gate_reason TEXT NOT NULL DEFAULT '', gate_says TEXT NOT NULL DEFAULT '',
  gate_recheck_due TEXT NOT NULL DEFAULT '',
  {", ".join(f"{flag} INTEGER NOT NULL DEFAULT 0" for flag in FLAGS)});
CREATE INDEX lead_email ON lead (email_key);
CREATE INDEX lead_mailbox ON lead (mailbox);
CREATE TABLE note (lead INTEGER NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
                   PRIMARY KEY (lead, key));
COMMIT;
"""  # the flags are the constants above
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that starts so is run as a formula by spreadsheets (OWASP, CSV injection)."""


class LocalCrm:
    """One file; made with the first write, mode 0600."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def check(self) -> str:
        """Says whether the file is there and can be read."""
        if not self._holds_something():
            return f"{self._path} will be made with the first lead"
        with self._open() as db:
            count = db.execute("SELECT count(*) FROM lead").fetchone()[0]
        return f"{self._path} holds {count} leads"

    def _holds_something(self) -> bool:
        """Says whether there is a file; an empty one is left by a first write that was killed."""
        try:
            return self._path.stat().st_size > 0
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failed(str(error.strerror)) from None

    def _failed(self, why: str) -> DestinationError:
        return DestinationError(
            f"{self.name}: {self._path} failed: {why}", hint="check the file and its disk"
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Opens the file for one transaction, and makes it first where there is none."""
        try:
            if not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self._path, timeout=30)) as db, db:
                db.execute("PRAGMA secure_delete = ON")  # what is erased leaves no trace
                if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                    db.executescript(_TABLES)
                db.row_factory = sqlite3.Row
                yield db
        except sqlite3.Error as error:
            raise self._failed(getattr(error, "sqlite_errorname", "") or str(error)) from None
        except OSError as error:
            raise self._failed(str(error.strerror)) from None

    def read(self, asked: Sequence[Asked], /) -> list[CrmState]:
        """Returns what is held about each person; a missing file holds nobody."""
        if not self._holds_something():
            return [CrmState(one.person) for one in asked]
        with self._open() as db:
            return [_state(db, one) for one in asked]

    def upsert(self, leads: Sequence[Lead], /) -> list[Receipt]:
        """Writes leads; fields that a lead does not name are left as they are."""
        with self._open() as db:
            return [self._upsert_one(db, lead) for lead in leads]

    def _upsert_one(self, db: sqlite3.Connection, lead: Lead) -> Receipt:
        key = narrow_key(lead.email)
        if not lead.external_id or key is None:
            return Receipt(lead.external_id, fault="no external id or address", permanent=True)
        records = _records(db, lead.external_id, lead.email)
        if not records:
            db.execute(
                "INSERT INTO lead (external_id, email, email_key, mailbox) VALUES (?, ?, ?, ?)",
                (lead.external_id, lead.email, key, broad_key(key)),
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
        return _read_back(db, [record["id"]], lead.external_id, lead.permission)

    def recall(self, recalls: Sequence[Recall], /) -> list[Receipt]:
        """Takes permission back on every record with the address, and leaves the owner a note."""
        if not self._holds_something():
            return [Receipt(one.external_id) for one in recalls]
        with self._open() as db:
            return [_recall_one(db, one) for one in recalls]

    def opt_out(self, outs: Sequence[OptOut], /) -> list[Receipt]:
        """Sets native flags on every record with the address; where there is none, none is made."""
        if not self._holds_something():
            return [Receipt(out.external_id) for out in outs]
        with self._open() as db:
            return [_opt_out_one(db, out) for out in outs]

    def erase(self, external_ids: Sequence[str], /) -> list[Receipt]:
        """Deletes records and their notes (GDPR Art. 17); what is not there is erased already."""
        if not self._holds_something():
            return [Receipt(external_id) for external_id in external_ids]
        with self._open() as db:
            for external_id in external_ids:
                for record in _records(db, external_id, ""):
                    db.execute("DELETE FROM note WHERE lead = ?", (record["id"],))
                    db.execute("DELETE FROM lead WHERE id = ?", (record["id"],))
            left = [bool(_records(db, external_id, "")) for external_id in external_ids]
        return [
            Receipt(external_id, fault="still there when read back" if there else "")
            for external_id, there in zip(external_ids, left, strict=True)
        ]

    def leads(self) -> Iterator[dict[str, str]]:
        """Yields all leads as flat rows for people."""
        if not self._holds_something():
            return
        with self._open() as db:
            rows = db.execute("SELECT * FROM lead ORDER BY id").fetchall()
        for row in rows:
            flat = {name: "" if row[name] is None else str(row[name]) for name in row.keys()}  # noqa: SIM118  # no mapping
            del flat["fields"], flat["proof"], flat["email_key"], flat["mailbox"]
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
    """Returns a cell that no spreadsheet runs.

    What starts like a formula gets an apostrophe in front, which a spreadsheet hides. A plus sign
    followed by nothing but digits and spaces is a telephone number and stays as it is.
    """
    digits = cell[1:].replace(" ", "")
    if cell.startswith(FORMULA) and not (cell[0] == "+" and digits.isdecimal()):
        return "'" + cell
    return cell


def _records(db: sqlite3.Connection, external_id: str, email: str) -> list[sqlite3.Row]:
    """Returns the records with our external id or the address, that with our id first."""
    found = db.execute(
        "SELECT *, external_id IS ? AS ours FROM lead WHERE external_id = ? OR email_key = ?"
        " ORDER BY ours DESC, id",
        (external_id or None, external_id or None, narrow_key(email)),
    )
    return found.fetchall()


def _state(db: sqlite3.Connection, asked: Asked) -> CrmState:
    flags = frozenset(flag for flag in FLAGS if any(row[flag] for row in _mailbox(db, asked)))
    records = _records(db, asked.external_id, asked.email)
    if not records:
        return CrmState(asked.person, flags=flags)
    return CrmState(
        person=asked.person,
        exists=True,
        record_id=str(records[0]["id"]),
        external_id=records[0]["external_id"] or "",
        flags=flags,
        permission=_permission(records[0]),
    )


def _mailbox(db: sqlite3.Connection, asked: Asked) -> list[sqlite3.Row]:
    """Returns every record of the mailbox, under whichever spelling of its address."""
    key = narrow_key(asked.email)
    found = db.execute(
        "SELECT * FROM lead WHERE external_id = ? OR mailbox = ?",
        (asked.external_id or None, None if key is None else broad_key(key)),
    )
    return found.fetchall()


def _recall_one(db: sqlite3.Connection, one: Recall) -> Receipt:
    records = [record["id"] for record in _records(db, one.external_id, one.email)]
    acted_at = "" if one.acted_at is None else one.acted_at.isoformat()
    text = f"{one.permission.reason}: {one.permission.says}"
    for record in records:
        _permit(db, record, one.permission)
        db.execute("INSERT OR IGNORE INTO note VALUES (?, ?, ?)", (record, acted_at + text, text))
    return _read_back(db, records, one.external_id, one.permission)


def _opt_out_one(db: sqlite3.Connection, out: OptOut) -> Receipt:
    unknown = [flag for flag in out.flags if flag not in FLAGS]
    if unknown:
        return Receipt(out.external_id, fault=f"no flag {unknown[0]}", permanent=True)
    for record in _records(db, out.external_id, out.email):
        for flag in out.flags:
            db.execute(f"UPDATE lead SET {flag} = 1 WHERE id = ?", (record["id"],))  # noqa: S608  # a constant
    records = _records(db, out.external_id, out.email)
    done = all(record[flag] for record in records for flag in out.flags)
    record_id = str(records[0]["id"]) if records else ""
    return Receipt(out.external_id, record_id, "" if done else "not set when read back")


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
    db: sqlite3.Connection, records: Sequence[int], external_id: str, permission: Permission
) -> Receipt:
    """Believes only what a read shows, on every record."""
    fault = ""
    for record in records:
        row = db.execute("SELECT * FROM lead WHERE id = ?", (record,)).fetchone()
        if _permission(row) != permission:
            fault = "the record does not show what was written"
    return Receipt(external_id, record_id=str(records[0]) if records else "", fault=fault)
