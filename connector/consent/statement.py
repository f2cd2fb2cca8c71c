"""Judging one affirmative row alone: is its yes valid, and which channels does it keep?

Evidence is never combined across rows (rule 1.4 "The judged row"). Each rule below is one line of
table 2.2; to add one, write a small function and name it in ``RULES``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connector.consent.channels import Fate, fate
from connector.consent.facts import Facts, Statement
from connector.consent.policy import Notice, Relaxable
from connector.consent.profiles import DEMANDS
from connector.consent.proof import (
    NOT_AFFIRMATIVE,
    RELAXED_BY,
    SELF_SERVICE,
    THIRD_PARTY,
    WITNESSED,
    carries,
    missing_proof,
    names_another_company,
)
from connector.consent.reasons import OUTCOME_RANK, RANK, REASONS, Code
from connector.consent.times import (
    FIRST,
    UNREADABLE,
    When,
    in_future,
    past,
    provably_later,
    when,
)
from connector.consent.values import NEGATIVE, Truth, text_of
from connector.model import Channel, Interval

BOT_SPAN: Final = timedelta(seconds=10)
Codes = tuple[Code, ...]
NONE: Final[Codes] = ()


@dataclass(slots=True)
class Judged:
    """A row with its verdict: codes that decide, are reported, or were relaxed."""

    statement: Statement
    fate: Fate
    deciding: Codes
    reported: Codes
    relaxed: Codes = NONE


def judge(
    statement: Statement, facts: Facts, relaxed: frozenset[Relaxable] = frozenset()
) -> Judged:
    """Judges one row; a relaxed code is reported instead of deciding (rule 2.5)."""
    deciding: list[Code] = []
    for rule in RULES:
        deciding += rule(statement, facts)
    softened = _soften(deciding, statement, facts, relaxed) if relaxed and deciding else NONE
    ends = fate(statement, facts)
    deciding += ends.deciding
    if statement.ends is not None and facts.now >= statement.ends[0]:
        ends.reported.append(Code.RENEWAL_DUE)
    return Judged(
        statement, ends, in_table_order(deciding), in_table_order(ends.reported), softened
    )


def in_table_order(codes: Iterable[Code]) -> Codes:
    """Returns each code once, in order of precedence."""
    return tuple(sorted(set(codes), key=RANK.__getitem__)) if codes else NONE


def best_of(judged: list[Judged]) -> Judged | None:
    """Returns the best single row (rule 1.4); the order of rows never matters."""
    return min(judged, key=_rank) if len(judged) > 1 else next(iter(judged), None)


def _rank(row: Judged) -> tuple[object, ...]:
    """Orders rows best first; a tie ends in the row's own text."""
    graves = [OUTCOME_RANK[REASONS[code].outcome] for code in row.deciding]
    every = sorted({RANK[c] for c in (*row.deciding, *row.reported, *row.relaxed)})
    at = row.statement.at
    kept = row.fate.kept
    return (
        -min(graves, default=len(OUTCOME_RANK)),
        -RANK[row.deciding[0]] if row.deciding else 0,
        len(row.deciding),
        FIRST - (at.earliest if isinstance(at, Interval) else FIRST),
        -len(kept),
        Channel.EMAIL not in kept,
        (*(-place for place in every), -len(RANK)),
        row.statement.row.source,
        sorted((name, text_of(cell)) for name, cell in row.statement.row.cells.items()),
    )


def _soften(
    deciding: list[Code], statement: Statement, facts: Facts, relaxed: frozenset[Relaxable]
) -> Codes:
    """Takes the relaxed codes out of ``deciding`` and returns them; a relaxed notice is replaced
    by the one that was in force, which is then judged."""
    fall = set()
    if all(RELAXED_BY.get(gap) in relaxed for gap in missing_proof(statement)):
        fall.add(Code.CONSENT_UNPROVEN)
    if Relaxable.EXPIRY in relaxed:
        fall.add(Code.CONSENT_EXPIRED)
    in_force = _notice_in_force(statement, facts) if Relaxable.NOTICE in relaxed else None
    if in_force is not None:
        fall.add(Code.NOTICE_UNKNOWN)
    softened = in_table_order([code for code in deciding if code in fall])
    deciding[:] = [code for code in deciding if code not in fall]
    if in_force is not None and Code.NOTICE_UNKNOWN in softened:
        deciding += _judge_notice(in_force, statement)
    return softened


def _notice_in_force(statement: Statement, facts: Facts) -> Notice | None:
    """Returns the notice that the label, or the list's map by date, names for ``consent_ts``."""
    at = statement.at
    if not isinstance(at, Interval):
        return None
    version = statement.capture.notice if statement.capture is not None else ""
    for since, named in () if version else statement.declared.notices:
        if since <= at.earliest:
            version = named
    return facts.policy.notices.get(version)


def controller(statement: Statement, facts: Facts) -> Codes:
    """H1: the consent must be to the named sender (PECR 22(2), Art. 4(11) specific)."""
    return (Code.CONTROLLER_MISMATCH,) if names_another_company(statement, facts) else NONE


def third_party(statement: Statement, _: Facts) -> Codes:
    """H3: bought, partner or broker data prove no consent to us (CNIL SAN-2025-001)."""
    return (Code.CONSENT_THIRD_PARTY,) if statement.source in THIRD_PARTY else NONE


def affirmative(statement: Statement, _: Facts) -> Codes:
    """H4: silence, pre-ticked boxes or bundling are no consent (Rec. 32, Planet49)."""
    return (Code.CONSENT_NOT_AFFIRMATIVE,) if statement.method in NOT_AFFIRMATIVE else NONE


def proof(statement: Statement, _: Facts) -> Codes:
    """H5: time, source, method and evidence must be shown (Art. 7(1), 5(2))."""
    return (Code.CONSENT_UNPROVEN,) if missing_proof(statement) else NONE


def date(statement: Statement, facts: Facts) -> Codes:
    """R9, R10: a consent date that cannot be read or lies ahead proves nothing (Art. 7(1))."""
    return _readable(statement.at, facts)


def _readable(at: When, facts: Facts) -> Codes:
    if at is UNREADABLE:
        return (Code.TIMESTAMP_INVALID,)
    if isinstance(at, Interval) and in_future(at, facts.now):
        return (Code.TIMESTAMP_FUTURE,)
    return NONE


def double_opt_in(statement: Statement, facts: Facts) -> Codes:
    """H6, R11, R13: where the profile asks, the address is confirmed by its owner
    (BGH I ZR 164/09; Garante 330/2025); a click within ten seconds may be a scanner's."""
    if not DEMANDS[facts.profile].doi or statement.method in WITNESSED:
        return NONE
    confirmed, at = when(statement.row.cells.get("doi_ts")), statement.at
    if confirmed is None:
        return (Code.DOI_REQUIRED,)
    codes = _readable(confirmed, facts)
    if not isinstance(confirmed, Interval) or not isinstance(at, Interval):
        return codes
    if confirmed.latest < at.earliest:
        return (*codes, Code.TIMESTAMP_IMPLAUSIBLE)
    exact = confirmed.earliest == confirmed.latest and at.earliest == at.latest
    if exact and confirmed.earliest - at.earliest < BOT_SPAN:
        return (*codes, Code.DOI_SUSPECT_BOT)
    return codes


def validity(statement: Statement, facts: Facts) -> Codes:
    """H7: consent degrades with time (EDPB paras 110-111); on its last instant it is expired."""
    ends = statement.ends
    return (Code.CONSENT_EXPIRED,) if ends is not None and facts.now >= ends[1] else NONE


def notice(statement: Statement, facts: Facts) -> Codes:
    """H8, H9, R12: what the person was told must be known, old enough, and name scoring and
    hand-over (EDPB para 108; Art. 13(1)(c),(e), Rec. 60)."""
    shown = facts.policy.notices.get(statement.notice)
    return (Code.NOTICE_UNKNOWN,) if shown is None else _judge_notice(shown, statement)


def _judge_notice(shown: Notice, statement: Statement) -> Codes:
    codes = NONE if shown.informs_for_consent else (Code.NOTICE_OUTDATED,)
    if isinstance(statement.at, Interval) and statement.at.latest < shown.effective_from:
        return (*codes, Code.NOTICE_TIME_MISMATCH)
    return codes


def purpose(statement: Statement, _: Facts) -> Codes:
    """H10: a yes counts for the purposes its label covers (Art. 5(1)(b), 6(1)(a))."""
    return NONE if statement.covers_sales else (Code.PURPOSE_NOT_COVERED,)


def tracking(statement: Statement, facts: Facts) -> Codes:
    """H11, R7: a score built by tracking needs consent to tracking (ePrivacy 5(3), PECR 6)."""
    if not facts.policy.tracking_needed(facts.profile):
        return NONE
    if statement.tracking is Truth.AMBIGUOUS:
        return (Code.CONSENT_VALUE_AMBIGUOUS,)
    given = statement.tracking is Truth.YES or _tracked_by_opt_in(statement, facts)
    refused = "HasOptedOutTracking" in facts.crm or any(
        other.tracking in NEGATIVE and not provably_later(statement.at, other.at)
        for other in facts.own
        if other is not statement
    )
    return NONE if given and not refused else (Code.TRACKING_NOT_CONSENTED,)


def _tracked_by_opt_in(statement: Statement, facts: Facts) -> bool:
    """Says whether the beacon asked first, on every visit since the person's first one."""
    since = facts.policy.opt_in_mode_since
    if since is None or statement.tracking is not Truth.EMPTY:
        return False
    first = past(when(statement.row.cells.get("first_visit_ts")), facts.now)
    return first is not None and first.earliest >= since


def earlier_opt_out(statement: Statement, facts: Facts) -> Codes:
    """S7: an opt-out on record is lifted only by the person's own, proven, later yes (7(3))."""
    lifted = statement.source in SELF_SERVICE and carries(statement, facts)
    for other in facts.kin:
        at = opted_out_at(other)
        if at is not None and not (lifted and provably_later(statement.at, at)):
            return (Code.CONSENT_WITHDRAWN,)
    return NONE


def opted_out_at(statement: Statement) -> When:
    """Returns the date of a row's ``optout_ts``; what cannot be read is an undated opt-out."""
    return when(statement.row.cells.get("optout_ts"))


def reconsents(statement: Statement, since: When, facts: Facts) -> bool:
    """Says whether this row is the person's own, confirmed e-mail consent provably after ``since``.

    Then a human may clear a suppression (rule 1.4 "Re-consent after suppression").
    """
    if statement.email is not Truth.YES or statement.source not in SELF_SERVICE:
        return False
    at = past(statement.at, facts.now)
    confirmed = past(when(statement.row.cells.get("doi_ts")), facts.now)
    if at is None or confirmed is None or confirmed.latest < at.earliest:
        return False
    return carries(statement, facts) and provably_later(at, since)


RULES: Final = (
    earlier_opt_out,
    date,
    double_opt_in,
    notice,
    controller,
    third_party,
    affirmative,
    proof,
    validity,
    purpose,
    tracking,
)
"""The rules for one row; channels are weighed after them (``channels.fate``)."""
