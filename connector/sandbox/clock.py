"""Simulated time: it runs with the machine's clock and can be moved on."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class SimulatedClock:
    """Starts at ``start`` (aware UTC) and goes on by itself; ``advance`` skips a span."""

    def __init__(self, start: datetime, tick: Callable[[], float] = time.monotonic) -> None:
        """``tick`` tells elapsed seconds."""
        self._start, self._tick = start, tick
        self._since = tick()
        self._skipped = timedelta()

    def now(self) -> datetime:
        """Returns the simulated instant."""
        return self._start + self._skipped + timedelta(seconds=self._tick() - self._since)

    def advance(self, span: timedelta) -> datetime:
        """Moves on and returns the new instant."""
        self._skipped += span
        return self.now()
