"""Rules about the person, whatever row is judged best.

Source: table 2.2, S1-S5, S8, S9, S11, R1, R3-R5, R7, R8, R14 and the information codes. Each is a
small function named in ``RULES``; adding one is adding one function and one name.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from connector.consent.channels import code_of_no
from connector.consent.facts import Facts, reach_of
from connector.consent.keys import domain_part, local_part
from connector.consent.policy import Reach
from connector.consent.proof import THIRD_PARTY
from connector.consent.reasons import Code
from connector.consent.requests import Answer
from connector.consent.statement import opted_out_at, reconsents
from connector.consent.times import (
    TOLERANCE,
    When,
    after,
    months_after,
    when,
)
from connector.consent.values import NEGATIVE, Truth, negative_truth
from connector.model import Channel, Feed, Interval

FRESH: Final = timedelta(hours=24)
"""Older suppression lists are as good as none (rule 2.3.3)."""
ADULT_MONTHS: Final = 18 * 12
OBJECTIONS: Final = ("HasOptedOutSolicit", "HasOptedOutProfiling", "HasOptedOutProcessing")
CODE_OF_FEED: Final = {Feed.SPAM: Code.SPAM_COMPLAINT, Feed.OPTOUT: Code.OPTED_OUT}


class Finding(NamedTuple):
    """One coded finding. One that does not decide is only reported; one that ``bars_answer``
    also forbids answering a request of the person."""

    code: Code
    decides: bool = True
    bars_answer: bool = False


Rule = Callable[[Facts, Answer], Iterator[Finding]]


def _suppressed(code: Code, at: When, facts: Facts, answer: Answer) -> Iterator[Finding]:
    """Yields a global suppression, or what a provably later word of the person makes of it.

    Each entry counts for itself (rules 1.4 and 2.7); no other act lifts one, and a human clears it.
    """
    softened = False
    if isinstance(at, Interval):
        if any(reconsents(row, at, facts) for row in facts.own):
            softened = True
            yield Finding(Code.RECONSENT_AFTER_SUPPRESSION, bars_answer=True)
        if code is not Code.CATEGORY_OPTED_OUT and answer.asked_after(at):
            softened = True
            yield Finding(Code.REQUEST_AFTER_SUPPRESSION, bars_answer=True)
    if not softened:
        yield Finding(code, bars_answer=code is not Code.CATEGORY_OPTED_OUT)


def tombstones(facts: Facts, answer: Answer) -> Iterator[Finding]:
    """S1, S2: an erased person or one who objected is not approached again (Art. 17, 21)."""
    for stone in facts.evidence.history.tombstones:
        code = Code.ERASED if stone.kind == "erased" else Code.OBJECTED
        yield from _suppressed(code, stone.at, facts, answer)


def crm_objections(facts: Facts, _: Answer) -> Iterator[Finding]:
    """S1, S2: what Sales recorded in the CRM counts; CRM flags have no date (Art. 21)."""
    if "ShouldForget" in facts.crm:
        yield Finding(Code.ERASED, bars_answer=True)
    if any(flag in facts.crm for flag in OBJECTIONS):
        yield Finding(Code.OBJECTED, bars_answer=True)


def objections(facts: Facts, answer: Answer) -> Iterator[Finding]:
    """S2, R7: a do-not-contact column or a dated objection in any row of the mailbox (Art. 21)."""
    for statement in facts.kin:
        said = negative_truth(statement.row.cells.get("do_not_contact"))
        if said is Truth.YES:
            yield Finding(Code.OBJECTED, bars_answer=True)
        elif said is Truth.AMBIGUOUS:
            yield Finding(Code.CONSENT_VALUE_AMBIGUOUS, bars_answer=True)
        objected = when(statement.row.cells.get("objected_ts"))
        if objected is not None:
            yield from _suppressed(Code.OBJECTED, objected, facts, answer)


def suppression_lists(facts: Facts, answer: Answer) -> Iterator[Finding]:
    """S3, S4, S5, R14: Act-On's own lists (Art. 7(3), 21(3)); an unmapped category fails closed."""
    for entry in facts.listed:
        if entry.feed in CODE_OF_FEED:
            yield from _suppressed(CODE_OF_FEED[entry.feed], entry.at, facts, answer)
        elif entry.feed is Feed.CATEGORY:
            reach = reach_of(entry, facts.policy)
            if reach is None:
                yield Finding(Code.CATEGORY_UNMAPPED)
            elif reach is Reach.ALL:
                yield from _suppressed(Code.CATEGORY_OPTED_OUT, entry.at, facts, answer)
            elif reach is Reach.EMAIL:
                yield Finding(Code.CATEGORY_EMAIL_OFF, decides=False)


def declined(facts: Facts, _: Answer) -> Iterator[Finding]:
    """S8: a no to the re-permission request is final but for a later confirmed consent."""
    asked = facts.asking
    if asked.state == "declined" and not any(
        reconsents(row, asked.answered, facts) for row in facts.own
    ):
        yield Finding(Code.CONSENT_REFUSED)


def minor(facts: Facts, _: Answer) -> Iterator[Finding]:
    """S9: nobody under 18 is scored or handed over (Art. 8, Rec. 38, 71)."""
    for statement in facts.own:
        adult = adult_at(when(statement.row.cells.get("birth_date")))
        if adult is not None and facts.now < adult:
            yield Finding(Code.MINOR, bars_answer=True)


def internal(facts: Facts, _: Answer) -> Iterator[Finding]:
    """S11: our own people are no prospects; the domain is compared exactly."""
    if domain_part(facts.key) in facts.policy.internal_domains:
        yield Finding(Code.INTERNAL_ADDRESS, bars_answer=True)


def stale_lists(facts: Facts, _: Answer) -> Iterator[Finding]:
    """R1: without complete, fresh suppression lists nobody is pushed (Art. 5(2), 25, 32)."""
    read = facts.evidence.suppressions
    fresh = read.fetched_at is not None and facts.now - FRESH <= read.fetched_at <= after(
        facts.now, TOLERANCE
    )
    if not (read.complete and fresh):
        yield Finding(Code.SOURCE_UNAVAILABLE, bars_answer=True)


def role_address(facts: Facts, _: Answer) -> Iterator[Finding]:
    """R3: consent is given by a natural person, not by a mailbox (Art. 4(11))."""
    if local_part(facts.key) in facts.policy.roles:
        yield Finding(Code.ROLE_ADDRESS)


def unclear_words(facts: Facts, _: Answer) -> Iterator[Finding]:
    """R7: a value that is no clear yes or no stops the person (Art. 4(11) "unambiguous")."""
    if any(Truth.AMBIGUOUS in (row.email, row.phone) for row in facts.own):
        yield Finding(Code.CONSENT_VALUE_AMBIGUOUS)


def missing_column(facts: Facts, _: Answer) -> Iterator[Finding]:
    """R8: a statutory basis needs to know that no statement exists (EDPB paras 120-123)."""
    if facts.policy.statutory and any(
        "consent_email" not in row.row.cells and not row.declared.requests_only for row in facts.own
    ):
        yield Finding(Code.CONSENT_COLUMN_MISSING)


def information(facts: Facts, _: Answer) -> Iterator[Finding]:
    """I2, I3, I5, I6: what a reader of the decision should know."""
    for code in facts.jurisdiction:
        yield Finding(code, decides=False)
    if "HasOptedOutOfEmail" in facts.crm:
        yield Finding(Code.CRM_EMAIL_OFF, decides=False)
    if facts.calls_off:
        yield Finding(Code.CRM_PHONE_OFF, decides=False)
    if facts.bounced:
        yield Finding(Code.HARD_BOUNCE, decides=False)


RULES: Final[tuple[Rule, ...]] = (
    tombstones,
    crm_objections,
    objections,
    suppression_lists,
    declined,
    minor,
    internal,
    stale_lists,
    role_address,
    unclear_words,
    missing_column,
    information,
)


def about_person(facts: Facts, answer: Answer) -> list[Finding]:
    """Returns what the rules about the person find."""
    return [finding for rule in RULES for finding in rule(facts, answer)]


def without_a_yes(facts: Facts, answer: Answer) -> Iterator[Finding]:
    """Yields what stands where no row is affirmative: H2, H3, S7, S8, S10 (rule 1.4)."""
    yield Finding(Code.CONSENT_MISSING)
    if any(row.source in THIRD_PARTY for row in facts.own):
        yield Finding(Code.CONSENT_THIRD_PARTY)
    for row in facts.kin:
        if opted_out_at(row) is not None:
            yield Finding(Code.CONSENT_WITHDRAWN)
        for said in (row.email, row.phone):
            if said in NEGATIVE:
                yield Finding(code_of_no(said))
    if facts.bounced and Channel.PHONE not in answer.channels:
        yield Finding(Code.HARD_BOUNCE)


def adult_at(born: When) -> datetime | None:
    """Returns the 18th birthday at midnight UTC; None if the date is missing or unreadable.

    The day is taken from the middle of the interval, whatever zone it was written in.
    """
    if not isinstance(born, Interval):
        return None
    middle = after(born.earliest + (born.latest - born.earliest) / 2, timedelta(hours=1))
    day = middle.replace(hour=0, minute=0, second=0, microsecond=0)
    return months_after(day, ADULT_MONTHS)
