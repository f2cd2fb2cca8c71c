"""The facts of one person: rows read as statements, keys matched, the jurisdiction found.

Every cell that more than one rule needs is normalised here, once. Source: rules 1.4 and 1.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connector.consent.countries import country_code
from connector.consent.evidence import Asking, Evidence
from connector.consent.keys import broad_key, narrow_key
from connector.consent.policy import SALES_CONTACT, Capture, Declaration, Policy, Reach
from connector.consent.profiles import Profile, profile_of
from connector.consent.reasons import Code
from connector.consent.times import UNREADABLE, When, months_after, provably_later, when
from connector.consent.values import STATEMENT, Truth, is_set, truth, word
from connector.model import (
    BroadKey,
    Channel,
    Feed,
    Interval,
    NarrowKey,
    Row,
    Suppression,
)

NOTHING_DECLARED = Declaration()
RENEWAL_MONTHS = 3
"""How long before its end a consent is due for renewal (rule 2.2, I1)."""


@dataclass(slots=True)
class Statement:
    """One row as a consent statement; ``source``, ``method`` and ``notice`` may come from the
    registered label (``capture``), the channels' truths too. ``ends`` is when renewal is due and
    when the consent expires, where it does."""

    row: Row
    key: NarrowKey
    email: Truth
    phone: Truth
    at: When
    controller: str
    source: str
    method: str
    notice: str
    evidence: str
    tracking: Truth
    capture: Capture | None
    declared: Declaration
    ends: tuple[datetime, datetime] | None = None

    def says(self, channel: Channel) -> Truth:
        """Returns what the row says about one channel."""
        return self.email if channel is Channel.EMAIL else self.phone

    @property
    def affirmative(self) -> bool:
        """True if e-mail or phone is a yes."""
        return self.email is Truth.YES or self.phone is Truth.YES

    @property
    def covers_sales(self) -> bool:
        """True if the label, or else the list's declaration, names contact by Sales."""
        if self.capture is not None:
            return SALES_CONTACT in self.capture.covers
        return SALES_CONTACT in self.declared.covers


class Asked(NamedTuple):
    """How far re-permission has come, from the ledger and from mapped columns."""

    state: str
    invites: int
    last: When
    answered: When


@dataclass(slots=True)
class Facts:
    """What every rule may look at. ``own`` rows carry the narrow key, ``kin`` the broad key.

    ``profile`` says what a push needs; ``local`` is the same without the home profile, because
    routes and statutory bases rest on a country that is known.
    """

    evidence: Evidence
    policy: Policy
    now: datetime
    key: NarrowKey
    broad: BroadKey
    own: tuple[Statement, ...]
    kin: tuple[Statement, ...]
    profile: Profile
    local: Profile
    jurisdiction: tuple[Code, ...]
    crm: frozenset[str]
    listed: tuple[Suppression, ...]
    bounced: bool
    email_category_off: bool
    asking: Asked

    @property
    def email_off(self) -> bool:
        """True if the CRM, a category opt-out or a bounce takes the e-mail channel."""
        return self.bounced or self.email_category_off or "HasOptedOutOfEmail" in self.crm

    @property
    def calls_off(self) -> bool:
        """True if the CRM says do not call."""
        return "DoNotCall" in self.crm


def facts_of(evidence: Evidence, policy: Policy, now: datetime) -> Facts | None:
    """Returns the facts, or None where the subject has no single valid address."""
    key = narrow_key(evidence.subject)
    if key is None:
        return None
    broad = broad_key(key)
    kin = _statements(evidence, policy, key, broad)
    own = tuple(s for s in kin if s.key == key)
    profile, local, jurisdiction = _jurisdiction(own, policy)
    if policy.expires(profile):
        for statement in own:
            if statement.affirmative and isinstance(statement.at, Interval):
                statement.ends = _ends(statement.at.earliest, policy.valid_months)
    listed = _listed(evidence.suppressions.entries, key, broad)
    return Facts(
        evidence=evidence,
        policy=policy,
        now=now,
        key=key,
        broad=broad,
        own=own,
        kin=kin,
        profile=profile,
        local=local,
        jurisdiction=jurisdiction,
        crm=frozenset(
            name
            for name, value in evidence.crm.values.items()
            if name not in evidence.crm.set_by_gate and is_set(value)
        ),
        listed=listed,
        bounced=any(entry.feed is Feed.HARDBOUNCE for entry in listed),
        email_category_off=any(reach_of(entry, policy) is Reach.EMAIL for entry in listed),
        asking=_asked(evidence.history.asking, own),
    )


def _ends(given: datetime, months: int) -> tuple[datetime, datetime]:
    return months_after(given, months - RENEWAL_MONTHS), months_after(given, months)


def reach_of(entry: Suppression, policy: Policy) -> Reach | None:
    """Returns what a category opt-out takes away, None for another feed or unmapped category."""
    return policy.categories.get(word(entry.category)) if entry.feed is Feed.CATEGORY else None


def _listed(
    entries: Iterable[Suppression], key: NarrowKey, broad: BroadKey
) -> tuple[Suppression, ...]:
    """Keeps the entries that concern the person: bounces narrowly, everything else broadly."""
    found = []
    for entry in entries:
        theirs = narrow_key(entry.email)
        if theirs is None:
            continue
        if theirs == key or (entry.feed is not Feed.HARDBOUNCE and broad_key(theirs) == broad):
            found.append(entry)
    return tuple(found)


def _statements(
    evidence: Evidence, policy: Policy, key: NarrowKey, broad: BroadKey
) -> tuple[Statement, ...]:
    found = []
    for row in evidence.rows:
        theirs = narrow_key(row.cells.get("email"))
        if theirs is not None and (theirs == key or broad_key(theirs) == broad):
            found.append(_statement(row, theirs, policy))
    _read_unticked(found, evidence, key)
    return tuple(found)


def _statement(row: Row, key: NarrowKey, policy: Policy) -> Statement:
    cell = row.cells.get
    declared = policy.lists.get(word(row.source), NOTHING_DECLARED)
    at = when(cell("consent_ts"))
    capture = _capture(word(cell("form_id")), at, policy)
    email, phone = truth(cell("consent_email")), truth(cell("consent_phone"))
    source, method = word(cell("consent_source")), word(cell("consent_method"))
    notice = word(cell("notice_version"))
    if capture is not None:
        if email is Truth.YES and phone is Truth.EMPTY and Channel.PHONE in capture.channels:
            phone = Truth.YES
        source, method = source or capture.source, method or capture.method
        notice = notice or capture.notice
    if declared.unticked_refuses:
        email, phone = _refused(email), _refused(phone)
    return Statement(
        row=row,
        key=key,
        email=email,
        phone=phone,
        at=at,
        controller=word(cell("controller")),
        source=source,
        method=method,
        notice=notice,
        evidence=word(cell("evidence_ref")),
        tracking=truth(cell("tracking_consent")),
        capture=capture,
        declared=declared,
    )


def _refused(said: Truth) -> Truth:
    return Truth.NO if said is Truth.UNTICKED else said


def _capture(form: str, at: When, policy: Policy) -> Capture | None:
    """Returns the label that the form showed during the whole of ``at`` (rule 1.5)."""
    if not form or not isinstance(at, Interval):
        return None
    for capture in policy.captures.get(form, ()):
        if capture.since <= at.earliest and (capture.until is None or at.latest < capture.until):
            return capture
    return None


def _read_unticked(statements: list[Statement], evidence: Evidence, key: NarrowKey) -> None:
    """Turns an unticked box after a known yes of the same person into a withdrawal.

    Where no yes is known before it, a box left unticked is no statement (rule 1.4).
    """
    for channel in Channel:
        unticked = [s for s in statements if s.says(channel) is Truth.UNTICKED]
        if not unticked:
            continue
        agreed = [s for s in statements if s.says(channel) is Truth.YES]
        seen = evidence.history.seen_yes
        for statement in unticked:
            earlier_yes = any(
                yes.key == statement.key and provably_later(statement.at, yes.at) for yes in agreed
            )
            remembered = (
                statement.key == key
                and channel in seen
                and not _before(statement.at, seen[channel])
            )
            if earlier_yes or remembered:
                if channel is Channel.EMAIL:
                    statement.email = Truth.WITHDRAWN
                else:
                    statement.phone = Truth.WITHDRAWN


def _before(at: When, instant: datetime | None) -> bool:
    return instant is not None and isinstance(at, Interval) and at.latest < instant


def _jurisdiction(
    own: tuple[Statement, ...], policy: Policy
) -> tuple[Profile, Profile, tuple[Code, ...]]:
    """Finds the profile of a push, the profile of routes, and what is to report about it."""
    texts = {text for s in own if (text := word(s.row.cells.get("country")))}
    if not texts:
        home = policy.home_profile or Profile.STRICT
        return home, Profile.STRICT, (Code.JURISDICTION_UNKNOWN,)
    codes = {country_code(text) for text in texts}
    if len(codes) > 1:
        unknown = (Code.JURISDICTION_UNKNOWN,) if None in codes else ()
        return Profile.STRICT, Profile.STRICT, (*unknown, Code.JURISDICTION_CONFLICT)
    code = codes.pop()
    if code is None:
        return Profile.STRICT, Profile.STRICT, (Code.JURISDICTION_UNKNOWN,)
    return profile_of(code), profile_of(code), ()


def has_statement(facts: Facts) -> bool:
    """Says whether the person ever said yes or no on any channel (the basis lock)."""
    return any(s.email in STATEMENT or s.phone in STATEMENT for s in facts.own)


def _asked(known: Asking, own: tuple[Statement, ...]) -> Asked:
    """Combines the ledger with mapped columns: who was asked more often counts (rule 3)."""
    state = word(known.state)
    last: When = known.last_invite
    invites = max(known.invites, {"invited": 1, "reminded": 2}.get(state, 0))
    for statement in own:
        cells = statement.row.cells
        if "reperm_count" in cells or "reperm_invited_at" in cells:
            count = _count(word(cells.get("reperm_count")))
            at = when(cells.get("reperm_invited_at"))
            if at is not None:
                count = max(count, 1)
                last = at if last is None or _newer(at, last) else last
            invites = max(invites, count)
    if invites and not state:
        state = "invited"
    return Asked(state, invites, last, known.answered_at)


def _newer(at: When, than: When) -> bool:
    if at is UNREADABLE or than is UNREADABLE:
        return at is UNREADABLE
    return isinstance(at, Interval) and isinstance(than, Interval) and at.latest > than.latest


def _count(text: str) -> int:
    """Reads how often somebody was asked; what cannot be read counts as once (fail closed)."""
    whole = text.removesuffix(".0")
    if not whole.isdecimal():
        return 1 if text else 0
    return int(whole.lstrip("0")[:9] or 0)
