"""What holds of everybody: a suppression blocks, and one more never frees anybody."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from connector.consent.evidence import Tombstone
from connector.consent.keys import narrow_key
from connector.consent.reasons import Code
from connector.consent.times import LAST, point, provably_later, when
from connector.consent.values import word
from connector.model import Cell, Channel, Feed, Interval, Outcome, Route, Row, Suppression
from tests.consent.chance import (
    CATEGORIES,
    FLAGS,
    Person,
    bounded,
    intervals,
    near,
    people,
    spelled,
    spellings,
    with_cell,
    with_row,
)

BLOCKED = {Outcome.SUPPRESS, Outcome.REVIEW}
GLOBAL = ("optout", "spam", "erased", "objected", "objected_ts")


def suppressed(person: Person, kind: str, at: Interval | None, way: int) -> Person:
    """Returns the person with one more global suppression, under any spelling of the address."""
    email = spelled(person.evidence.subject, way)
    if kind in {"erased", "objected"}:
        return person.remembered(Tombstone(kind, at))
    if kind == "objected_ts":
        dated = Row("l-0042", "9", {"email": email, "objected_ts": "soon" if at is None else at})
        return person.having(rows=(*person.evidence.rows, dated))
    return person.listed(Suppression(Feed(kind), email, at))


def spoke_after(person: Person, at: Interval | None) -> bool:
    """Says whether a consent or request of the person is provably later than ``at``."""
    key = narrow_key(person.evidence.subject)
    return any(
        provably_later(when(found.cells.get(field)), at)
        for found in person.evidence.rows
        if narrow_key(found.cells.get("email")) == key
        for field in ("consent_ts", "request_ts")
    )


@bounded
@given(people(), st.sampled_from(GLOBAL), spellings, st.data())
def test_global_suppression_blocks_push_and_invitation(
    person: Person, kind: str, way: int, data: st.DataObject
) -> None:
    """Nobody is contacted or asked; without a later word of theirs not even a human is bothered."""
    at = near(person, data)
    decision = suppressed(person, kind, at, way).judged()
    assert decision.outcome in BLOCKED
    assert decision.route is Route.NONE
    assert decision.code is Code.IDENTITY_INVALID or decision.global_act
    if decision.code is not Code.IDENTITY_INVALID and not spoke_after(person, at):
        assert decision.outcome is Outcome.SUPPRESS


@bounded
@given(people(), spellings, st.data())
def test_opt_out_of_the_sales_category_leaves_only_what_was_asked_for(
    person: Person, way: int, data: st.DataObject
) -> None:
    """A category mapped ALL stops sales contact; a request of the person may still be answered."""
    email = spelled(person.evidence.subject, way)
    entry = Suppression(Feed.CATEGORY, email, near(person, data), " SALES  Contact")
    decision = person.listed(entry).judged()
    if decision.outcome is Outcome.PUSH:
        assert {ground.code for ground in decision.grounds} == {Code.OK_REQUESTED}
        assert {Code.CATEGORY_OPTED_OUT, Code.RECONSENT_AFTER_SUPPRESSION} & set(decision.also)
    else:
        assert decision.outcome in BLOCKED
        assert decision.route is Route.NONE


@bounded
@given(people(), st.sampled_from(FLAGS[:2]), st.sampled_from((True, "yes", "maybe", "opted out")))
def test_crm_flag_blocks_its_channel(person: Person, flag: str, value: Cell) -> None:
    """Do-not-e-mail and do-not-call hold for consent, request and statute alike."""
    crm = person.evidence.crm
    assume(flag not in crm.set_by_gate)
    flags = replace(crm, values={**crm.values, flag: value})
    decision = person.having(crm=flags).judged()
    closed = Channel.EMAIL if flag == "HasOptedOutOfEmail" else Channel.PHONE
    assert closed not in decision.channels
    assert decision.route is not Route.DIRECT or closed is not Channel.EMAIL


@bounded
@given(people(), st.sampled_from(Channel), st.sampled_from(("", "9999-12-31", "soon")), spellings)
def test_no_to_a_channel_blocks_that_channel(
    person: Person, channel: Channel, ts: str, way: int
) -> None:
    """A no that no yes is provably later than leaves only what the person asked for."""
    email = spelled(person.evidence.subject, way)
    said = Row("l-0042", "9", {"email": email, f"consent_{channel}": "No", "consent_ts": ts})
    decision = person.having(rows=(*person.evidence.rows, said)).judged()
    for ground in decision.grounds:
        assert channel not in ground.channels or ground.code is Code.OK_REQUESTED
    if channel is Channel.EMAIL:
        assert decision.route is not Route.DIRECT


@bounded
@given(people(), st.sampled_from((Feed.CATEGORY, Feed.HARDBOUNCE)))
def test_category_or_bounce_blocks_mail(person: Person, feed: Feed) -> None:
    """A category mapped EMAIL and a bounce take the e-mail channel; a request may be answered."""
    entry = Suppression(feed, person.evidence.subject, None, "product NEWS")
    decision = person.listed(entry).judged()
    for ground in decision.grounds:
        asked = ground.code is Code.OK_REQUESTED and feed is Feed.CATEGORY
        assert Channel.EMAIL not in ground.channels or asked
    assert decision.route is not Route.DIRECT


@bounded
@given(people(), st.sampled_from(Feed), st.sampled_from(CATEGORIES), spellings, st.data())
def test_no_list_entry_frees_anybody(
    person: Person, feed: Feed, category: str, way: int, data: st.DataObject
) -> None:
    """One more suppression never turns a refusal into a push nor adds a channel to one."""
    before = person.judged()
    email = spelled(person.evidence.subject, way)
    after = person.listed(Suppression(feed, email, near(person, data), category)).judged()
    assert set(after.channels) <= set(before.channels)


@bounded
@given(people(), st.sampled_from(FLAGS), st.sampled_from((True, "yes", "1", "maybe", "opted out")))
def test_no_crm_flag_frees_anybody(person: Person, flag: str, value: Cell) -> None:
    """A do-not-contact flag of the CRM never turns a refusal into a push nor adds a channel."""
    before = person.judged()
    crm = person.evidence.crm
    flags = replace(crm, values={**crm.values, flag: value})
    after = person.having(crm=flags).judged()
    assert set(after.channels) <= set(before.channels)


NEGATIVE_CELLS = (
    *(("do_not_contact", said) for said in ("Yes", "opted out", "maybe")),
    *(("optout_ts", at) for at in ("2020-01-01", "2026-05-01", "soon")),
    *(("objected_ts", at) for at in ("2020-01-01", "2026-05-01", "soon")),
    *(("consent_phone", said) for said in ("No", "withdrawn", "maybe")),
    *(("tracking_consent", said) for said in ("No", "maybe")),
)


@bounded
@given(people(), st.sampled_from(NEGATIVE_CELLS), st.data())
def test_no_negative_cell_frees_anybody(
    person: Person, said: tuple[str, str], data: st.DataObject
) -> None:
    """A no written into an empty cell never adds a channel."""
    field, value = said
    rows = person.evidence.rows
    assume(rows)
    place = data.draw(st.integers(0, len(rows) - 1))
    assume(word(rows[place].cells.get(field)) == "")
    before = person.judged()
    changed = with_row(person.evidence, place, with_cell(rows[place], field, value))
    after = person._replace(evidence=changed).judged()
    assert set(after.channels) <= set(before.channels)


@bounded
@given(people(), st.sampled_from(("erased", "objected")), intervals)
def test_no_tombstone_leaves_a_push(person: Person, kind: str, at: Interval | None) -> None:
    """A remembered erasure or objection never leaves a push; a human may clear it."""
    assert person.remembered(Tombstone(kind, at)).judged().outcome in BLOCKED


@bounded
@given(people(), st.booleans())
def test_lists_that_are_incomplete_or_old_push_nobody(person: Person, old: bool) -> None:
    """Without complete lists of the last 24 hours nobody is pushed (rule 2.3)."""
    lists = person.evidence.suppressions
    stale = person.now - timedelta(hours=24, seconds=1)
    unsure = replace(lists, fetched_at=stale) if old else replace(lists, complete=False)
    assert person.having(suppressions=unsure).judged().outcome in BLOCKED


@bounded
@given(people(), spellings)
def test_opt_out_on_record_of_the_far_future_stops_everything(person: Person, way: int) -> None:
    """``optout_ts`` is a no to all channels and to answering requests."""
    email = spelled(person.evidence.subject, way)
    left = Row("l-0042", "9", {"email": email, "optout_ts": point(LAST)})
    decision = person.having(rows=(*person.evidence.rows, left)).judged()
    assert decision.outcome in BLOCKED
