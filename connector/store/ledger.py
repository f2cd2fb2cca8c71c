"""Tokens, call counters and the lock of one account, in a small file of their own.

A plan spends calls too and must not touch the state. A counter that cannot be read refuses:
nobody calls uncounted. Limits: developer.act-on.com (5 a second, 30,000 a day, 5 authentications
an hour); ours are below them and remembered across runs and processes.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from connector.errors import CredentialsError, LockHeld, QuotaExhausted
from connector.model import Token
from connector.store.faults import state_error, stating

DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
AUTHENTICATIONS: Final = 4
STALE_S: Final = 2 * HOUR_S
QUEUE_S: Final = 60.0
"""No queue for a call is longer; a booking further ahead was made before the clock was set back."""
OTHERS: Final = 0o077
"""Permission bits by which others could read the tokens."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS pace (one INTEGER PRIMARY KEY CHECK (one = 1), next REAL NOT NULL);
CREATE TABLE IF NOT EXISTS spent (bucket INTEGER PRIMARY KEY, calls INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS authentication (key TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS token (key TEXT PRIMARY KEY, access TEXT, refresh TEXT, at REAL,
                                  life INT);
CREATE TABLE IF NOT EXISTS refused (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
"""
BUCKET_S: Final = 600
"""The day rolls on in steps of ten minutes; a step counts until all of it is a day old."""
_SPENT: Final = "SELECT coalesce(sum(calls), 0) FROM spent WHERE bucket >= ?"


class Ledger:
    """Counts, keeps and locks, across threads and processes. Instants are Unix seconds."""

    def __init__(self, folder: Path, *, per_second: float, per_day: int) -> None:
        self._folder = folder
        self._gap = 1.0 / per_second
        self._per_day = per_day
        self._alone = threading.Lock()
        with stating("opening the call counters"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / "ledger.db"
            path.touch(mode=0o600)
            _require_private(path)
            self._db = sqlite3.connect(
                path, isolation_level=None, timeout=30, check_same_thread=False
            )
            try:
                self._db.executescript(_TABLES)
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        """Returns the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._alone, stating("counting calls"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _found(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._alone, stating("reading tokens and call counters"):
            row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
            return row

    def take(self, now: float, /) -> float:
        """Books one call; returns the seconds to wait before it. Raises QuotaExhausted."""
        with self._writing() as db:
            spent = int(db.execute(_SPENT, (_since(now),)).fetchone()[0])
            if spent >= self._per_day:
                raise QuotaExhausted(
                    f"{spent} calls were made within 24 hours, our share of Act-On's quota",
                    hint="the next run continues; [limits] in connector.toml sets the share",
                )
            row = db.execute("SELECT next FROM pace").fetchone()
            free = row[0] if row is not None and row[0] - now < QUEUE_S else now
            at = max(now, free)
            db.execute("INSERT OR REPLACE INTO pace VALUES (1, ?)", (at + self._gap,))
            bucket = int(now // BUCKET_S)
            db.execute(
                "INSERT INTO spent VALUES (?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
                (bucket,),
            )
            db.execute("DELETE FROM spent WHERE bucket < ?", (bucket - 2 * DAY_S // BUCKET_S,))
        return max(0.0, at - now)

    def spent_today(self, now: float) -> int:
        """Returns the calls of the last 24 hours, to the next full ten minutes."""
        row = self._found(_SPENT, _since(now))
        return 0 if row is None else int(row[0])

    def token(self, key: str, /) -> Token | None:
        """Returns the kept token."""
        row = self._found("SELECT access, refresh, at, life FROM token WHERE key = ?", key)
        if row is None:
            return None
        access, refresh, at, life = row
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
            db.execute("DELETE FROM authentication WHERE at <= ?", (now - HOUR_S,))
            # the clock was set back: what lies ahead counts as just made, and so runs out
            db.execute("UPDATE authentication SET at = ? WHERE at > ?", (now, now))
            asked = "SELECT at FROM authentication WHERE key = ? ORDER BY at"
            made = [float(at) for (at,) in db.execute(asked, (key,))]
            if len(made) >= AUTHENTICATIONS:
                return max(1.0, made[-AUTHENTICATIONS] + HOUR_S - now)
            db.execute("INSERT INTO authentication VALUES (?, ?)", (key, now))
        return 0.0

    def refuse(self, key: str, fingerprint: str, /) -> None:
        """Remembers refused credentials, so that they are not tried again."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?)", (key, fingerprint))

    def refused(self, key: str, fingerprint: str, /) -> bool:
        """Says whether these very credentials were refused before."""
        found = self._found("SELECT fingerprint FROM refused WHERE key = ?", key)
        return found is not None and found[0] == fingerprint

    @contextmanager
    def lock(self, now: datetime) -> Iterator[None]:
        """Holds the account's lock for one run; a killed run releases it. Raises LockHeld."""
        path = self._folder / "run.lock"
        with ExitStack() as held:
            try:
                held.enter_context(_held(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError:
                raise _lock_held(path, now) from None
            with stating("writing the lock"):
                os.utime(path, (now.timestamp(), now.timestamp()))
            yield


def _lock_held(path: Path, now: datetime) -> LockHeld:
    with stating("reading the lock"):
        age = max(now.timestamp() - path.stat().st_mtime, 0.0)
    return LockHeld(
        f"another run holds the lock since {age / 60:.0f} minutes",
        stale=age > STALE_S,
        hint="wait for it, or look at it if it is older than a run should be",
    )


def _since(now: float) -> int:
    return int((now - DAY_S) // BUCKET_S)


def _require_private(path: Path) -> None:
    if path.stat().st_mode & OTHERS:
        raise CredentialsError(
            f"others may read {path}, which holds access tokens", hint=f"chmod 600 {path}"
        )


@contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    """Holds a lock on an open file: the kernel frees it when the process ends in any way."""
    with stating("opening a lock"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            raise
        except OSError as error:
            raise state_error("taking a lock", error) from None
        yield
    finally:
        os.close(handle)
