"""Hop 3 for one person: from what was staged and remembered to decision, actions and changes.

Reads nothing and writes nothing: the caller hands in the staged rows, what the state remembers
and what the CRMs hold, and saves what comes back.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import (
    Asking,
    CrmFlags,
    Evidence,
    History,
    Suppressions,
    Tombstone,
)
from connector.consent.policy import Policy
from connector.consent.reasons import Code
from connector.consent.sentences import one_sentence
from connector.consent.values import word
from connector.model import (
    Action,
    Band,
    CrmState,
    Feed,
    Interval,
    KinId,
    Lead,
    Outcome,
    PersonId,
    Route,
    Row,
    Suppression,
)
from connector.plan import NO_TAG, Ask, Rules, Subject, actions, ask_of, tag_action
from connector.qualification import band_of
from connector.remembering import (
    contact_fields,
    ever_stated,
    proof_of,
    same_inputs,
    snapshot,
    yeses_replaced,
    yeses_seen,
)
from connector.store import rows as state

log = logging.getLogger(__name__)
LOW = frozenset({Band.UNKNOWN, Band.BELOW_WATCH})


@dataclass(frozen=True, slots=True)
class Known:
    """Everything known of one person when deciding. ``rows`` are own and kin rows."""

    id: PersonId
    kin: KinId
    email: str
    rows: tuple[Row, ...]
    own: tuple[Row, ...]
    listed: tuple[Suppression, ...]
    tombstones: tuple[state.Tombstone, ...]
    crm: Mapping[str, CrmState]
    before: state.Person | None
    band: Band


@dataclass(frozen=True, slots=True)
class Bench:
    """What stays the same for all people of one run. ``mint`` makes external ids, ``salt`` the
    salts of the log; ``read_at`` is when the suppression lists were complete."""

    run: str
    now: datetime
    read_at: datetime
    policy: Policy
    rules: Rules
    destinations: tuple[str, ...]
    mint: Callable[[], str]
    salt: Callable[[], bytes]


class Ruling(NamedTuple):
    """What deciding on one person gives; ``decision`` is None where the last one still stands."""

    decision: Decision | None
    outcome: Outcome | None
    invited: bool = False
    actions: tuple[Action, ...] = ()
    changes: tuple[state.Change, ...] = ()


def matters(own: Sequence[Row], band: Band, before: state.Person | None, policy: Policy) -> bool:
    """Says whether a person is evaluated at all: watched, asking, or known from before."""
    asks = any(word(row.cells.get("request_form")) in policy.request_forms for row in own)
    return band not in LOW or asks or before is not None


def band_now(own: Sequence[Row], before: state.Person | None, policy: Policy) -> Band:
    """Returns the person's score band, with the slack that the last one gives."""
    return band_of(own, policy.score, before.band if before is not None else Band.UNKNOWN)


def decide(known: Known, bench: Bench) -> Ruling:
    """Decides on one person, or keeps the last decision where nothing that matters changed."""
    before, evidence = known.before, _evidence(known, bench)
    mark = fingerprint(known, evidence, bench)
    if before is not None and _same(before, mark, bench.now):
        return Ruling(None, before.outcome)
    decision = _judged(evidence, bench, known.id)
    qualified = known.band is Band.QUALIFIED or decision.requested
    person = before or state.Person(known.id, known.kin, known.email, first_seen_run=bench.run)
    subject = _subject(known, decision, bench, qualified=qualified)
    if known.band in LOW and not decision.requested and _is_nobody(person):
        return _let_go(person, subject, bench)
    ask = ask_of(decision, person, bench.rules)
    planned = tuple(actions(subject, decision, person, bench.rules, bench.now))
    seen = snapshot(known.rows, known.listed, known.crm, bench.read_at)
    after = replace(
        _after(person, known, decision, ask, bench),
        qualified_on=(person.qualified_on or bench.now) if qualified else person.qualified_on,
        fingerprint=mark,
        evidence=seen,
    )
    changes: list[state.Change] = [after, *_minted(subject, person, planned)]
    if _is_news(before, decision, seen):
        changes += _on_record(known.id, decision, seen, bench)
    return Ruling(decision, decision.outcome, ask.counts, planned, tuple(changes))


def _is_nobody(person: state.Person) -> bool:
    """Says whether nothing binds us to a person whose score is low (again)."""
    return not person.leads and not person.invites and not person.reperm_state


def _let_go(person: state.Person, subject: Subject, bench: Bench) -> Ruling:
    """Takes the tag off, and forgets a person without a tag."""
    if person.tag:
        return Ruling(None, None, actions=(tag_action(subject, NO_TAG, bench.now),))
    return Ruling(None, None, changes=(state.Dropped(person.id),) if person.last_seen_run else ())


def _judged(evidence: Evidence, bench: Bench, person: PersonId) -> Decision:
    try:
        return evaluate(evidence, bench.policy, bench.now)
    except Exception:  # noqa: BLE001  # rule 2.3.4: whatever goes wrong for one person is a review
        log.error("judging %s failed: held for review", person[:8])  # noqa: TRY400  # no data in logs
        return Decision(
            Outcome.REVIEW, Code.SOURCE_UNAVAILABLE, (), Route.NONE, (), None, None,
            bench.policy.version, bench.policy.hash,
        )  # fmt: skip


def _evidence(known: Known, bench: Bench) -> Evidence:
    flags = {flag for crm in known.crm.values() for flag in crm.flags - crm.set_by_gate}
    return Evidence(
        subject=known.email,
        rows=known.rows,
        suppressions=Suppressions(True, bench.read_at, known.listed),
        crm=CrmFlags(dict.fromkeys(sorted(flags), True)),
        history=_history(known),
    )


def _history(known: Known) -> History:
    stones = tuple(Tombstone(s.kind, Interval(s.at, s.at)) for s in known.tombstones)
    before = known.before
    if before is None:
        return History(stones)
    last = before.last_invite
    return History(
        tombstones=stones,
        asking=Asking(
            before.reperm_state, before.invites, None if last is None else Interval(last, last)
        ),
        seen_statement=before.seen_statement,
        seen_yes=yeses_replaced(before.seen_yes, known.own),
    )


def fingerprint(known: Known, evidence: Evidence, bench: Bench) -> str:
    """Returns a digest of everything a decision rests on, but for the age of the lists."""
    seen = snapshot(known.rows, known.listed, known.crm, bench.read_at)
    rows = sorted(json.dumps(row, sort_keys=True, default=str) for row in seen["rows"])
    content = [
        rows, seen["listed"], seen["crm"], sorted(s.kind for s in evidence.history.tombstones),
        known.band, bench.policy.hash, bench.rules.may_ask,
    ]  # fmt: skip
    text = json.dumps(content, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _same(before: state.Person, mark: str, now: datetime) -> bool:
    due = before.look_again_at is not None and before.look_again_at <= now
    return before.fingerprint == mark and not due and before.outcome is not None


def _subject(known: Known, decision: Decision, bench: Bench, *, qualified: bool) -> Subject:
    minted = {lead.destination: lead.external_id for lead in _leads(known.before)}
    ids = {
        name: minted.get(name) or _adopted(known.crm.get(name)) or bench.mint()
        for name in bench.destinations
    }
    return Subject(
        id=known.id,
        email=known.email,
        contact_id=next((row.contact_id for row in known.own), ""),
        qualified=qualified,
        says=one_sentence(decision),
        external_ids=ids,
        fields=contact_fields(known.own),
        proof=proof_of(decision, bench.now, bench.run),
        acted_at=_acted_at(known.listed) if decision.outcome is Outcome.SUPPRESS else None,
        flags={name: crm.flags for name, crm in known.crm.items() if crm.exists},
    )


def _leads(person: state.Person | None) -> tuple[state.LeadState, ...]:
    return person.leads if person is not None else ()


def _adopted(crm: CrmState | None) -> str:
    """Returns the external id that a CRM record carries already, ``""`` if it has none."""
    return crm.external_id if crm is not None else ""


def _acted_at(listed: Sequence[Suppression]) -> datetime | None:
    """Returns the newest stamp of an act of the person on Act-On's lists; a bounce is none."""
    acts = (e.at.latest for e in listed if e.at is not None and e.feed is not Feed.HARDBOUNCE)
    return max(acts, default=None)


def _after(
    person: state.Person, known: Known, decision: Decision, ask: Ask, bench: Bench
) -> state.Person:
    permitted = decision.outcome is Outcome.PUSH
    return replace(
        person,
        email=known.email,
        band=known.band,
        band_since=person.band_since if person.band is known.band else bench.now,
        permitted_on=(person.permitted_on or bench.now) if permitted else None,
        outcome=decision.outcome,
        code=decision.code.value,
        look_again_at=decision.look_again_at,
        reperm_state=ask.state,
        invites=ask.invites,
        last_invite=bench.now if ask.counts else person.last_invite,
        seen_statement=person.seen_statement or ever_stated(known.own),
        seen_yes=yeses_seen(person.seen_yes, known.own),
        last_seen_run=bench.run,
    )


def _minted(
    subject: Subject, person: state.Person, planned: Sequence[Action]
) -> Iterator[state.LeadState]:
    have = {lead.destination for lead in person.leads}
    for action in planned:
        if isinstance(action.payload, Lead) and action.destination not in have:
            yield state.LeadState(
                person.id, action.destination, subject.external_ids[action.destination]
            )


def _is_news(before: state.Person | None, decision: Decision, seen: Mapping[str, Any]) -> bool:
    """Says whether this decision, or what it rests on, differs from the last one on record."""
    return (
        before is None
        or before.outcome is not decision.outcome
        or before.code != decision.code
        or before.look_again_at != decision.look_again_at
        or not same_inputs(before.evidence, seen)
    )


def _on_record(
    person: PersonId, decision: Decision, seen: Mapping[str, Any], bench: Bench
) -> Iterator[state.Change]:
    """Yields the decision for the person's history and its line of the decision log."""
    proof = proof_of(decision, bench.now, bench.run)
    also = tuple(code.value for code in decision.also)
    yield state.Decided(
        person=person,
        run=bench.run,
        at=bench.now,
        outcome=decision.outcome,
        code=decision.code.value,
        route=decision.route or Route.NONE,
        also=also,
        channels=decision.channels,
        look_again_at=decision.look_again_at,
        policy_version=decision.policy_version,
        policy_hash=decision.policy_hash,
        evidence={**seen, "lacks": list(decision.lacks), "profile": decision.profile},
        proof=proof,
    )
    record = {
        "person": person, "run": bench.run, "outcome": decision.outcome.value,
        "code": decision.code.value, "also": list(also),
        "channels": [channel.value for channel in decision.channels],
        "policy": decision.policy_hash, "proof": proof,
    }  # fmt: skip
    yield state.Logged(decision.outcome.value, bench.now, record, bench.salt(), person)
