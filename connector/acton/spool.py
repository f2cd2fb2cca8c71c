"""A reading is held back until it is known to be whole; only here is one begun again.

Act-On promises no order of rows and no stable pages, so a reading that broke off or contradicts
itself is thrown away and made once more. What is held lies in a private temporary database that
no other process can open and that ends with the reading: memory stays flat.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import requests

from connector.errors import SourceError, StateError

MOST_READS: Final = 3
BATCH: Final = 2_000


class BrokenOff(Exception):
    """A reading cannot be used; says why, without a value."""


class Spool:
    """Rows of one reading by their key, in order of arrival; a context manager."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        self._db.execute("CREATE TABLE row (key TEXT PRIMARY KEY, cells TEXT NOT NULL)")
        self._waiting: list[tuple[str, str]] = []
        self.added = 0

    def __enter__(self) -> Self:
        """Returns the empty spool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it and frees its disk."""
        self._db.close()

    def add(self, key: str, cells: object) -> None:
        """Holds one row; ``cells`` is anything that JSON can say. A later row of a key counts."""
        self.added += 1
        self._waiting.append((key, json.dumps(cells, ensure_ascii=False)))
        if len(self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        with _storing():
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO row VALUES (?, ?)", self._waiting)
            self._db.execute("COMMIT")
        self._waiting.clear()

    def distinct(self) -> int:
        """Counts the keys."""
        self._flush()
        return int(self._db.execute("SELECT count(*) FROM row").fetchone()[0])

    def digest(self) -> str:
        """Returns what is equal for two readings that found the same keys, in any order."""
        self._flush()
        found = hashlib.sha256()
        for (key,) in self._db.execute("SELECT key FROM row ORDER BY key"):
            found.update(json.dumps(key).encode())
        return found.hexdigest()

    def clear(self) -> None:
        """Forgets all rows."""
        self._waiting.clear()
        self.added = 0
        with _storing():
            self._db.execute("DELETE FROM row")

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yields keys and cells."""
        self._flush()
        for key, cells in self._db.execute("SELECT key, cells FROM row ORDER BY rowid"):
            yield key, json.loads(cells)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateError(
            f"no room for a reading: {error}", hint="free space in the temporary folder (TMPDIR)"
        ) from error


def whole(what: str, read: Callable[[Spool], str]) -> Iterator[tuple[str, Any]]:
    """Yields the rows of a reading that is whole, each key once; raises SourceError otherwise.

    ``read`` fills the spool and returns a doubt, ``""`` for none, or raises BrokenOff. A doubtful
    reading is believed when the next one finds the very same keys: then nothing moved and it was
    a counter of Act-On that was wrong, as they are known to be.
    """
    doubt, earlier = "", ""
    with Spool() as spool:
        for _ in range(MOST_READS):
            spool.clear()
            found = ""
            try:
                doubt = read(spool)
                if doubt:
                    found = spool.digest()
            except BrokenOff as broken:
                doubt = str(broken)
            if not doubt or (found and found == earlier):
                yield from spool
                return
            earlier = found
    raise SourceError(
        f"{what} could not be read whole in {MOST_READS} readings: {doubt}",
        hint="nothing was pushed; run again when no import or programme changes it",
    )


@contextmanager
def breaking_off(what: str) -> Iterator[None]:
    """Turns a body that ends too early, or is garbled, into BrokenOff."""
    try:
        yield
    except requests.RequestException as error:
        raise BrokenOff(f"{what} broke off ({type(error).__name__})") from None


def doubt_about(spool: Spool, total: int) -> str:
    """Compares a reading with itself and with a count of Act-On's; -1 is no count."""
    distinct = spool.distinct()
    if spool.added > distinct:
        return f"{spool.added - distinct} rows came twice"
    if total >= 0 and distinct != total:
        return f"{distinct} rows came, {total} were counted"
    return ""
