"""What a run counts while it goes, and what it says of itself at the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from connector.deciding import Ruling
from connector.model import Kind, Outcome, Recall
from connector.outbox import Delivered
from connector.store.rows import Person

SCHEMA: Final = 1
PARTLY: Final = 3
BELOW: Final = "BELOW_WATCH"
ORDER: Final = ("PUSH", "HOLD", "REVIEW", "SUPPRESS", BELOW)


@dataclass(frozen=True, slots=True)
class Report:
    """The summary of one run. ``freed_by`` counts people whom one single piece would free."""

    run: str
    applied: bool
    contacts_seen: int
    outcomes: Mapping[str, int]
    actions: Mapping[str, int]
    plan: Path
    calls: int
    lower_bound: int
    withdrawal_s: tuple[float, ...]
    codes: Mapping[str, int]
    lacking: Mapping[str, int]
    freed_by: Mapping[str, int]
    faults: tuple[str, ...]
    cancelled: int
    unreadable: int
    exit: int

    def clock(self) -> dict[str, float] | None:
        """Returns the withdrawal clock: seconds from the act to the confirmed recall."""
        if not self.withdrawal_s:
            return None
        times = sorted(self.withdrawal_s)
        cuts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
        return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "max": round(times[-1], 1)}

    def as_json(self) -> dict[str, Any]:
        """Returns the document that ``sync --json`` prints."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "applied": self.applied,
            "contacts_seen": self.contacts_seen,
            "outcomes": dict(self.outcomes),
            "actions": dict(self.actions),
            "plan": str(self.plan),
            "calls": {"made": self.calls, "lower_bound": self.lower_bound},
            "withdrawal_seconds": self.clock(),
            "codes": dict(self.codes),
            "lacking": dict(self.lacking),
            "freed_by": dict(self.freed_by),
            "faults": list(self.faults),
            "exit": self.exit,
        }


@dataclass(slots=True)
class Tally:
    """Counts of one run under way."""

    seen: int = 0
    invited: int = 0
    known: int = 0
    turned: int = 0
    recalls_by_judgment: int = 0
    unreadable: int = 0
    feeds: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    results: Delivered = field(default_factory=Delivered)
    _outcomes: Counter[str] = field(default_factory=Counter)
    _codes: Counter[str] = field(default_factory=Counter)
    _lacking: Counter[str] = field(default_factory=Counter)
    _freed_by: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome | None) -> None:
        """Counts one contact; None is one below the watch level."""
        self._outcomes[BELOW if outcome is None else outcome.value] += 1

    def ruled(self, ruling: Ruling, before: Person | None, *, counted: bool) -> None:
        """Counts what deciding on one person gave."""
        if counted:
            self.count(ruling.outcome)
        self.invited += ruling.invited
        decision = ruling.decision
        code = decision.code.value if decision else before.code if before else ""
        if ruling.outcome is not None and counted:
            self._codes[code] += 1
        if decision is not None and decision.outcome is Outcome.HOLD:
            self._lacking.update(decision.lacks)
            if len(decision.lacks) == 1:
                self._freed_by[decision.lacks[0]] += 1
        self._upheaval(ruling, before)

    def _upheaval(self, ruling: Ruling, before: Person | None) -> None:
        """Counts what changed by our judgment and not by an act of the person."""
        if before is None:
            return
        self.known += 1
        derived = ruling.outcome in {Outcome.HOLD, Outcome.REVIEW}
        if before.outcome is Outcome.PUSH and derived:
            self.turned += 1
        if derived and any(isinstance(a.payload, Recall) for a in ruling.actions):
            self.recalls_by_judgment += 1

    def delivered(self, result: Delivered) -> None:
        """Adds what came of the outbox."""
        for kind, number in result.done.items():
            self.results.done[kind] = self.results.done.get(kind, 0) + number
        self.results.refused += result.refused
        self.results.cancelled += result.cancelled
        self.results.clock_s += result.clock_s
        self.results.faults += result.faults

    def outcomes(self) -> dict[str, int]:
        """Returns contacts by outcome."""
        return {name: self._outcomes.get(name, 0) for name in ORDER}

    def exit(self) -> int:
        """Returns 3 where writes were refused and will be tried again, else 0."""
        return PARTLY if self.results.refused else 0

    def told(self, actions: Mapping[str, int]) -> str:
        """Says in a few words what a plan would do."""
        return ", ".join(f"{number} {kind}" for kind, number in actions.items() if number)

    def report(
        self,
        run: str,
        actions: Mapping[str, int],
        plan: Path,
        calls: tuple[int, int],
        *,
        applied: bool,
    ) -> Report:
        """Returns the summary; ``calls`` are those made and the fewest that could do."""
        done = dict(actions)
        recalled = self.results.done.get(Kind.RECALL, 0)
        done[Kind.RECALL.value] = max(done.get(Kind.RECALL.value, 0), recalled)
        return Report(
            run=run,
            applied=applied,
            contacts_seen=self.seen,
            outcomes=self.outcomes(),
            actions=done,
            plan=plan,
            calls=calls[0],
            lower_bound=calls[1],
            withdrawal_s=tuple(self.results.clock_s),
            codes=dict(self._codes.most_common()),
            lacking=dict(self._lacking.most_common()),
            freed_by=dict(self._freed_by.most_common()),
            faults=tuple(self.results.faults[:20]),
            cancelled=self.results.cancelled,
            unreadable=self.unreadable,
            exit=self.exit(),
        )
