"""Deciding: evidence in, one decision out.

Source: rules 2.1, 2.5, 2.7 and 3. Permission is produced by one valid ground, tried in the order
consent, relaxed consent, request, statute; it is never what is left when no objection was found.
"""

from datetime import datetime
from typing import Final, NamedTuple

from connector.consent.decision import Decision, Ground
from connector.consent.evidence import Evidence
from connector.consent.facts import Facts, facts_of
from connector.consent.person import Finding, about_person, without_a_yes
from connector.consent.policy import Policy, Relaxable
from connector.consent.reasons import OUTCOME_RANK, RANK, REASONS, Code
from connector.consent.repermission import exhausted, route_of, waiting
from connector.consent.requests import Answer, answer_to
from connector.consent.shortfall import acts_of, lacks_of
from connector.consent.statement import Judged, best_of, judge
from connector.consent.statute import Basis, basis_of
from connector.consent.times import LAST
from connector.consent.timing import after_permission, after_refusal
from connector.model import Channel, Outcome, Route

ANSWERED_BY_A_HUMAN: Final = frozenset(
    {
        Code.CATEGORY_OPTED_OUT,
        Code.CRM_OPTED_OUT,
        Code.CONSENT_WITHDRAWN,
        Code.CONSENT_REFUSED,
        Code.HARD_BOUNCE,
    }
)
"""S5-S8 and S10: only reported where a human answers a request after a suppression (rule 2.7)."""
FALL_AWAY_BY_LAW: Final = frozenset(
    {
        Code.CONSENT_MISSING,
        Code.CONSENT_THIRD_PARTY,
        Code.CONSENT_NOT_AFFIRMATIVE,
        Code.CONSENT_UNPROVEN,
        Code.DOI_REQUIRED,
        Code.CONSENT_EXPIRED,
        Code.PURPOSE_NOT_COVERED,
    }
)
"""H2-H7 and H10: a statutory basis does not rest on consent (rule 2.5)."""
NOTHING_RELAXED: Final[frozenset[Relaxable]] = frozenset()


def evaluate(evidence: Evidence, policy: Policy, now: datetime) -> Decision:
    """Says whether this person may be handed to Sales, by which channels, and why.

    Pure: the same arguments always give the same decision. ``now`` is aware UTC.
    """
    facts = facts_of(evidence, policy, now)
    if facts is None:
        return Decision(
            Outcome.REVIEW, Code.IDENTITY_INVALID, (), Route.NONE, (), None, None,
            policy.version, policy.hash, lacks=("email",),
        )  # fmt: skip
    answer = answer_to(facts)
    about = about_person(facts, answer)
    best = _best(facts, NOTHING_RELAXED)
    findings = [*about, *(_of_row(best) if best else without_a_yes(facts, answer))]
    if answer.channels and any(f.code is Code.REQUEST_AFTER_SUPPRESSION for f in findings):
        findings = [
            f._replace(decides=False) if f.code in ANSWERED_BY_A_HUMAN else f for f in findings
        ]
    consented = _by_consent(best, findings, answer) or _by_relaxed_consent(facts, about, answer)
    if consented is not None:
        grounds, findings = consented
        return _permit(facts, findings, best, grounds, answer)
    if answer.channels and not any(f.bars_answer for f in findings):
        grounds = _request_grounds(answer, answer.channels)
        return _permit(facts, findings, best, grounds, answer)
    return _by_statute_or_refuse(facts, findings, best, answer)


def _best(facts: Facts, relaxed: frozenset[Relaxable]) -> Judged | None:
    return best_of([judge(row, facts, relaxed) for row in facts.own if row.affirmative])


def _of_row(best: Judged) -> list[Finding]:
    return [
        *(Finding(code) for code in best.deciding),
        *(Finding(code, decides=False) for code in (*best.reported, *best.relaxed)),
    ]


Permitted = tuple[tuple[Ground, ...], list[Finding]]


def _by_consent(best: Judged | None, findings: list[Finding], answer: Answer) -> Permitted | None:
    """P1, P2: one fully valid row (Art. 6(1)(a), 7); a current request may add its channels."""
    if best is None or any(finding.decides for finding in findings):
        return None
    code = Code.OK_RELAXED if best.relaxed else Code.OK_CONSENT
    row = best.statement
    end = row.ends[1] if row.ends is not None else None
    consent = Ground(code, best.fate.kept, row.row, row.source, row.method, row.notice, end)
    added = answer.channels - set(best.fate.kept)
    return (consent, *_request_grounds(answer, added)), findings


def _by_relaxed_consent(facts: Facts, about: list[Finding], answer: Answer) -> Permitted | None:
    """P2: the decision made once more with what the signed policy relaxes (rule 2.5)."""
    relaxed = facts.policy.relaxed(facts.now)
    best = _best(facts, relaxed) if relaxed else None
    return None if best is None else _by_consent(best, [*about, *_of_row(best)], answer)


def _request_grounds(answer: Answer, channels: frozenset[Channel]) -> tuple[Ground, ...]:
    """P3: what the person asked for may be answered, for that request only (Art. 6(1)(b))."""
    grounds = [
        Ground(
            Code.OK_REQUESTED,
            tuple(c for c in Channel if c in channels & request.usable),
            request.statement.row,
            request.form.form,
            request.form.asks_for,
            "",
            request.until,
        )
        for request in answer.requests
        if channels & request.usable
    ]
    return tuple(sorted(grounds, key=lambda g: (g.until or LAST, g.source, repr(g.row))))


def _by_statute_or_refuse(
    facts: Facts, findings: list[Finding], best: Judged | None, answer: Answer
) -> Decision:
    """P4 where the law allows it, otherwise the refusal that the findings ask for."""
    unanswerable = bool(answer.requests) and not answer.channels
    basis = basis_of(facts, findings)
    if basis is not None and basis.stale_screening:
        findings = [*findings, Finding(Code.SCREENING_STALE, decides=False)]
    if basis is not None and basis.best is not None:
        findings = _under_statute(findings, basis)
        if not any(finding.decides for finding in findings):
            row = basis.best.statement
            ground = Ground(Code.OK_STATUTORY, basis.channels, row.row, notice=row.notice)
            return _permit(facts, findings, best, (ground,), answer)
    if unanswerable:
        findings = [*findings, Finding(Code.NO_PERMITTED_CHANNEL)]
    by_law = basis is not None and basis.email
    asked = _Asked(answer, unanswerable=unanswerable, by_law=by_law)
    return _refuse(facts, findings, best, asked)


class _Asked(NamedTuple):
    """What a refusal must know of requests and of the statutory e-mail basis."""

    answer: Answer
    unanswerable: bool
    by_law: bool


def _under_statute(findings: list[Finding], basis: Basis) -> list[Finding]:
    """Replaces what rests on consent by what the basis still lacks; a bounce is only reported."""
    kept = [
        f._replace(decides=False) if f.code is Code.HARD_BOUNCE else f
        for f in findings
        if f.code not in FALL_AWAY_BY_LAW
    ]
    lacking = basis.best.deciding if basis.best is not None else ()
    return [*kept, *(Finding(code) for code in lacking)]


def _permit(
    facts: Facts,
    findings: list[Finding],
    best: Judged | None,
    grounds: tuple[Ground, ...],
    answer: Answer,
) -> Decision:
    code = grounds[0].code
    others = {finding.code for finding in findings} | {ground.code for ground in grounds}
    named = {channel for ground in grounds for channel in ground.channels}
    return Decision(
        outcome=Outcome.PUSH,
        code=code,
        also=_in_order(others - {code}),
        route=None,
        channels=tuple(channel for channel in Channel if channel in named),
        look_again_at=after_permission(facts, best, grounds, answer),
        profile=facts.profile,
        policy_version=facts.policy.version,
        policy_hash=facts.policy.hash,
        grounds=grounds,
        refused=acts_of(facts, best)[0],
        requested=bool(answer.channels),
    )


def _refuse(facts: Facts, findings: list[Finding], best: Judged | None, asked: _Asked) -> Decision:
    """The most protective outcome wins; the first code in table order names it (rule 2.1)."""
    deciding = {finding.code for finding in findings if finding.decides}
    outcome = min((REASONS[code].outcome for code in deciding), key=OUTCOME_RANK.__getitem__)
    if outcome is None:
        raise AssertionError(deciding)
    codes = {finding.code for finding in findings}
    route = Route.NONE
    first = _in_order({code for code in deciding if REASONS[code].outcome is outcome})[0]
    if outcome is Outcome.HOLD:
        if exhausted(facts):
            deciding.add(Code.REPERM_EXHAUSTED)
        elif waiting(facts):
            codes.add(Code.REPERM_PENDING)
        if Code.REPERM_EXHAUSTED in deciding:
            first = Code.REPERM_EXHAUSTED
        elif asked.unanswerable:
            first = Code.NO_PERMITTED_CHANNEL
        route = route_of(frozenset(deciding), facts, best, by_law=asked.by_law)
    refused, everything = acts_of(facts, best)
    return Decision(
        outcome=outcome,
        code=first,
        also=_in_order((codes | deciding) - {first}),
        route=route,
        channels=(),
        look_again_at=after_refusal(facts, best, asked.answer, held=outcome is Outcome.HOLD),
        profile=facts.profile,
        policy_version=facts.policy.version,
        policy_hash=facts.policy.hash,
        lacks=lacks_of(frozenset(deciding), best),
        refused=refused,
        global_act=everything,
    )


def _in_order(codes: set[Code]) -> tuple[Code, ...]:
    return tuple(sorted(codes, key=RANK.__getitem__))
