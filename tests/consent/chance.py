"""People drawn by chance: the worked cases and base rows with cells changed, rows mixed in and
entries added. The examples are the same in each run; CONSENT_EXAMPLES scales their number.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import Asking, Evidence, History, Tombstone
from connector.consent.policy import Policy
from connector.consent.reasons import RANK, REASONS
from connector.consent.times import FIRST, LAST, point, when
from connector.model import Cell, Channel, Interval, Outcome, Route, Row, Suppression
from tests.consent.people import ABSENT, CASES, T0, WHO, Absent, evidence, policy_of, row

EXAMPLES = int(os.environ.get("CONSENT_EXAMPLES", "250"))
"""How many people most properties are tried on; four times as many for the subtle ones."""
POLICIES = (
    "consent_only",
    "consent_only_uk",
    "forms_only",
    "observe",
    "starter",
    "statutory",
    "strict",
)
FIELDS = (
    *("email", "consent_email", "consent_phone", "consent_ts", "consent_source"),
    *("consent_method", "evidence_ref", "notice_version", "doi_ts", "tracking_consent"),
    *("country", "subscriber_type", "phone", "phone_verified_ts", "controller", "form_id"),
    *("basis", "first_visit_ts", "last_activity_ts", "last_purchase_ts", "last_inquiry_ts"),
    *("birth_date", "do_not_contact", "optout_ts", "objected_ts", "request_form"),
    *("request_ts", "request_channels", "reperm_invited_at", "reperm_count"),
)
"""Every field that a rule reads."""
FLAGS = (
    *("HasOptedOutOfEmail", "DoNotCall", "HasOptedOutTracking", "HasOptedOutSolicit"),
    *("HasOptedOutProfiling", "HasOptedOutProcessing", "ShouldForget"),
)
CATEGORIES = ("Sales contact", "Product news", "Newsletter", "never mapped", "")

DATES = (
    *("9999-12-31", "9999-12-31T23:59:59Z", "0000-00-00", "0000-00-00T00:00:00Z", "0001-01-01"),
    *("0001-01-02", "1970-01-01T00:00:00Z", "2008-11-23", "2024-02-29", "2024-11-23T12:00:00Z"),
    *("2026-02-30", "2026-08-01", "2026-10-30T09:00:00", "2026-11-01T09:00:00+02:00"),
    *("2026-11-20T10:00:00Z", "2026-11-23T12:04:00Z", "2026-11-23T12:06:00Z"),
    *("2026-11-23T12:00:00+15:00", "2027-03-31T00:00:00Z", "31/12/2025", "1772530200"),
    *("1772530200123", 45_000, "45000", 45_000.5, -1, 0),
)
WORDS = (
    *("yes", "No", "FALSE", "withdrawn", "maybe", "n/a", "", " ", "opt-in", "☐", "1.0"),
    *("web_form", "preference_centre", "purchased_list", "unticked_checkbox", "pre_ticked"),
    *("signature", "PN-2024-03", "PN-2018-05", "PN-2026-06", "q-0002", "q-0005", "q-0007"),
    *("q-0101", "q-0102", "q-0103", "email+phone", "phone", "soft_opt_in", "corporate"),
    *("GB", "DE", "FR", "US", "CA", "IT", "BR", "Atlantis", "ACME", "Other Ltd"),
    *("+442079460000", "form:q-0002/sub:9", "ann.lee+x@contoso.example", "info@acme.example"),
)


wild = st.one_of(
    st.text(st.characters(), max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.sampled_from(DATES),
)
"""Anything that a mapped column may hold, half of a surrogate pair included."""
likely = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(DATES), st.booleans(), st.none(), st.just(ABSENT)
)
"""What columns do hold."""
known_people = st.sampled_from(
    [(case.evidence, case.policy, case.now) for case in CASES]
    + [(evidence(row(country)), "consent_only", T0) for country in WHO]
)
"""The people of the worked cases and the base people, each with a policy and an instant."""
fields = st.sampled_from(FIELDS)
intervals = st.one_of(
    st.none(),
    st.sampled_from(
        (
            point(FIRST),
            point(LAST),
            point(T0 - timedelta(days=2)),
            point(T0 + timedelta(days=2)),
            Interval(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 3, tzinfo=UTC)),
            Interval(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)),
        )
    ),
)
states = st.one_of(
    st.sampled_from(("INVITED", "reminded", " Lapsed", "DECLINED", "")), st.text(max_size=8)
)
askings = st.builds(Asking, states, st.integers(0, 9), intervals, intervals)
remembered_yeses = st.dictionaries(st.sampled_from(Channel), st.sampled_from((None, FIRST, T0)))
histories = st.builds(History, st.just(()), askings, st.booleans(), remembered_yeses)
bounded = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Person(NamedTuple):
    """Evidence to be judged under a policy at an instant."""

    evidence: Evidence
    policy: Policy
    now: datetime

    def judged(self) -> Decision:
        """Returns the decision."""
        return evaluate(self.evidence, self.policy, self.now)

    def having(self, **changes: Any) -> "Person":
        """Returns the same person with parts of the evidence replaced."""
        return self._replace(evidence=replace(self.evidence, **changes))

    def listed(self, *entries: Suppression) -> "Person":
        """Returns the same person with further entries on the opt-out lists."""
        lists = self.evidence.suppressions
        return self.having(suppressions=replace(lists, entries=(*lists.entries, *entries)))

    def remembered(self, *stones: Tombstone) -> "Person":
        """Returns the same person with further tombstones."""
        history = self.evidence.history
        return self.having(history=replace(history, tombstones=(*history.tombstones, *stones)))

    def later(self, now: datetime) -> "Person":
        """Returns the same person at another instant, the lists read as long before it."""
        lists = self.evidence.suppressions
        read = lists.fetched_at and lists.fetched_at + (now - self.now)
        moved = self.having(suppressions=replace(lists, fetched_at=read))
        return moved._replace(now=now)


def with_cell(found: Row, field: str, value: Cell | Absent) -> Row:
    """Returns a row with one cell changed, or without that column."""
    cells = {name: cell for name, cell in found.cells.items() if name != field}
    return found._replace(cells=cells if isinstance(value, Absent) else {**cells, field: value})


def with_row(known: Evidence, place: int, changed: Row) -> Evidence:
    """Returns evidence with one row replaced."""
    rows = known.rows
    return replace(known, rows=(*rows[:place], changed, *rows[place + 1 :]))


@st.composite
def people(
    draw: st.DrawFn,
    values: st.SearchStrategy[Cell | Absent] = likely,
    policies: tuple[str, ...] = POLICIES,
) -> Person:
    """Draws a case, perhaps with another case's rows mixed in, and changes up to four cells."""
    known, usual, now = draw(known_people)
    if draw(st.booleans()):
        known = mixed(known, draw(known_people)[0])
    for _ in range(draw(st.integers(0, 4)) if known.rows else 0):
        place = draw(st.integers(0, len(known.rows) - 1))
        changed = with_cell(known.rows[place], draw(fields), draw(values))
        known = with_row(known, place, changed)
    name = usual if draw(st.booleans()) else draw(st.sampled_from(policies))
    return Person(known, policy_of(name if name in policies else policies[0]), now)


def mixed(known: Evidence, other: Evidence) -> Evidence:
    """Returns evidence with the rows and list entries of another person, made this one's."""
    theirs = tuple(
        with_cell(found._replace(contact_id=f"{found.contact_id}-2"), "email", known.subject)
        for found in other.rows
    )
    lists = known.suppressions
    entries = tuple(entry._replace(email=known.subject) for entry in other.suppressions.entries)
    lists = replace(lists, entries=(*lists.entries, *entries))
    return replace(known, rows=(*known.rows, *theirs), suppressions=lists)


def spelled(email: str, way: int) -> str:
    """Returns another spelling of the same mailbox; an opt-out is matched by all of them."""
    local, at, domain = email.partition("@")
    ways = (email, f" {email.upper()} ", f"{local.partition('+')[0]}+news{at}{domain}")
    return ways[way]


def answer_of(decision: Decision) -> tuple[object, ...]:
    """Returns what the world sees of a decision."""
    return (decision.outcome, decision.codes, decision.route, decision.channels)


def all_of(decision: Decision) -> tuple[object, ...]:
    """Returns everything but which of two rows alike in every cell is the proof."""
    grounds = tuple((*g[:2], g.row.source, *g[3:]) for g in decision.grounds)
    told = (decision.look_again_at, decision.profile, decision.lacks)
    acts = (decision.refused, decision.global_act, decision.requested)
    return (*answer_of(decision), grounds, *told, *acts)


spellings = st.integers(0, 2)


def near(person: Person, draw: st.DataObject) -> Interval | None:
    """Draws the date of a list entry, mostly a second before, at or after some date of a row."""
    dates = [
        at
        for found in person.evidence.rows
        for field in ("consent_ts", "request_ts", "doi_ts")
        if isinstance(at := when(found.cells.get(field)), Interval)
    ]
    if not dates or draw.draw(st.integers(0, 3)) == 0:
        return draw.draw(intervals)
    at = draw.draw(st.sampled_from(dates))
    by = timedelta(seconds=draw.draw(st.sampled_from((-1, 0, 1))))
    try:
        return Interval(at.earliest + by, at.latest + by)
    except OverflowError:
        return at


def form_of(decision: Decision) -> None:
    """Asserts what holds of each decision, whatever was judged."""
    pushed = decision.outcome is Outcome.PUSH
    assert bool(decision.channels) is pushed
    assert bool(decision.grounds) is pushed
    assert (decision.route is None) is pushed
    assert REASONS[decision.code].outcome is decision.outcome
    assert list(decision.also) == sorted(set(decision.also) - {decision.code}, key=RANK.get)
    if decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}:
        assert decision.route is Route.NONE
