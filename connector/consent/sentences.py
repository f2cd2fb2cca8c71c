"""Decisions in sentences that Sales, the person and a regulator can read.

Facts come from the table of reasons; here they are only put together. Times are UTC.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from connector.consent.decision import Decision
from connector.consent.reasons import REASONS, Code
from connector.model import Channel, Outcome, Route

WAYS: Final = {Channel.EMAIL: "e-mail", Channel.PHONE: "telephone"}
NEXT: Final = {
    Route.DIRECT: "Act-On's own programme may send one invitation, once a person has approved it",
    Route.PASSIVE: "the person is asked only on our own pages when they come by",
    Route.WAIT: "an invitation is out; nothing is sent until its days have passed",
    Route.NONE: "the person is not asked again",
}
CLOSED: Final = {
    Outcome.SUPPRESS: "nothing is sent and nobody calls",
    Outcome.REVIEW: "nothing happens until a person has looked at it",
}


class Explanation(NamedTuple):
    """Why a decision is as it is, the law behind it, what would change it, what comes next."""

    says: tuple[str, ...]
    law: tuple[str, ...]
    lifted_by: tuple[str, ...]
    next_what: str
    next_at: datetime | None


def day_and_hour(at: datetime) -> str:
    """Returns an instant as people write it."""
    return f"{at.day} {at.astimezone(UTC):%B %Y, %H:%M} UTC"


def ways(channels: Iterable[Channel]) -> str:
    """Names channels."""
    return " and ".join(WAYS[channel] for channel in channels)


def explain_codes(
    outcome: Outcome, codes: tuple[Code, ...], lacks: Iterable[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Returns sentences, citations and what lifts the decision; the first code decided."""
    says = [REASONS[codes[0]].says]
    says += [f"Also: {REASONS[code].says}" for code in codes[1:]]
    law = dict.fromkeys(REASONS[code].law for code in codes)
    lifted: dict[str, None] = {}
    if outcome is not Outcome.PUSH:
        same = [code for code in codes if REASONS[code].outcome is outcome]
        lifted = dict.fromkeys(REASONS[code].lifted_by for code in same)
        lifted |= dict.fromkeys(f"missing: {piece}" for piece in lacks)
    return tuple(says), tuple(law), tuple(lifted)


def what_next(
    outcome: Outcome, route: Route | None, channels: tuple[Channel, ...], at: datetime | None
) -> str:
    """Says what happens next."""
    if outcome is Outcome.PUSH:
        until = f" until {day_and_hour(at)}, when it is checked again" if at is not None else ""
        return f"Sales may use {ways(channels)}{until}"
    if outcome is Outcome.HOLD:
        return NEXT[route or Route.NONE]
    return CLOSED[outcome]


def explain(decision: Decision) -> Explanation:
    """Explains a decision."""
    says, law, lifted = explain_codes(decision.outcome, decision.codes, decision.lacks)
    after = what_next(decision.outcome, decision.route, decision.channels, decision.look_again_at)
    return Explanation(says, law, lifted, after, decision.look_again_at)


def one_sentence(decision: Decision) -> str:
    """Says to a sales rep why this person may be contacted, how and until when, or why not."""
    reason = REASONS[decision.code].says
    if decision.outcome is Outcome.PUSH:
        after = what_next(decision.outcome, None, decision.channels, decision.look_again_at)
        return f"{reason} {after[0].upper()}{after[1:]}."
    return f"Do not contact. {reason}"
