"""What holds of everybody: lost evidence frees nobody, order does not matter, the same input
gives the same decision."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connector.consent.decide import evaluate
from connector.consent.evidence import Evidence, Tombstone
from connector.consent.reasons import Code
from connector.consent.times import FIRST, point
from connector.consent.values import Truth, truth, word
from connector.model import Cell, Outcome
from tests.consent.chance import (
    EXAMPLES,
    Person,
    all_of,
    bounded,
    form_of,
    mixed,
    people,
    with_cell,
    with_row,
)
from tests.consent.people import ABSENT, Absent

UNDATED: tuple[Cell | Absent, ...] = (ABSENT, None, "", "n/a", "1970-01-01", "0000-00-00", 0)
ILLEGIBLE: tuple[Cell | Absent, ...] = ("x", "31/12/2025", "2026-02-30", 45_000, "9999-12-31", -1)
EMPTIED: tuple[Cell | Absent, ...] = (ABSENT, None, "", " - ", "unknown", "#N/A")
BREAKING: Mapping[str, tuple[Cell | Absent, ...]] = {
    "consent_ts": UNDATED + ILLEGIBLE,
    "doi_ts": UNDATED + ILLEGIBLE,
    "phone_verified_ts": UNDATED + ILLEGIBLE,
    "first_visit_ts": UNDATED + ILLEGIBLE,
    "last_purchase_ts": UNDATED + ILLEGIBLE,
    "last_activity_ts": UNDATED + ILLEGIBLE,
    "consent_source": (*EMPTIED, "somewhere", 7, True, "data_broker"),
    "consent_method": (*EMPTIED, "somehow", 7, True, "prefilled"),
    "notice_version": (*EMPTIED, "PN-1999-01", 7, True),
    "evidence_ref": EMPTIED,
    "tracking_consent": (*EMPTIED, "maybe", 7, False, "no"),
    "consent_email": (*EMPTIED, "maybe", 7, False, "no"),
    "consent_phone": (*EMPTIED, "maybe", 7, False, "no"),
    "phone": (*EMPTIED, "123", 7, True),
    "country": ("Atlantis", 7, True, "XK"),
    "controller": ("Other Ltd", 7, True),
}
"""What an accident makes of a cell that helps to prove a yes."""
STATING = frozenset({"consent_email", "consent_phone", "tracking_consent"})
INHERITED = frozenset({"consent_source", "consent_method", "notice_version", "consent_phone"})


@settings(bounded, max_examples=4 * EXAMPLES)
@given(people(policies=("consent_only", "strict")), st.data())
def test_breaking_a_piece_of_evidence_frees_nobody(person: Person, data: st.DataObject) -> None:
    """Where consent is proven by its cells, losing or garbling one never makes a refusal a push.

    Left out is what rules 1.4 and 1.5 say otherwise of: a no that vanishes, a box left unticked
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


def any_unticked(known: Evidence) -> bool:
    """Says whether some row holds a box that was left unticked."""
    return any(
        truth(row.cells.get(field)) is Truth.UNTICKED
        for row in known.rows
        for field in ("consent_email", "consent_phone")
    )


@bounded
@given(people(), people(), st.randoms(use_true_random=False))
def test_order_of_rows_entries_and_keys_does_not_matter(
    person: Person, other: Person, random: Random
) -> None:
    """Act-On may list rows, columns and opt-outs in any order; everything decided is the same."""
    person = person._replace(evidence=mixed(person.evidence, other.evidence))
    person = person.remembered(Tombstone("objected", point(FIRST)), Tombstone("erased"))
    assert all_of(shuffled(person, random).judged()) == all_of(person.judged())


@bounded
@given(people(), st.randoms(use_true_random=False))
def test_order_does_not_matter_for_whom_no_list_names(person: Person, random: Random) -> None:
    """The same row is judged best, and proves the push, in whatever order rows arrive."""
    assert all_of(shuffled(person, random).judged()) == all_of(person.judged())


def shuffled(person: Person, random: Random) -> Person:
    """Returns the person with everything that is known in another order."""
    known = person.evidence

    def mix(things: tuple) -> tuple:
        return tuple(random.sample(things, len(things)))

    def keys(cells: Mapping[str, Cell]) -> dict[str, Cell]:
        return dict(mix(tuple(cells.items())))

    return person.having(
        rows=mix(tuple(row._replace(cells=keys(row.cells)) for row in known.rows)),
        suppressions=replace(known.suppressions, entries=mix(known.suppressions.entries)),
        history=replace(known.history, tombstones=mix(known.history.tombstones)),
        crm=replace(known.crm, values=keys(known.crm.values)),
        screening=keys(known.screening),
    )


@bounded
@given(people())
def test_same_input_same_decision_under_the_same_hash(person: Person) -> None:
    """The engine is pure and leaves what it is given as it was; a decision names its policy."""
    before = repr(person.evidence)
    once = person.judged()
    again = evaluate(person.evidence, person.policy, person.now)
    assert once == again
    assert (once.policy_version, once.policy_hash) == (person.policy.version, person.policy.hash)
    assert repr(person.evidence) == before


@bounded
@given(people())
def test_a_push_is_named_by_its_channels(person: Person) -> None:
    """PUSH exactly when channels are named; reason, route and order of codes fit the outcome."""
    form_of(person.judged())
