"""What the tests of Act-On share: a still clock, an open quota, a token ledger in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from connector.acton import ActOn
from connector.model import Token
from connector.transport import Transport

BASE = "https://acton.test"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


class StillClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Returns the instant."""
        return self.at

    def sleep(self, seconds: float, /) -> None:
        """Moves on."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def jitter(self) -> float:
        """Returns the middle of the range."""
        return 0.5


class OpenQuota:
    """A quota without a limit."""

    def take(self, _now: float, /) -> float:
        """Books one call."""
        return 0.0


class MemoryLedger:
    """A token ledger that writes down the order of what it is asked."""

    def __init__(self, token: Token | None = None, wait: float = 0.0) -> None:
        self.kept = token
        self.wait = wait
        self.waits: list[float] = []
        self.bad: set[str] = set()
        self.booked = 0

    def token(self, _key: str, /) -> Token | None:
        """Returns the kept token."""
        return self.kept

    def keep(self, _key: str, token: Token, /) -> None:
        """Keeps a token."""
        self.kept = token

    @contextmanager
    def exclusive(self, _key: str, /) -> Iterator[None]:
        """Locks nothing."""
        yield

    def may_authenticate(self, _key: str, _now: float, /) -> float:
        """Books one authentication where there is no wait."""
        wait = self.waits.pop(0) if self.waits else self.wait
        self.booked += wait == 0
        return wait

    def refuse(self, _key: str, fingerprint: str, /) -> None:
        """Remembers a fingerprint."""
        self.bad.add(fingerprint)

    def refused(self, _key: str, fingerprint: str, /) -> bool:
        """Says whether it is remembered."""
        return fingerprint in self.bad


@pytest.fixture
def clock() -> StillClock:
    """Returns a clock that stands still."""
    return StillClock()


@pytest.fixture
def quota() -> OpenQuota:
    """Returns a quota without a limit."""
    return OpenQuota()


@pytest.fixture
def ledger() -> MemoryLedger:
    """Returns an empty token ledger."""
    return MemoryLedger()


@pytest.fixture
def acton(clock: StillClock) -> ActOn:
    """Returns a client of account 12345 without a signature."""
    return ActOn(Transport(BASE, quota=OpenQuota(), clock=clock), "12345")
