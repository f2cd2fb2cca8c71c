"""Payloads and changes as JSON: what comes back is what went in."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import StateError
from connector.model import (
    Band,
    Channel,
    Kind,
    Lead,
    OptOut,
    Outcome,
    Payload,
    Permission,
    PersonId,
    Recall,
    Tag,
)
from connector.store import notation, rows
from connector.store.payload import RANK, content_hash, decode, encode, outbox_key
from connector.store.rows import Cursor, Dropped, FeedRead, LeadState, Planned, Run, Tombstone
from tests.store.samples import LATER, NOW, action, decided, kid, lead, logged, person, pid

INSTANTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(max_size=12)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=3)
PERSONS = st.builds(PersonId, st.text("0123456789abcdef", min_size=32, max_size=32))
CHANNELS = st.sets(st.sampled_from(Channel)).map(lambda found: tuple(sorted(found)))
PERMISSIONS = st.builds(Permission, CHANNELS, TEXTS, TEXTS, st.none() | INSTANTS)
PAYLOADS: st.SearchStrategy[Payload] = st.one_of(
    st.builds(Lead, TEXTS, PERSONS, TEXTS, PERMISSIONS, MAPS, MAPS),
    st.builds(Recall, TEXTS, PERSONS, TEXTS, PERMISSIONS, st.none() | INSTANTS),
    st.builds(OptOut, TEXTS, PERSONS, TEXTS, st.lists(TEXTS).map(tuple), TEXTS),
    st.builds(Tag, PERSONS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, INSTANTS, TEXTS),
)


@given(PAYLOADS)
def test_a_payload_survives_its_text(payload: Payload) -> None:
    """Any payload is read back equal, and writing it again gives the same text."""
    assert decode(encode(payload)) == payload
    assert encode(decode(encode(payload))) == encode(payload)


@given(PAYLOADS, PAYLOADS)
def test_contents_are_equal_exactly_when_their_hashes_are(one: Payload, other: Payload) -> None:
    """The content hash tells a change from no change."""
    assert (content_hash(one) == content_hash(other)) == (encode(one) == encode(other))


@pytest.mark.parametrize(
    "text", ["{}", '{"is":"Lead"}', '{"is":"Note","person":"x"}', "[]", "nonsense", '"Lead"']
)
def test_what_no_version_wrote_is_refused(text: str) -> None:
    """A stored payload that cannot be understood is a ValueError, never a half-filled value."""
    with pytest.raises(ValueError, match=r".+"):
        decode(text)


def test_delivery_protects_first_and_sells_last() -> None:
    """Recall, opt-out, release, push, tag, untag: the order in which writes leave."""
    assert [kind.value for kind in sorted(RANK, key=RANK.__getitem__)] == [
        "recall", "optout", "release", "push", "tag", "untag",
    ]  # fmt: skip


def test_a_write_is_named_by_what_it_is_and_not_by_chance() -> None:
    """Destination, person, kind and episode make the key; categories are opted out of apart."""
    assert outbox_key(action(Kind.PUSH, 1)) == f"crm|{pid(1)}|push|1"
    assert outbox_key(action(Kind.PUSH, 1, episode=2)) != outbox_key(action(Kind.PUSH, 1))
    first, second = (OptOut("e", pid(1), "a@b.org", (), category) for category in ("A", "B"))
    keys = {outbox_key(action(Kind.OPTOUT, 1, payload=one)) for one in (first, second)}
    assert len(keys) == 2


FULL = rows.Person(
    pid(1), kid(1), "ä\ud800@example.org", Band.WATCH, NOW, NOW, LATER, Outcome.HOLD, "CODE",
    LATER, "mark", {"rows": [["x", 1, 2.5, None, True]]}, "INVITED", 2, NOW, True,
    {"email": None, "phone": "2026-01-01T00:00:00+00:00"}, {"code": "X"}, NOW, "r1", "r2",
)  # fmt: skip
CHANGES: list[rows.Change] = [
    FULL,
    person(2),
    LeadState(pid(1), "crm", "e1", "7", 3, rows.LeadStatus.RECALLED, (Channel.PHONE,), "h", NOW,
              ("DoNotCall",)),
    decided(1, Outcome.REVIEW),
    logged(1),
    Dropped(pid(1)),
    Tombstone(kid(1), "erased", NOW),
    FeedRead("optout", 3, NOW),
    Cursor("l-1", "x"),
    Run("r1", NOW, LATER, applied=True, exit=3, counts={"push": 1}),
    *(Planned(action(kind, 1), "r1", NOW) for kind in Kind),
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: type(c).__name__)
def test_a_change_survives_the_plan_file(change: rows.Change) -> None:
    """Every kind of change is read back equal from a spooled or kept plan."""
    assert notation.read(*notation.write(change)) == change


def test_the_sample_person_leaves_no_column_at_its_default() -> None:
    """The round trip above covers each column of a person."""
    bare = person(1)
    same = {f.name for f in fields(FULL) if getattr(FULL, f.name) == getattr(bare, f.name)}
    assert same == {"id", "kin", "leads"}


@pytest.mark.parametrize(
    ("name", "text"),
    [("Person", "{}"), ("Nobody", "{}"), ("Planned", "[]"), ("Run", "nonsense"), ("Run", "1")],
)
def test_a_plan_that_was_written_by_another_version_is_refused(name: str, text: str) -> None:
    """A spooled change that cannot be understood stops the run as unreadable state."""
    with pytest.raises(StateError):
        notation.read(name, text)


@given(INSTANTS)
def test_instants_are_kept_to_the_microsecond(instant: datetime) -> None:
    """An instant of any year comes back as it was."""
    assert rows.instant(rows.micros(instant)) == instant


def test_an_instant_without_a_zone_is_never_stored() -> None:
    """A naive instant is an error where it happens, not an hour's difference later."""
    with pytest.raises(TypeError):
        rows.micros(NOW.replace(tzinfo=None))


def test_a_lead_that_changes_has_another_hash() -> None:
    """A permission that is due at another time is another content."""
    other = replace(lead(1), permission=lead(1).permission._replace(recheck_due=NOW))
    assert content_hash(other) != content_hash(lead(1))
