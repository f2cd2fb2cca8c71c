"""From a decision to intended writes: pure, one person at a time.

Protect first, sell last: the order of kinds is the order of delivery (``model.Kind``). A lead is
touched only when its permission changes; tags only when they change. The connector never asks
anybody: it marks in Act-On whom the customer's own programme may ask (rules 2.1, 2.1a, 3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from connector.consent.decision import Decision
from connector.consent.reasons import Code
from connector.model import (
    ACTON,
    Action,
    Channel,
    Kind,
    Lead,
    OptOut,
    Outcome,
    Permission,
    PersonId,
    Recall,
    Route,
    Tag,
)

FLAG_OF: Final = {Channel.EMAIL: "HasOptedOutOfEmail", Channel.PHONE: "DoNotCall"}
GLOBAL_FLAGS: Final = (*FLAG_OF.values(), "HasOptedOutSolicit", "HasOptedOutProfiling")
ON_ACTONS_LISTS: Final = frozenset({Code.OPTED_OUT, Code.SPAM_COMPLAINT})


class LeadStanding(Protocol):
    """What we did with a person in one destination."""

    @property
    def destination(self) -> str: ...
    @property
    def external_id(self) -> str: ...
    @property
    def episode(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def channels(self) -> tuple[Channel, ...]: ...


class Standing(Protocol):
    """What we remember of a person when planning."""

    @property
    def leads(self) -> Sequence[LeadStanding]: ...
    @property
    def tag(self) -> Mapping[str, str]: ...
    @property
    def outcome(self) -> Outcome | None: ...
    @property
    def code(self) -> str: ...
    @property
    def look_again_at(self) -> datetime | None: ...
    @property
    def qualified_on(self) -> datetime | None: ...
    @property
    def reperm_state(self) -> str: ...
    @property
    def invites(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """The person planned for: what a lead and a tag are made from.

    ``external_ids`` are minted by the caller, one per destination. ``acted_at`` is the stamp of
    the act that ended the permission, if there was one. ``flags`` are the native flags already
    set, by destination, for those destinations that hold a record.
    """

    id: PersonId
    email: str
    contact_id: str
    qualified: bool
    says: str
    external_ids: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)
    proof: Mapping[str, str] = field(default_factory=dict)
    acted_at: datetime | None = None
    flags: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy lets a plan do. ``may_ask`` says that invitations were approved."""

    optout_codes: frozenset[str] = frozenset()
    may_ask: bool = False
    tags: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """Where re-permission stands after this plan; ``counts`` if it sends one invitation."""

    state: str
    shown: str
    invites: int
    counts: bool = False


def ask_of(decision: Decision, standing: Standing, rules: Rules) -> Ask:
    """Moves a person along the re-permission life cycle (rule 3)."""
    state, invites = standing.reperm_state, standing.invites
    if decision.outcome is Outcome.PUSH:
        granted = "GRANTED" if state and Code.OK_CONSENT in decision.codes else state
        return Ask(granted, "", 0 if granted == "GRANTED" else invites)
    if decision.outcome is not Outcome.HOLD:
        return Ask(state, "", invites)
    if decision.code is Code.REPERM_EXHAUSTED:
        return Ask("LAPSED", "LAPSED", invites)
    match decision.route:
        case Route.DIRECT if rules.may_ask:
            asked = "INVITED" if invites == 0 else "REMINDED"
            return Ask(asked, asked, invites + 1, counts=True)
        case Route.DIRECT:
            return Ask(state, "AWAITING_APPROVAL", invites)
        case Route.WAIT:
            return Ask(state, state or "INVITED", invites)
        case _:
            return Ask(state, "HELD", invites)


def actions(
    subject: Subject, decision: Decision, standing: Standing, rules: Rules, now: datetime
) -> Iterator[Action]:
    """Yields the writes that bring CRM and Act-On in line with a decision."""
    leads = {lead.destination: lead for lead in standing.leads}
    for destination, external_id in subject.external_ids.items():
        lead = leads.get(destination)
        yield from _lead_actions(subject, decision, standing, (destination, external_id, lead))
    yield from _opt_outs(subject, decision, rules, leads)
    if rules.tags:
        yield from _tag_actions(subject, decision, standing, rules, now)


Target = tuple[str, str, LeadStanding | None]


def _lead_actions(
    subject: Subject, decision: Decision, standing: Standing, target: Target
) -> Iterator[Action]:
    destination, external_id, lead = target
    permission = Permission(decision.channels, decision.code, subject.says, decision.look_again_at)
    episode = lead.episode + 1 if lead is not None and lead.status != "planned" else 1
    out = lead is not None and lead.status == "pushed"
    if decision.outcome is Outcome.PUSH:
        unchanged = (
            out
            and lead is not None
            and lead.channels == decision.channels
            and standing.code == decision.code
            and standing.look_again_at == decision.look_again_at
        )
        if unchanged or not (out or subject.qualified):
            return
        if out and lead is not None and set(lead.channels) - set(decision.channels):
            yield _recall(subject, decision, permission, (destination, external_id, episode))
            return
        kind = Kind.PUSH if out or (lead is None and not _was_held(standing)) else Kind.RELEASE
        payload = Lead(
            external_id, subject.id, subject.email, permission, subject.fields, subject.proof
        )
        yield Action(kind, subject.id, destination, decision.code, episode, payload)
    elif out:
        yield _recall(subject, decision, permission, (destination, external_id, episode))


def _was_held(standing: Standing) -> bool:
    return standing.qualified_on is not None and standing.outcome in {Outcome.HOLD, Outcome.REVIEW}


def _recall(
    subject: Subject, decision: Decision, permission: Permission, target: tuple[str, str, int]
) -> Action:
    destination, external_id, episode = target
    payload = Recall(external_id, subject.id, subject.email, permission, subject.acted_at)
    return Action(Kind.RECALL, subject.id, destination, decision.code, episode, payload)


def _opt_outs(
    subject: Subject, decision: Decision, rules: Rules, leads: Mapping[str, LeadStanding]
) -> Iterator[Action]:
    """Yields acts of the person where they are not known yet, at their scope (rule 2.1a).

    Irreversible here, so only for codes that the policy names; an erased person gets nothing.
    """
    named = rules.optout_codes.intersection(decision.codes)
    if not named or Code.ERASED in decision.codes or not decision.refused:
        return
    wanted = GLOBAL_FLAGS if decision.global_act else [FLAG_OF[c] for c in decision.refused]
    for destination, already in subject.flags.items():
        missing = tuple(flag for flag in wanted if flag not in already)
        if missing:
            lead = leads.get(destination)
            payload = OptOut(subject.external_ids[destination], subject.id, subject.email, missing)
            episode = lead.episode + 1 if lead is not None else 1
            code = min(named)
            yield Action(Kind.OPTOUT, subject.id, destination, code, episode, payload)
    if decision.global_act and not ON_ACTONS_LISTS.intersection(decision.codes):
        payload = OptOut("", subject.id, subject.email)
        yield Action(Kind.OPTOUT, subject.id, ACTON, min(named), 1, payload)


def tag_of(decision: Decision, ask: Ask) -> dict[str, str]:
    """Returns the tag texts; no re-permission text stands where asking is forbidden.

    While an invitation stands the route stays ``direct``, so that Act-On's programme can see it.
    """
    held = decision.outcome is Outcome.HOLD
    route = decision.route.value if held and decision.route is not None else ""
    if held and decision.route is Route.WAIT and ask.shown in {"INVITED", "REMINDED"}:
        route = Route.DIRECT.value
    return {
        "decision": "OK" if decision.outcome is Outcome.PUSH else decision.outcome.value,
        "code": decision.code.value,
        "route": route,
        "reperm_state": ask.shown if held else "",
    }


NO_TAG: Final = {"decision": "", "code": "", "route": "", "reperm_state": ""}


def _tag_actions(
    subject: Subject, decision: Decision, standing: Standing, rules: Rules, now: datetime
) -> Iterator[Action]:
    """Yields a tag where it changes; an erased person is never created again by tagging."""
    if Code.ERASED in decision.codes or Code.IDENTITY_INVALID in decision.codes:
        return
    wanted = tag_of(decision, ask_of(decision, standing, rules))
    if dict(standing.tag) != wanted:
        yield tag_action(subject, wanted, now)


def tag_action(subject: Subject, wanted: Mapping[str, str], now: datetime) -> Action:
    """Returns the write of a tag, or of its removal where all texts are empty."""
    tag = Tag(
        subject.id,
        subject.email,
        wanted["decision"],
        wanted["code"],
        wanted["route"],
        wanted["reperm_state"],
        now,
        subject.contact_id,
    )
    kind = Kind.TAG if any(wanted.values()) else Kind.UNTAG
    return Action(kind, subject.id, ACTON, wanted["code"], 1, tag)


@dataclass(frozen=True, slots=True)
class Upheaval:
    """What the breaker looks at: of ``known`` people, how many changed by our own judgment."""

    known: int
    turned: int
    recalls_by_judgment: int


def too_much(upheaval: Upheaval, *, share: float, at_least: int) -> str:
    """Returns why a person should look at the plan first, ``""`` where nobody needs to.

    Acts of people always run; what is derived from columns that may have shifted does not.
    """
    for number, what in (
        (upheaval.recalls_by_judgment, "leads would be recalled without an act of the person"),
        (upheaval.turned, "people would lose their permission without an act of theirs"),
    ):
        if number > at_least and number > share * max(upheaval.known, 1):
            return f"{number} of {upheaval.known} {what}"
    return ""
