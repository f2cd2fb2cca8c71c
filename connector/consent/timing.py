"""When to look again: the next instant at which time alone could change the answer.

Source: rule 2.3.7. Everything else that changes an answer arrives with new evidence.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connector.consent.decision import Ground
from connector.consent.facts import Facts
from connector.consent.person import adult_at
from connector.consent.reasons import Code
from connector.consent.repermission import grace_ends
from connector.consent.requests import Answer
from connector.consent.statement import Judged
from connector.consent.statute import INQUIRY_MONTHS, PURCHASE_MONTHS, SCREENED_UK, SCREENED_US
from connector.consent.times import TOLERANCE, after, in_future, months_after, when
from connector.model import Interval

DATED: Final = (
    "consent_ts",
    "doi_ts",
    "phone_verified_ts",
    "first_visit_ts",
    "request_ts",
    "last_purchase_ts",
    "last_inquiry_ts",
    "last_activity_ts",
)
"""Fields whose instant proves nothing while it lies in the future."""


def after_permission(
    facts: Facts, best: Judged | None, grounds: tuple[Ground, ...], answer: Answer
) -> datetime | None:
    """Returns the next instant (UTC) at which a push could change, None if there is none."""
    asked = (request.until for request in answer.requests)
    return _next(facts, [*_of_evidence(facts, best), *_of_grounds(facts, grounds), *asked])


def after_refusal(
    facts: Facts, best: Judged | None, answer: Answer, *, held: bool
) -> datetime | None:
    """Returns the next instant (UTC) at which a refusal could change, None if there is none."""
    instants = [*_of_evidence(facts, best), *(request.until for request in answer.requests)]
    if held or facts.policy.statutory:
        instants += _of_windows(facts)
    if held:
        instants += _of_asking(facts, best)
    return _next(facts, instants)


def _next(facts: Facts, instants: list[datetime]) -> datetime | None:
    return min((at for at in instants if at > facts.now), default=None)


def _of_evidence(facts: Facts, best: Judged | None) -> Iterator[datetime]:
    """Renewal and expiry of the judged row, coming dates of any row, the 18th birthday."""
    if best is not None and best.statement.ends is not None:
        yield from best.statement.ends
    for row in facts.own:
        cells = row.row.cells
        for field in DATED:
            if field in cells:
                at = when(cells[field])
                if isinstance(at, Interval) and in_future(at, facts.now):
                    yield after(at.earliest, -TOLERANCE)
        adult = adult_at(when(cells.get("birth_date")))
        if adult is not None:
            yield adult


def _of_grounds(facts: Facts, grounds: tuple[Ground, ...]) -> Iterator[datetime]:
    for ground in grounds:
        if ground.code is Code.OK_RELAXED:
            yield from (relaxation.until for relaxation in facts.policy.relaxations)
            yield from (end for row in facts.own if row.ends is not None for end in row.ends)
        elif ground.code is Code.OK_STATUTORY:
            yield from _of_windows(facts)


def _of_windows(facts: Facts) -> Iterator[datetime]:
    """Ends of purchases, inquiries (CASL, soft opt-in) and screenings (PECR 21(4), 16 CFR 310)."""
    for row in facts.own:
        purchase = when(row.row.cells.get("last_purchase_ts"))
        if isinstance(purchase, Interval):
            yield months_after(purchase.earliest, PURCHASE_MONTHS)
        inquiry = when(row.row.cells.get("last_inquiry_ts"))
        if isinstance(inquiry, Interval):
            yield months_after(inquiry.earliest, INQUIRY_MONTHS)
    screened = when(facts.evidence.screening.get("screened_at"))
    if isinstance(screened, Interval):
        yield after(screened.earliest, -TOLERANCE)
        yield after(screened.earliest, SCREENED_UK)
        yield after(screened.earliest, SCREENED_US)


def _of_asking(facts: Facts, best: Judged | None) -> Iterator[datetime]:
    """End of the wait after an invitation, and of the grace in which a lapse may be mended."""
    last = facts.asking.last
    if isinstance(last, Interval):
        yield after(last.latest, facts.policy.asking.wait)
    grace = grace_ends(facts, best) if best is not None else None
    if grace is not None:
        yield grace
