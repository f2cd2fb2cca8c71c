"""Misbehaving on purpose: what goes wrong, on which path, at which call."""

import re
from dataclasses import dataclass
from typing import Final

KINDS: Final = frozenset(
    {"429", "500", "502", "drop", "slow", "truncate", "expire_token", "duplicate_page", "move_row"}
)


@dataclass(slots=True)
class Fault:
    """``kind`` at the ``nth`` call (from 1) whose path matches, and ``times`` - 1 calls more.

    ``path`` is a regular expression found anywhere in the path; ``method`` narrows it to one.
    """

    kind: str
    path: str = ""
    nth: int = 1
    times: int = 1
    seconds: float = 1.0
    method: str = ""
    seen: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a kind that is not known."""
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    def strikes(self, method: str, path: str) -> bool:
        """Counts a call and says whether it goes wrong."""
        if self.method not in {"", method} or not re.search(self.path, path):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times
