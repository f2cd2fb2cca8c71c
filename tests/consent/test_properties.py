"""What the engine promises of every person, not only of those written down.

Evidence is that of the worked cases with cells changed, rows mixed in and entries added; the
examples are the same in each run.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import Asking, CrmFlags, Evidence, History, Tombstone
from connector.consent.policy import Policy
from connector.consent.reasons import OUTCOME_RANK, RANK, REASONS, Code
from connector.consent.times import FIRST, LAST, point
from connector.consent.values import Truth, truth, word
from connector.model import Cell, Channel, Feed, Interval, Outcome, Route, Row, Suppression
from connector.policy_file import load_policy
from connector.policy_trial import Case, read_cases

HERE = Path(__file__).parent.parent / "consent_cases"
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CASES = tuple(read_cases(HERE / "cases.csv"))
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
    *(
        "email",
        "consent_email",
        "consent_phone",
        "consent_ts",
    ),
    *(
        "consent_source",
        "consent_method",
        "evidence_ref",
        "notice_version",
    ),
    *(
        "doi_ts",
        "tracking_consent",
        "country",
        "subscriber_type",
    ),
    *(
        "phone",
        "phone_verified_ts",
        "controller",
        "form_id",
    ),
    *(
        "basis",
        "first_visit_ts",
        "last_activity_ts",
        "last_purchase_ts",
    ),
    *(
        "last_inquiry_ts",
        "birth_date",
        "do_not_contact",
        "optout_ts",
    ),
    *(
        "objected_ts",
        "request_form",
        "request_ts",
        "request_channels",
    ),
    *(
        "reperm_invited_at",
        "reperm_count",
    ),
)
"""Every field that a rule reads."""
FLAGS = (
    *(
        "HasOptedOutOfEmail",
        "DoNotCall",
        "HasOptedOutTracking",
        "HasOptedOutSolicit",
    ),
    *(
        "HasOptedOutProfiling",
        "HasOptedOutProcessing",
        "ShouldForget",
    ),
)
CATEGORIES = ("Sales contact", "Product news", "Newsletter", "never mapped", "")

DATES = (
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "0000-00-00",
    "0000-00-00T00:00:00Z",
    "0001-01-01",
    "0001-01-02",
    "1970-01-01T00:00:00Z",
    "2008-11-23",
    "2024-02-29",
    "2024-11-23T12:00:00Z",
    "2026-02-30",
    "2026-08-01",
    "2026-10-30T09:00:00",
    "2026-11-01T09:00:00+02:00",
    "2026-11-20T10:00:00Z",
    "2026-11-23T12:04:00Z",
    "2026-11-23T12:06:00Z",
    "2026-11-23T12:00:00+15:00",
    "2027-03-31T00:00:00Z",
    "31/12/2025",
    "1772530200",
    "1772530200123",
    45_000,
)
WORDS = (
    *("yes", "No", "FALSE", "withdrawn", "maybe", "n/a", "", " ", "opt-in", "☐", "1.0"),
    *("web_form", "preference_centre", "purchased_list", "unticked_checkbox", "pre_ticked"),
    *("signature", "PN-2024-03", "PN-2018-05", "PN-2026-06", "q-0002", "q-0005", "q-0007"),
    *("q-0101", "q-0102", "q-0103", "email+phone", "phone", "soft_opt_in", "corporate"),
    *("GB", "DE", "FR", "US", "CA", "IT", "BR", "Atlantis", "ACME", "Other Ltd"),
    *("+442079460000", "form:q-0002/sub:9", "ann.lee+x@contoso.example", "info@acme.example"),
)


class Absent:
    """The type of the mark for a cell whose column is not there."""


ABSENT = Absent()
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
cases = st.sampled_from(CASES)
fields = st.sampled_from(FIELDS)
intervals = st.one_of(
    st.none(),
    st.sampled_from(
        (
            point(FIRST),
            point(LAST),
            point(NOW - timedelta(days=2)),
            point(NOW + timedelta(days=2)),
            Interval(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 1, 3, tzinfo=UTC)),
            Interval(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)),
        )
    ),
)
states = st.one_of(
    st.sampled_from(("INVITED", "reminded", " Lapsed", "DECLINED", "")), st.text(max_size=8)
)
askings = st.builds(Asking, states, st.integers(0, 9), intervals, intervals)
remembered_yeses = st.dictionaries(st.sampled_from(Channel), st.sampled_from((None, FIRST, NOW)))
histories = st.builds(History, st.just(()), askings, st.booleans(), remembered_yeses)
bounded = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=250,
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


@cache
def policy_of(name: str) -> Policy:
    """Returns a case policy."""
    return load_policy(HERE / "policies" / f"{name}.toml", today=TODAY).policy


def with_cell(row: Row, field: str, value: Cell | Absent) -> Row:
    """Returns a row with one cell changed, or without that column."""
    cells = {name: cell for name, cell in row.cells.items() if name != field}
    return row._replace(cells=cells if isinstance(value, Absent) else {**cells, field: value})


def with_row(evidence: Evidence, place: int, row: Row) -> Evidence:
    """Returns evidence with one row replaced."""
    rows = evidence.rows
    return replace(evidence, rows=(*rows[:place], row, *rows[place + 1 :]))


@st.composite
def people(
    draw: st.DrawFn,
    values: st.SearchStrategy[Cell | Absent] = likely,
    policies: tuple[str, ...] = POLICIES,
) -> Person:
    """Draws a case, perhaps with another case's rows mixed in, and changes up to four cells."""
    case: Case = draw(cases)
    evidence = case.evidence
    if draw(st.booleans()):
        evidence = mixed(evidence, draw(cases).evidence)
    for _ in range(draw(st.integers(0, 4)) if evidence.rows else 0):
        place = draw(st.integers(0, len(evidence.rows) - 1))
        changed = with_cell(evidence.rows[place], draw(fields), draw(values))
        evidence = with_row(evidence, place, changed)
    name = case.policy if draw(st.booleans()) else draw(st.sampled_from(policies))
    return Person(evidence, policy_of(name if name in policies else policies[0]), case.now)


def mixed(evidence: Evidence, other: Evidence) -> Evidence:
    """Returns evidence with the rows and list entries of another person, made this one's."""
    theirs = tuple(
        with_cell(row._replace(contact_id=f"{row.contact_id}-2"), "email", evidence.subject)
        for row in other.rows
    )
    lists = evidence.suppressions
    entries = tuple(e._replace(email=evidence.subject) for e in other.suppressions.entries)
    lists = replace(lists, entries=(*lists.entries, *entries))
    return replace(evidence, rows=(*evidence.rows, *theirs), suppressions=lists)


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
undated_or_last = st.sampled_from((None, point(LAST)))


@bounded
@given(people(), st.sampled_from((Feed.OPTOUT, Feed.SPAM)), undated_or_last, spellings)
def test_global_list_entry_blocks_everything(
    person: Person, feed: Feed, at: Interval | None, way: int
) -> None:
    """An opt-out or complaint that nothing can be later than stops every contact and the asking."""
    email = spelled(person.evidence.subject, way)
    decision = person.listed(Suppression(feed, email, at)).judged()
    assert decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}
    assert decision.route is Route.NONE
    assert decision.code is Code.IDENTITY_INVALID or decision.outcome is Outcome.SUPPRESS


@bounded
@given(people(), st.sampled_from(("erased", "objected")), undated_or_last)
def test_tombstone_blocks_everything(person: Person, kind: str, at: Interval | None) -> None:
    """Who was erased or objected is neither contacted nor asked, whatever came in since."""
    decision = person.remembered(Tombstone(kind, at)).judged()
    assert decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}
    assert decision.route is Route.NONE
    assert decision.code is Code.IDENTITY_INVALID or decision.global_act


@bounded
@given(people(), undated_or_last, spellings)
def test_opt_out_of_the_sales_category_leaves_only_what_was_asked_for(
    person: Person, at: Interval | None, way: int
) -> None:
    """A category mapped ALL stops sales contact; a request of the person may still be answered."""
    email = spelled(person.evidence.subject, way)
    entry = Suppression(Feed.CATEGORY, email, at, " SALES  Contact")
    decision = person.listed(entry).judged()
    if decision.outcome is Outcome.PUSH:
        assert {ground.code for ground in decision.grounds} == {Code.OK_REQUESTED}
        assert Code.CATEGORY_OPTED_OUT in decision.also
    else:
        assert decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}
        assert decision.route is Route.NONE


@bounded
@given(people(), st.sampled_from(Feed), intervals, st.sampled_from(CATEGORIES), spellings)
def test_no_list_entry_frees_anybody(
    person: Person, feed: Feed, at: Interval | None, category: str, way: int
) -> None:
    """One more suppression never turns a refusal into a push; another ground may carry a push."""
    before = person.judged()
    email = spelled(person.evidence.subject, way)
    after = person.listed(Suppression(feed, email, at, category)).judged()
    assert before.outcome is Outcome.PUSH or after.outcome is not Outcome.PUSH


@bounded
@given(people(), st.sampled_from(FLAGS), st.sampled_from((True, "yes", "1", "maybe", "opted out")))
def test_no_crm_flag_frees_anybody(person: Person, flag: str, value: Cell) -> None:
    """A do-not-contact flag of the CRM never turns a refusal into a push."""
    before = person.judged()
    crm = person.evidence.crm
    flags = replace(crm, values={**crm.values, flag: value})
    after = person.having(crm=flags).judged()
    assert before.outcome is Outcome.PUSH or after.outcome is not Outcome.PUSH


@bounded
@given(people(), st.sampled_from(("erased", "objected")), intervals)
def test_no_tombstone_frees_anybody(person: Person, kind: str, at: Interval | None) -> None:
    """A remembered erasure or objection, whatever its date, is never outlived into a push."""
    after = person.remembered(Tombstone(kind, at)).judged()
    assert after.outcome is not Outcome.PUSH


@bounded
@given(people(), st.booleans())
def test_lists_that_are_incomplete_or_old_push_nobody(person: Person, old: bool) -> None:
    """Without complete lists of the last 24 hours nobody is pushed (rule 2.3)."""
    lists = person.evidence.suppressions
    stale = person.now - timedelta(hours=24, seconds=1)
    unsure = replace(lists, fetched_at=stale) if old else replace(lists, complete=False)
    assert person.having(suppressions=unsure).judged().outcome in {Outcome.SUPPRESS, Outcome.REVIEW}


@bounded
@given(people(), people(), st.randoms(use_true_random=False))
def test_order_of_rows_and_entries_does_not_matter(
    person: Person, other: Person, random: Any
) -> None:
    """Act-On may list rows and opt-outs in any order; everything decided stays the same."""
    person = person._replace(evidence=mixed(person.evidence, other.evidence))
    person = person.remembered(Tombstone("objected", point(FIRST)), Tombstone("erased"))
    rows, lists = list(person.evidence.rows), person.evidence.suppressions
    entries, stones = list(lists.entries), list(person.evidence.history.tombstones)
    for listed in (rows, entries, stones):
        random.shuffle(listed)
    shuffled = person.having(
        rows=tuple(rows),
        suppressions=replace(lists, entries=tuple(entries)),
        history=replace(person.evidence.history, tombstones=tuple(stones)),
    )
    assert all_of(shuffled.judged()) == all_of(person.judged())


@bounded
@given(people(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter_for_whom_no_list_names(person: Person, random: Any) -> None:
    """The same row is judged best, and proves the push, in whatever order rows arrive."""
    rows = list(person.evidence.rows)
    random.shuffle(rows)
    assert all_of(person.having(rows=tuple(rows)).judged()) == all_of(person.judged())


UNDATED: tuple[Cell | Absent, ...] = (ABSENT, None, "", "n/a", "1970-01-01", "0000-00-00", 0)
ILLEGIBLE: tuple[Cell | Absent, ...] = ("x", "31/12/2025", "2026-02-30", 45_000, "9999-12-31", -1)
EMPTIED: tuple[Cell | Absent, ...] = (ABSENT, None, "", " - ", "unknown", "#N/A")
BREAKING: Mapping[str, tuple[Cell | Absent, ...]] = {
    "consent_ts": UNDATED + ILLEGIBLE,
    "doi_ts": UNDATED + ILLEGIBLE,
    "phone_verified_ts": UNDATED + ILLEGIBLE,
    "first_visit_ts": UNDATED + ILLEGIBLE,
    "consent_source": (*EMPTIED, "somewhere", 7, True, "data_broker"),
    "consent_method": (*EMPTIED, "somehow", 7, True, "prefilled"),
    "notice_version": (*EMPTIED, "PN-1999-01", 7, True),
    "evidence_ref": EMPTIED,
    "tracking_consent": (*EMPTIED, "maybe", 7, False, "no"),
    "consent_email": (*EMPTIED, "maybe", 7, False, "no"),
    "consent_phone": (*EMPTIED, "maybe", 7, False, "no"),
    "phone": (*EMPTIED, "123", 7, True),
    "country": ("Atlantis", 7, True, "XK"),
}
"""What an accident makes of a cell that helps to prove a yes."""
STATING = frozenset({"consent_email", "consent_phone", "tracking_consent"})
INHERITED = frozenset({"consent_source", "consent_method", "notice_version", "consent_phone"})


@settings(bounded, max_examples=1000)
@given(people(policies=("consent_only", "strict")), st.data())
def test_breaking_a_piece_of_evidence_frees_nobody(person: Person, data: st.DataObject) -> None:
    """Where consent is proven by its cells, losing or garbling one never makes a refusal a push.

    Left out is what rule 1.4 and 1.5 say otherwise of: a no that vanishes, a box left unticked
    (its date makes it a withdrawal), and an emptied cell that a registered label fills.
    """
    before = person.judged()
    assume(before.outcome is not Outcome.PUSH and person.evidence.rows)
    place = data.draw(st.integers(0, len(person.evidence.rows) - 1))
    row = person.evidence.rows[place]
    field = data.draw(st.sampled_from(sorted(BREAKING)))
    broken = data.draw(st.sampled_from(BREAKING[field]))
    emptied = isinstance(broken, Absent) or word(broken) == ""
    assume(field not in STATING or truth(row.cells.get(field)) is Truth.YES)
    assume(not any_unticked(person.evidence))
    assume(not (emptied and field in INHERITED and word(row.cells.get("form_id"))))
    after = person._replace(
        evidence=with_row(person.evidence, place, with_cell(row, field, broken))
    ).judged()
    assert after.outcome is not Outcome.PUSH or after.code is Code.OK_REQUESTED


def any_unticked(evidence: Evidence) -> bool:
    """Says whether some row holds a box that was left unticked."""
    return any(
        truth(row.cells.get(field)) is Truth.UNTICKED
        for row in evidence.rows
        for field in ("consent_email", "consent_phone")
    )


@settings(bounded, max_examples=1500)
@given(people(), st.one_of(st.none(), histories), st.sampled_from((None, *DATES)))
def test_nothing_changes_before_the_next_look(
    person: Person, history: History | None, screened: Cell
) -> None:
    """Until ``look_again_at`` time alone changes nothing, and without it never does."""
    if history is not None:
        screening = {"TPS": False, "CTPS": "no", "DNC": 0, "screened_at": screened}
        person = person.having(history=history, screening=screening)
    decision = person.judged()
    due = decision.look_again_at
    then = datetime(2090, 1, 1, tzinfo=UTC) if due is None else due - timedelta(seconds=1)
    moved = person.later(max(then, person.now)).judged()
    assert answer_of(moved) == answer_of(decision)


@bounded
@given(people())
def test_every_next_look_is_the_last_before_a_change_or_finds_another(person: Person) -> None:
    """Following ``look_again_at`` ends: each look names a later one, or none."""
    seen = 0
    due = person.judged().look_again_at
    while due is not None and seen < 50:
        seen += 1
        following = person.later(due).judged().look_again_at if due.year < 9999 else None
        assert following is None or following > due
        due = following
    assert seen < 50


@settings(bounded, max_examples=600)
@given(people(values=wild), wild, st.dictionaries(st.sampled_from(FLAGS), wild, max_size=2))
def test_no_cell_makes_the_engine_stumble(
    person: Person, value: Cell, flags: Mapping[str, Cell]
) -> None:
    """Any text, number, truth value or date in any cell is judged, and a push has channels."""
    screening = {"TPS": value, "CTPS": False, "DNC": value, "screened_at": value}
    decision = person.having(crm=CrmFlags(dict(flags)), screening=screening).judged()
    check_form(decision)


@bounded
@given(people(), st.text(st.characters(), max_size=12), st.sampled_from(Feed), intervals)
def test_no_address_makes_the_engine_stumble(
    person: Person, text: str, feed: Feed, at: Interval | None
) -> None:
    """Any text as subject, domain, entry or category is judged; without an address, by a human."""
    for email in (text, f"{text}@{text}", f"a@{text}.example"):
        entry = Suppression(feed, email, at, text)
        asked = person.having(subject=email).listed(entry)
        check_form(asked.judged())
        unnamed = person.having(subject=email.replace("@", "")).judged()
        assert unnamed.code is Code.IDENTITY_INVALID


@settings(bounded, max_examples=600)
@given(people(), histories)
def test_no_history_makes_the_engine_stumble(person: Person, history: History) -> None:
    """Any state of the asking, invitations from any century and remembered yeses are judged."""
    check_form(person.having(history=history).judged())


def check_form(decision: Decision) -> None:
    """Asserts what holds of each decision, whatever was judged."""
    pushed = decision.outcome is Outcome.PUSH
    assert bool(decision.channels) is pushed
    assert bool(decision.grounds) is pushed
    assert (decision.route is None) is pushed
    assert REASONS[decision.code].outcome is decision.outcome
    assert list(decision.also) == sorted(set(decision.also) - {decision.code}, key=RANK.get)
    if not pushed:
        most = min(OUTCOME_RANK[REASONS[code].outcome] for code in decision.codes)
        assert most <= OUTCOME_RANK[decision.outcome]
