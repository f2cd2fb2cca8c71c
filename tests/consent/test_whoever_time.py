"""What holds of everybody: until the next look time alone changes nothing, and no input at all
makes the engine stumble."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.consent.evidence import CrmFlags, History
from connector.consent.reasons import Code
from connector.model import Cell, Feed, Interval, Suppression
from tests.consent.chance import (
    DATES,
    EXAMPLES,
    FLAGS,
    Person,
    answer_of,
    bounded,
    form_of,
    histories,
    intervals,
    people,
    wild,
)

FAR = datetime(2090, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@settings(bounded, max_examples=4 * EXAMPLES)
@given(
    people(),
    st.one_of(st.none(), histories),
    st.sampled_from((None, *DATES)),
    st.floats(0, 1),
)
def test_nothing_changes_before_the_next_look(
    person: Person, history: History | None, screened: Cell, part: float
) -> None:
    """Until ``look_again_at`` time alone changes nothing, and without it never does."""
    if history is not None:
        screening = {"TPS": False, "CTPS": "no", "DNC": 0, "screened_at": screened}
        person = person.having(history=history, screening=screening)
    for _ in range(3):
        decision = person.judged()
        due = decision.look_again_at
        last = FAR if due is None else min(FAR, due - SECOND)
        if last > person.now:
            between = person.now + (last - person.now) * part
            assert answer_of(person.later(last).judged()) == answer_of(decision)
            assert answer_of(person.later(between).judged()) == answer_of(decision)
        if due is None or due > FAR:
            break
        person = person.later(due)


@bounded
@given(people())
def test_looking_again_comes_to_an_end(person: Person) -> None:
    """Each look names a later one, or none."""
    seen = 0
    due = person.judged().look_again_at
    while due is not None and seen < 50:
        seen += 1
        following = person.later(due).judged().look_again_at if due.year < 9999 else None
        assert following is None or following > due
        due = following
    assert seen < 50


@settings(bounded, max_examples=2 * EXAMPLES)
@given(people(values=wild), wild, st.dictionaries(st.sampled_from(FLAGS), wild, max_size=2))
def test_no_cell_makes_the_engine_stumble(
    person: Person, value: Cell, flags: Mapping[str, Cell]
) -> None:
    """Any text, number, truth value or date in any cell is judged, and a push has channels."""
    screening = {"TPS": value, "CTPS": False, "DNC": value, "screened_at": value}
    form_of(person.having(crm=CrmFlags(dict(flags)), screening=screening).judged())


@bounded
@given(people(), st.text(st.characters(), max_size=12), st.sampled_from(Feed), intervals)
def test_no_address_makes_the_engine_stumble(
    person: Person, text: str, feed: Feed, at: Interval | None
) -> None:
    """Any text as subject, domain, entry or category is judged; without an address, by a human."""
    for email in (text, f"{text}@{text}", f"a@{text}.example"):
        entry = Suppression(feed, email, at, text)
        form_of(person.having(subject=email).listed(entry).judged())
        unnamed = person.having(subject=email.replace("@", "")).judged()
        assert unnamed.code is Code.IDENTITY_INVALID


@settings(bounded, max_examples=2 * EXAMPLES)
@given(people(), histories)
def test_no_history_makes_the_engine_stumble(person: Person, history: History) -> None:
    """Any state of the asking, invitations from any century and remembered yeses are judged."""
    form_of(person.having(history=history).judged())
