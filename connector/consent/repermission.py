"""Whether and how a held person may be asked for permission.

Source: rules 2.6 and 3. A mail that asks for consent is direct marketing itself, so a route is
the least permissive that applies. The connector never sends it: Act-On or the customer's page do.
"""

from datetime import datetime, timedelta
from typing import Final

from connector.consent.facts import Facts
from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.consent.statement import Judged
from connector.consent.statute import casl_implied, corporate, soft_opt_in
from connector.consent.times import after, months_after, past, when
from connector.consent.values import NEGATIVE
from connector.model import Interval, Route

CARRIES_AN_ASK: Final = frozenset(
    {
        Code.NOTICE_OUTDATED,
        Code.PURPOSE_NOT_COVERED,
        Code.TRACKING_NOT_CONSENTED,
        Code.NO_PERMITTED_CHANNEL,
    }
)
"""Gaps beside which a valid e-mail consent still carries the mail that asks (rule 6)."""
GRACE: Final = timedelta(days=90)
FRENCH_MONTHS: Final = 36
"""CNIL: prospects may be asked again up to three years after their last contact."""


def waiting(facts: Facts) -> bool:
    """Says whether an invitation is out and its days have not passed (or it has no date)."""
    state, last = facts.asking.state, facts.asking.last
    if state not in {"invited", "reminded"}:
        return False
    return not isinstance(last, Interval) or facts.now < after(
        last.latest, facts.policy.asking.wait
    )


def exhausted(facts: Facts) -> bool:
    """H0: asked as often as allowed, or lapsed: silence ends the asking (Rec. 32)."""
    state, invites = facts.asking.state, facts.asking.invites
    if state == "lapsed":
        return True
    return invites >= facts.policy.asking.invitations and not waiting(facts) and state != "declined"


def route_of(codes: frozenset[Code], facts: Facts, best: Judged | None, *, by_law: bool) -> Route:
    """Returns the route of a HOLD with these deciding codes.

    ``by_law`` says that a statutory e-mail basis was found and only notice or tracking lack.
    """
    if Code.REPERM_EXHAUSTED in codes:
        return Route.NONE
    if waiting(facts):
        return Route.WAIT
    if codes & {Code.CONSENT_THIRD_PARTY, Code.CONTROLLER_MISMATCH}:
        return Route.PASSIVE
    if facts.email_off or _email_refused(facts, best):
        return Route.PASSIVE
    if Code.TRACKING_NOT_CONSENTED in codes and _tracking_refused(facts):
        return Route.PASSIVE
    if best is not None and best.fate.email_stands and _consent_carries(codes, facts, best):
        return Route.DIRECT
    if by_law or _national_exemption(codes, facts):
        return Route.DIRECT
    return Route.PASSIVE


def _email_refused(facts: Facts, best: Judged | None) -> bool:
    """Says whether an e-mail no stands, in an own or kin row (rule 4)."""
    if best is not None and best.fate.email_stands:
        return False
    return any(row.email in NEGATIVE for row in facts.kin)


def _tracking_refused(facts: Facts) -> bool:
    return "HasOptedOutTracking" in facts.crm or any(row.tracking in NEGATIVE for row in facts.own)


def _consent_carries(codes: frozenset[Code], facts: Facts, best: Judged) -> bool:
    """Rules 6 and 7: a standing e-mail consent, at worst just expired, carries the ask."""
    if codes <= CARRIES_AN_ASK:
        return True
    if not codes <= CARRIES_AN_ASK | {Code.CONSENT_EXPIRED}:
        return False
    ends = grace_ends(facts, best)
    return ends is not None and facts.now < ends


def grace_ends(facts: Facts, best: Judged) -> datetime | None:
    """Returns until when an expired consent may be reconfirmed once; None without a country."""
    at = best.statement.at
    if facts.local is Profile.STRICT or not isinstance(at, Interval):
        return None
    if facts.local is Profile.FR:
        contacts = [at.earliest, *_activity(facts)]
        return months_after(max(contacts), FRENCH_MONTHS)
    return after(months_after(at.earliest, facts.policy.valid_months), GRACE)


def _activity(facts: Facts) -> list[datetime]:
    seen = (past(when(row.row.cells.get("last_activity_ts")), facts.now) for row in facts.own)
    return [at.earliest for at in seen if at is not None]


def _national_exemption(codes: frozenset[Code], facts: Facts) -> bool:
    """Rule 8: where national law lets a mail be sent, whatever is missing for a push."""
    match facts.local:
        case Profile.US:
            return True
        case Profile.CA:
            return casl_implied(facts)
        case Profile.UK:
            return corporate(facts) or soft_opt_in(facts)
        case Profile.FR:
            informed = any(row.notice in facts.policy.notices for row in facts.own)
            return corporate(facts) and informed and Code.CONSENT_EXPIRED not in codes
        case _:
            return False
