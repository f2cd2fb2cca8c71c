"""What a call is, and what sending one needs from outside: time, a quota, a signature."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from urllib.parse import unquote

import requests
from requests.auth import AuthBase


class Clock(Protocol):
    """Time and chance, injected so that tests and the sandbox move them."""

    def now(self) -> datetime:
        """Returns the instant, aware and in UTC."""

    def sleep(self, seconds: float, /) -> None:
        """Waits."""

    def jitter(self) -> float:
        """Returns a number in [0, 1)."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Returns the instant, aware and in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float, /) -> None:
        """Waits."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Returns a number in [0, 1)."""
        return random.random()  # noqa: S311  # spreads retries; nothing secret depends on it


class Quota(Protocol):
    """Calls that may still be made, counted across threads and processes."""

    def take(self, now: float, /) -> float:
        """Books one call; returns the seconds to wait before it starts.

        ``now`` is in Unix seconds. Raises QuotaExhausted when none is left.
        """


class Renewable(AuthBase):
    """Signs requests with something that can die early."""

    def refused(self, request: requests.PreparedRequest) -> bool:
        """Learns that a signature got 401; returns whether a new one is worth a try."""
        raise NotImplementedError


class Patience(NamedTuple):
    """How long to wait: to connect, between two bytes, for one call in all; and how often."""

    connect_s: float = 10
    read_s: float = 60
    total_s: float = 300
    attempts: int = 6


@dataclass(frozen=True, slots=True)
class Call:
    """One intended request; ``path`` is already percent-encoded.

    ``repeatable`` says that doing it twice is the same as doing it once. With ``stream`` the body
    is left unread and the caller closes the response.
    """

    method: str
    path: str
    params: Mapping[str, str | int] | None = None
    data: Mapping[str, str] | None = None
    json: object = None
    files: Mapping[str, tuple[str | None, bytes | str, str]] | None = None
    headers: Mapping[str, str] | None = None
    repeatable: bool = False
    stream: bool = False
    accept: str = "application/json"

    @property
    def name(self) -> str:
        """Method and path as they may be logged: an address in the path is masked."""
        segments = (("***" if "@" in unquote(s) else s) for s in self.path.split("/"))
        return f"{self.method} {'/'.join(segments)}"
