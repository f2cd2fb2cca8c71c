"""Tokens, call counters and the lock of one account, in a small file of their own.

A plan spends calls too and must not touch the state. A counter that cannot be read refuses:
nobody calls uncounted. Limits: developer.act-on.com (5 a second, 30,000 a day, 5 authentications
an hour); ours are below them and remembered across runs and processes.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from connector.errors import LockHeld, QuotaExhausted
from connector.model import Token
from connector.store.faults import stating

DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
AUTHENTICATIONS: Final = 4
STALE_S: Final = 2 * HOUR_S
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY CHECK (one = 1), next REAL NOT NULL);
CREATE TABLE IF NOT EXISTS spent (bucket INTEGER PRIMARY KEY, calls INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS authentication (key TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS token (key TEXT PRIMARY KEY, access TEXT, refresh TEXT, at REAL,
                                  life INT);
CREATE TABLE IF NOT EXISTS refused (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
"""
BUCKET_S: Final = 600
"""The day rolls on in steps of ten minutes."""


class Ledger:
    """Counts, keeps and locks, across threads and processes. Instants are Unix seconds."""

    def __init__(self, folder: Path, *, per_second: float, per_day: int) -> None:
        self._folder = folder
        self._gap = 1.0 / per_second
        self._per_day = per_day
        with stating("opening the call counters"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / "ledger.db"
            path.touch(mode=0o600)
            self._db = sqlite3.connect(
                path, isolation_level=None, timeout=30, check_same_thread=False
            )
            self._db.executescript(_TABLES)

    def __enter__(self) -> Self:
        """Returns the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with stating("counting calls"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def take(self, now: float, /) -> float:
        """Books one call; returns the seconds to wait before it. Raises QuotaExhausted."""
        with self._writing() as db:
            spent = self._spent(now)
            if spent >= self._per_day:
                raise QuotaExhausted(
                    f"{spent} calls were made within 24 hours, our share of Act-On's quota",
                    hint="the next run continues; [limits] in connector.toml sets the share",
                )
            row = db.execute("SELECT next FROM pace").fetchone()
            free = row[0] if row is not None and row[0] - now < DAY_S else now
            at = max(now, free)
            db.execute("INSERT OR REPLACE INTO pace VALUES (1, ?)", (at + self._gap,))
            bucket = int(now // BUCKET_S)
            db.execute(
                "INSERT INTO spent VALUES (?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
                (bucket,),
            )
            db.execute("DELETE FROM spent WHERE bucket < ?", (bucket - 2 * DAY_S // BUCKET_S,))
        return max(0.0, at - now)

    def _spent(self, now: float) -> int:
        since = int((now - DAY_S) // BUCKET_S)
        found = self._db.execute("SELECT sum(calls) FROM spent WHERE bucket > ?", (since,))
        return int(found.fetchone()[0] or 0)

    def spent_today(self, now: float) -> int:
        """Returns the calls of the last 24 hours."""
        with stating("reading the call counters"):
            return self._spent(now)

    def token(self, key: str, /) -> Token | None:
        """Returns the kept token."""
        with stating("reading the token"):
            row = self._db.execute("SELECT * FROM token WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        _, access, refresh, at, life = row
        return Token(access, refresh, datetime.fromtimestamp(at, UTC), life)

    def keep(self, key: str, token: Token, /) -> None:
        """Keeps a token durably: a refresh token works once."""
        values = (key, token.access, token.refresh, token.fetched_at.timestamp(), token.lifetime_s)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)", values)
            db.execute("DELETE FROM refused WHERE key = ?", (key,))

    @contextmanager
    def exclusive(self, key: str, /) -> Iterator[None]:
        """Holds the token lock of an account; waits for another process that holds it."""
        with _held(self._folder / f"token-{key[:16]}.lock", fcntl.LOCK_EX):
            yield

    def may_authenticate(self, key: str, now: float, /) -> float:
        """Books one authentication, or returns the seconds until one is free."""
        with self._writing() as db:
            db.execute(
                "DELETE FROM authentication WHERE at <= ? OR at > ?", (now - HOUR_S, now + 1)
            )
            made = [
                at
                for (at,) in db.execute(
                    "SELECT at FROM authentication WHERE key = ? ORDER BY at", (key,)
                )
            ]
            if len(made) >= AUTHENTICATIONS:
                return max(1.0, float(made[-AUTHENTICATIONS]) + HOUR_S - now)
            db.execute("INSERT INTO authentication VALUES (?, ?)", (key, now))
        return 0.0

    def refuse(self, key: str, fingerprint: str, /) -> None:
        """Remembers refused credentials, so that they are not tried again."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?)", (key, fingerprint))

    def refused(self, key: str, fingerprint: str, /) -> bool:
        """Says whether these very credentials were refused before."""
        with stating("reading refused credentials"):
            row = self._db.execute("SELECT fingerprint FROM refused WHERE key = ?", (key,))
            found = row.fetchone()
        return found is not None and found[0] == fingerprint

    @contextmanager
    def lock(self, now: datetime) -> Iterator[None]:
        """Holds the account's lock for one run; a killed run releases it. Raises LockHeld."""
        path = self._folder / "run.lock"
        try:
            with _held(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                os.utime(path)
                yield
        except BlockingIOError:
            age = now.timestamp() - path.stat().st_mtime
            raise LockHeld(
                f"another run holds the lock since {max(age, 0) / 60:.0f} minutes",
                stale=age > STALE_S,
                hint="wait for it, or look at it if it is older than a run should be",
            ) from None


@contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    with stating("opening a lock"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
