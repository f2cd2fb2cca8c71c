"""The answer: what may be done with one person, by which channels, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Outcome, Route, Row


class Ground(NamedTuple):
    """What carries a push: its code, its channels, and the row that proves it.

    ``notice`` is the notice version that was shown, own or inherited from the registered label.
    """

    code: Code
    channels: tuple[Channel, ...]
    row: Row
    source: str = ""
    method: str = ""
    notice: str = ""
    until: datetime | None = None

    def cell(self, field: str) -> Cell:
        """Returns a cell of the proving row."""
        return self.row.cells.get(field)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome with its reason code; ``also`` are all other codes in table order.

    ``channels`` is empty unless the outcome is PUSH. ``look_again_at`` is the next instant (UTC)
    at which time alone could change the answer. ``lacks`` names the pieces of evidence without
    which a held person cannot be pushed. ``refused`` are channels that the person's own act
    closed; ``global_act`` says that an act of theirs closed all of them (rule 2.1a).
    ``requested`` says that a current request may be answered: that qualifies without a score.
    """

    outcome: Outcome
    code: Code
    also: tuple[Code, ...]
    route: Route | None
    channels: tuple[Channel, ...]
    look_again_at: datetime | None
    profile: Profile | None
    policy_version: str
    policy_hash: str
    grounds: tuple[Ground, ...] = ()
    lacks: tuple[str, ...] = ()
    refused: tuple[Channel, ...] = ()
    global_act: bool = False
    requested: bool = False

    @property
    def codes(self) -> tuple[Code, ...]:
        """All codes, the reason first."""
        return (self.code, *self.also)
