"""What a database error means for the person who reads it.

The error's own text is left out: it can quote rows, and rows hold personal data.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from connector.errors import StateError

_HINTS: Final = {
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_IOERR: "check its disk: space, quota and health",
    sqlite3.SQLITE_CANTOPEN: "check that its folder exists and is yours to write",
    sqlite3.SQLITE_PERM: "check who owns it",
    sqlite3.SQLITE_READONLY: "check who owns it, its folder, and whether the disk is read-only",
    sqlite3.SQLITE_BUSY: "another program holds it open; let that finish",
    sqlite3.SQLITE_LOCKED: "another program holds it open; let that finish",
    sqlite3.SQLITE_CORRUPT: "restore the last backup; do not delete it: that would push anew",
    sqlite3.SQLITE_NOTADB: "restore the last backup; do not delete it: that would push anew",
}
_PRIMARY: Final = 0xFF
"""The low byte of an extended result code is the code that the table above knows."""


def state_error(what: str, error: BaseException) -> StateError:
    """Returns the error to raise when ``what`` (a file, by its purpose) failed."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        name = getattr(error, "sqlite_errorname", "")
        return StateError(f"{what} failed: {name}", hint=_HINTS.get(code & _PRIMARY, ""))
    if isinstance(error, OSError):
        return StateError(f"{what} failed: {error.strerror}", hint="check its folder and disk")
    sqlstate = getattr(error, "sqlstate", None)
    name = f"{type(error).__name__} {sqlstate}" if sqlstate else type(error).__name__
    return StateError(f"{what} failed: {name}", hint="check the database server and its log")


@contextmanager
def stating(what: str) -> Iterator[None]:
    """Turns every error of a database or disk into StateError, without the rows it may quote."""
    try:
        yield
    except DBAPIError as error:
        raise state_error(what, error.orig or error) from None
    except (sqlite3.Error, OSError) as error:
        raise state_error(what, error) from None
