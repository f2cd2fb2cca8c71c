"""Simulated time: it runs with the machine's clock and can be moved on."""

import time
from datetime import datetime, timedelta


class SimulatedClock:
    """Starts at ``start`` (aware UTC) and goes on by itself; ``advance`` skips a span."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._since = time.monotonic()
        self._skipped = timedelta()

    def now(self) -> datetime:
        """Returns the simulated instant."""
        return self._start + self._skipped + timedelta(seconds=time.monotonic() - self._since)

    def advance(self, span: timedelta) -> datetime:
        """Moves on and returns the new instant."""
        self._skipped += span
        return self.now()
