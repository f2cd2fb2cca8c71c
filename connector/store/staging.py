"""One run's rows, suppressions and plan, in a temporary file: memory stays flat.

A plan is thrown away with its file; ``sync --apply`` commits it; one that the breaker stopped is
kept, with its digest, for approval.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, Self

from connector.model import Action, Feed, Interval, Kind, KinId, PersonId, Row, Suppression
from connector.store.faults import stating
from connector.store.notation import read, write
from connector.store.payload import RANK, content_hash, outbox_key
from connector.store.rows import Change, Planned, instant, micros

BATCH: Final = 500
_TABLES: Final = """
CREATE TABLE row (person TEXT, kin TEXT, email TEXT, source TEXT, contact_id TEXT, cells BLOB);
CREATE TABLE listed (kin TEXT, feed TEXT, email TEXT, category TEXT, earliest INTEGER,
                     latest INTEGER);
CREATE INDEX listed_kin ON listed (kin);
CREATE TABLE plan (rank INTEGER, kind TEXT, person TEXT, destination TEXT, code TEXT, name TEXT,
                   hash TEXT);
CREATE TABLE change (seq INTEGER PRIMARY KEY, name TEXT, value TEXT);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT);
"""
_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS row_person ON row (person)",
    "CREATE INDEX IF NOT EXISTS row_kin ON row (kin)",
)


class StagedRow(NamedTuple):
    """A row with the pseudonyms of its address; ``email`` is the narrow key, ``""`` for none."""

    person: PersonId
    kin: KinId
    email: str
    row: Row


class StagedPerson(NamedTuple):
    """One person: own rows, all rows of the mailbox, and what suppresses it."""

    id: PersonId
    kin: KinId
    email: str
    own: tuple[Row, ...]
    rows: tuple[Row, ...]
    listed: tuple[Suppression, ...]


class Staging:
    """The open staging file of one run; a context manager."""

    def __init__(self, path: Path, folder: "TemporaryDirectory[str] | None") -> None:
        self._path, self._folder = path, folder
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")

    @classmethod
    def fresh(cls) -> Self:
        """Opens an empty one in a private temporary folder."""
        with stating("making a staging file"):
            folder = TemporaryDirectory(prefix="acton-connector-")
            staging = cls(Path(folder.name) / "staging.db", folder)
            staging._db.executescript(_TABLES)
            staging._db.execute("BEGIN")
            return staging

    @classmethod
    def kept(cls, path: Path) -> Self:
        """Opens one that was kept."""
        with stating("opening a kept plan"):
            path.stat()  # the driver would make a missing one
            staging = cls(path, None)
            try:
                staging._db.execute("SELECT count(*) FROM plan").fetchone()
            except sqlite3.Error:
                staging._db.close()
                raise
            return staging

    def __enter__(self) -> Self:
        """Returns the open staging."""
        return self

    def __exit__(self, *_: object) -> None:
        """Throws it away, unless it is a kept one."""
        self._db.close()
        if self._folder is not None:
            self._folder.cleanup()

    def keep(self, path: Path) -> None:
        """Keeps the plan at a path, mode 0600, and gives up the rows that it came from.

        The file appears whole or not at all; the rows of everybody else are not in it.
        """
        part = path.with_name(path.name + ".part")
        with stating("keeping the plan"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            for statement in ("DELETE FROM row", "DELETE FROM listed", "COMMIT"):
                self._db.execute(statement)
            self._db.execute("VACUUM INTO ?", (str(part),))
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
            self._db.execute("BEGIN")

    def add_rows(self, rows: Iterable[StagedRow]) -> int:
        """Stages rows as they come; returns how many."""
        before = self._db.total_changes
        with stating("staging rows"):
            self._db.executemany(
                "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        s.person,
                        s.kin,
                        s.email,
                        s.row.source,
                        _whole(s.row.contact_id),
                        _cells(s.row.cells),
                    )
                    for s in rows
                ),
            )
        return self._db.total_changes - before

    def add_suppressions(self, entries: Iterable[tuple[KinId, Suppression]]) -> int:
        """Stages suppressions with the kin of their address; returns how many."""
        before = self._db.total_changes
        with stating("staging suppressions"):
            self._db.executemany(
                "INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        kin,
                        s.feed,
                        _whole(s.email),
                        _whole(s.category),
                        None if s.at is None else micros(s.at.earliest),
                        None if s.at is None else micros(s.at.latest),
                    )
                    for kin, s in entries
                ),
            )
        return self._db.total_changes - before

    def listed(self, kin: KinId) -> tuple[Suppression, ...]:
        """Returns what suppresses one mailbox."""
        found = self._db.execute(
            "SELECT feed, email, category, earliest, latest FROM listed WHERE kin = ?"
            " ORDER BY 1, 2, 3, 4, 5",
            (kin,),
        )
        return tuple(
            Suppression(Feed(feed), email, None if at[0] is None else _interval(at), category)
            for feed, email, category, *at in found
        )

    def is_listed(self, kin: KinId) -> bool:
        """Says whether a mailbox stands on any feed."""
        found = self._db.execute("SELECT 1 FROM listed WHERE kin = ? LIMIT 1", (kin,))
        return found.fetchone() is not None

    def index(self) -> None:
        """Makes look-ups of rows fast, once all of them are staged."""
        with stating("indexing the staging file"):
            for statement in _INDEXES:
                self._db.execute(statement)

    def count_people(self) -> int:
        """Counts people, and rows without an address as one each."""
        return int(self._db.execute("SELECT count(DISTINCT person) FROM row").fetchone()[0])

    def people(self) -> Iterator[list[StagedPerson]]:
        """Yields all people in batches, each with own and kin rows and suppressions."""
        self.index()
        rows = self._db.execute(
            "SELECT person, kin, email, source, contact_id, cells FROM row"
            " ORDER BY person, source, contact_id"
        )
        batch: list[StagedPerson] = []
        for (person, kin, email), found in groupby(rows, key=lambda row: row[:3]):
            own = tuple(_row(source, cid, cells) for *_, source, cid, cells in found)
            others = self._others(kin, person) if email else ()
            listed = self.listed(KinId(kin)) if email else ()
            whole = StagedPerson(PersonId(person), KinId(kin), email, own, own + others, listed)
            batch.append(whole)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _others(self, kin: str, person: str) -> tuple[Row, ...]:
        found = self._db.execute(
            "SELECT source, contact_id, cells FROM row WHERE kin = ? AND person <> ?"
            " ORDER BY source, contact_id",
            (kin, person),
        )
        return tuple(_row(*cells) for cells in found)

    def has(self, person: PersonId) -> bool:
        """Says whether a person has a row in this run."""
        found = self._db.execute("SELECT 1 FROM row WHERE person = ? LIMIT 1", (person,))
        return found.fetchone() is not None

    def spool(self, changes: Iterable[Change]) -> None:
        """Adds changes, planned actions among them, to the plan."""
        with stating("writing the plan"):
            for change in changes:
                if isinstance(change, Planned):
                    self._db.execute(
                        "INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?, ?)", _plan_line(change.action)
                    )
                self._db.execute("INSERT INTO change (name, value) VALUES (?, ?)", write(change))

    def changes(self) -> Iterator[Change]:
        """Yields all changes in the order in which they were spooled."""
        for name, value in self._db.execute("SELECT name, value FROM change ORDER BY seq"):
            yield read(name, value)

    def plan(self) -> Iterator[dict[str, object]]:
        """Yields the plan in the order of delivery, by pseudonym."""
        found = self._db.execute(
            "SELECT kind, person, destination, code FROM plan ORDER BY rank, person, destination"
        )
        for seq, (kind, person, destination, code) in enumerate(found, 1):
            yield {
                "seq": seq, "kind": kind, "person": person, "destination": destination,
                "code": code,
            }  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Counts planned actions by kind."""
        found = dict(self._db.execute("SELECT kind, count(*) FROM plan GROUP BY kind").fetchall())
        return {kind.value: found.get(kind.value, 0) for kind in Kind}

    def digest(self) -> str:
        """Returns SHA-256 over everything that a commit of this plan would save, in order."""
        total = hashlib.sha256()
        for line in self._db.execute("SELECT name, value FROM change ORDER BY seq"):
            total.update("\n".join((*line, "")).encode())
        return total.hexdigest()

    def write_plan(self, path: Path) -> None:
        """Writes the plan as JSON Lines, mode 0600."""
        with stating("writing the plan"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            with path.open("w", encoding="utf-8") as file:
                for line in self.plan():
                    file.write(json.dumps(line) + "\n")

    def note(self, name: str, value: str) -> None:
        """Keeps a fact about the plan with it."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def noted(self, name: str) -> str:
        """Returns a fact that was noted."""
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return "" if found is None else str(found[0])


def _plan_line(action: Action) -> tuple[int, str, str, str, str, str, str]:
    return (
        RANK[action.kind], action.kind, action.person, action.destination, action.code,
        outbox_key(action), content_hash(action.payload),
    )  # fmt: skip


def _cells(cells: Mapping[str, Any]) -> str:
    return json.dumps({k: _out(v) for k, v in cells.items()}, separators=(",", ":"))


def _out(cell: Any) -> Any:
    return [micros(cell.earliest), micros(cell.latest)] if isinstance(cell, Interval) else cell


def _row(source: str, contact_id: str, cells: str) -> Row:
    found = json.loads(cells)
    for name, cell in found.items():
        if isinstance(cell, list):
            found[name] = _interval(cell)
    return Row(source, contact_id, found)


def _interval(ends: Sequence[int]) -> Interval:
    return Interval(instant(ends[0]), instant(ends[1]))


def _whole(text: str) -> str:
    """Returns text that a database takes: half a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
