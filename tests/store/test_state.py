"""The state's verbs, on SQLite and on PostgreSQL alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.audit import verify
from connector.errors import AuditError, StateError
from connector.model import Band, Channel, Kind, Outcome, PersonId
from connector.store.rows import (
    Change,
    Dropped,
    FeedRead,
    LeadState,
    LeadStatus,
    Run,
    Tombstone,
)
from connector.store.state import Store
from tests.store.samples import (
    CRM,
    LATER,
    NOW,
    action,
    decided,
    kid,
    known,
    lead,
    logged,
    person,
    pid,
    planned,
    push,
    send,
)


def test_a_person_is_known_with_all_columns_and_leads(store: Store) -> None:
    """What was committed of a person is read back equal, and only of those asked for."""
    full = person(
        1, band=Band.WATCH, outcome=Outcome.HOLD, look_again_at=LATER, evidence={"rows": [1, None]},
        seen_yes={"email": None}, seen_statement=True, invites=2, last_invite=NOW,
    )  # fmt: skip
    state = LeadState(pid(1), CRM, "e1", set_flags=("DoNotCall",))
    store.commit([full, state, person(2)])
    assert store.known([pid(1), pid(3)]) == {pid(1): replace(full, leads=(state,))}


def test_more_people_than_a_page_are_all_read_once(store: Store) -> None:
    """Streams and look-ups go on behind the first page, in the order of the pseudonyms."""
    store.commit(change for number in range(1_201) for change in known(number))
    everyone = [pid(number) for number in range(1_201)]
    assert [one.id for one in store.tracked()] == everyone
    assert sorted(store.known(everyone)) == everyone
    assert all(len(one.leads) == 1 for one in store.tracked())


def test_a_reader_may_write_while_it_streams(store: Store) -> None:
    """Streaming holds no lock: a commit in the middle of it does not wait for its end."""
    store.commit(change for number in range(1_001) for change in known(number))
    for one in store.tracked():
        if one.id == pid(3):
            store.commit([replace(one, code="SEEN")])
    assert store.known([pid(3)])[pid(3)].code == "SEEN"


def test_a_commit_is_saved_as_a_whole_or_not_at_all(store: Store) -> None:
    """A stream that breaks after thousands of changes leaves nothing of them."""

    def broken() -> Iterator[Change]:
        for number in range(2_500):
            yield from known(number)
            yield logged(number)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        store.commit(broken())
    assert list(store.tracked()) == []
    assert store.log_head().count == 0
    store.commit(known(1))
    assert [one.id for one in store.tracked()] == [pid(1)]


def test_the_last_of_two_changes_to_one_row_wins(store: Store) -> None:
    """One commit may say something twice about a person."""
    store.commit([person(1, code="A"), person(1, code="B")])
    assert store.known([pid(1)])[pid(1)].code == "B"


def test_the_first_run_of_a_person_is_kept(store: Store) -> None:
    """A later commit renews what is known, but not when the person was first seen."""
    store.commit([person(1, first_seen_run="r1", last_seen_run="r1")])
    store.commit([person(1, first_seen_run="r2", last_seen_run="r2")])
    found = store.known([pid(1)])[pid(1)]
    assert (found.first_seen_run, found.last_seen_run) == ("r1", "r2")


def test_an_external_id_is_minted_once(store: Store) -> None:
    """A second commit of a lead cannot give it another id, nor move what deliveries decide."""
    push(store, 1)
    store.commit([LeadState(pid(1), CRM, "another", set_flags=("DoNotCall",))])
    (found,) = store.known([pid(1)])[pid(1)].leads
    assert (found.external_id, found.status) == ("e1", LeadStatus.PUSHED)
    assert found.set_flags == ("DoNotCall",)


def test_withdrawals_find_everyone_with_a_lead_that_is_out(store: Store) -> None:
    """A planned lead is not out, a sent one is, and a recalled one no longer is."""
    store.commit(known(1))
    store.commit([*known(2), *planned(action(Kind.PUSH, 2))])
    store.mark_sent([f"crm|{pid(2)}|push|1"], NOW)
    push(store, 3, 4)
    store.commit(planned(action(Kind.RECALL, 4)))
    send(store)
    assert [one.id for one in store.pushed()] == [pid(2), pid(3)]
    assert sorted(store.pushes()) == [(pid(2), "crm/"), (pid(3), "crm/rec3")]


def test_tombstones_are_found_by_kin(store: Store) -> None:
    """A mailbox may have several; the first one of a kind keeps its date."""
    store.commit([Tombstone(kid(1), "erased", NOW), Tombstone(kid(1), "objected", LATER)])
    store.commit([Tombstone(kid(1), "erased", LATER)])
    assert store.tombstones([kid(1), kid(2)]) == {
        kid(1): (Tombstone(kid(1), "erased", NOW), Tombstone(kid(1), "objected", LATER))
    }
    assert store.stones() == 2


def test_decisions_are_a_history(store: Store) -> None:
    """A person's decisions are given newest first, equal to what was committed."""
    first, second = decided(1, Outcome.HOLD), replace(decided(1, Outcome.PUSH, "r2"), also=("A",))
    store.commit([first, decided(2, Outcome.HOLD)])
    store.commit([replace(second, channels=(Channel.EMAIL,))])
    assert store.decisions(pid(1)) == [replace(second, channels=(Channel.EMAIL,)), first]
    assert store.decisions(pid(1), limit=1)[0].outcome is Outcome.PUSH


def test_runs_are_listed_newest_first_and_finished_in_place(store: Store) -> None:
    """A run that was killed shows no end; finishing one renews its row."""
    killed = Run("r1", NOW, applied=True)
    second = Run("r2", NOW + timedelta(hours=1), applied=True)
    store.commit([killed, second])
    done = replace(second, finished_at=NOW + timedelta(hours=2), exit=0, counts={"push": 3})
    store.commit([done])
    assert store.runs() == [done, killed]
    assert store.runs(1) == [done]


def test_feeds_and_settings_keep_the_newest(store: Store) -> None:
    """A feed's last complete read and a setting replace the one before."""
    store.commit([FeedRead("optout", 1, NOW)])
    store.commit([FeedRead("optout", 2, LATER)])
    assert store.feeds() == [FeedRead("optout", 2, LATER)]
    assert store.setting("account_id") == ""
    store.set("account_id", "1")
    store.set("account_id", "2")
    assert store.setting("account_id") == "2"


def test_a_person_below_the_watch_level_is_dropped(store: Store) -> None:
    """Of a person who is not needed any more nothing is kept but the decisions."""
    store.commit(known(1))
    store.commit([Dropped(pid(1))])
    assert store.known([pid(1)]) == {}


@pytest.mark.parametrize("sent", [True, False])
def test_a_person_with_a_lead_is_never_dropped(store: Store, *, sent: bool) -> None:
    """Dropping someone whose lead is out, or about to be, would lose the way to recall it."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    if sent:
        send(store)
    with pytest.raises(StateError, match="dropped"):
        store.commit([person(2), Dropped(pid(1))])
    assert list(store.known([pid(1), pid(2)])) == [pid(1)], "and nothing of that commit is saved"


def test_the_log_grows_over_commits_and_verifies(store: Store) -> None:
    """Each commit continues the chain where the last one ended, over pages and bulk sizes."""
    first = store.commit(logged(number) for number in range(1_100))
    second = store.commit([logged(5_000)])
    assert (first.count, second.count) == (1_100, 1_101)
    found = verify(store.log_entries(), store.log_records().of, first.hash)
    assert (found.count, found.head, found.records) == (1_101, second.hash, 1_101)
    assert store.log_head() == second


def test_forgetting_erases_the_person_and_leaves_the_chain(store: Store) -> None:
    """After an erasure (GDPR Art. 17) only the tombstone and bare log lines remain."""
    push(store, 1, 2)
    for number in (1, 2):
        store.commit([decided(number, Outcome.PUSH), logged(number)])
    store.commit(planned(action(Kind.TAG, 1)))
    store.forget(pid(1), kid(1), NOW)
    assert [one.id for one in store.tracked()] == [pid(2)]
    assert store.decisions(pid(1)) == []
    assert list(store.due_writes()) == []
    assert store.tombstones([kid(1)])[kid(1)][0].kind == "erased"
    found = verify(store.log_entries(), store.log_records().of)
    assert (found.count, found.records) == (2, 1)


def test_a_record_that_was_altered_in_the_database_is_found(store: Store) -> None:
    """The log is checked against what the store gives: a changed record names its line."""
    store.commit([logged(1), logged(2)])
    records = store.log_records()

    def forged(seq: int) -> tuple[bytes, object] | None:
        kept = records.of(seq)
        return None if kept is None else (kept[0], {"person": "x"} if seq == 2 else kept[1])

    with pytest.raises(AuditError) as caught:
        verify(store.log_entries(), forged)
    assert caught.value.line == 2


def test_records_can_be_asked_in_any_order(store: Store) -> None:
    """Reading ahead does not mix records up when a check goes back."""
    store.commit(logged(number) for number in range(1_050))
    records = store.log_records()
    for seq in (1_050, 1, 1_001, 2, 1_051):
        kept = records.of(seq)
        assert (kept is None) == (seq == 1_051)
        if kept is not None:
            assert kept[1] == {"person": pid(seq - 1)}


def test_a_new_person_has_no_leads(store: Store) -> None:
    """A person of whom only a row is kept reads back with an empty tuple of leads."""
    store.commit([person(1)])
    assert store.known([pid(1)])[pid(1)].leads == ()
    assert store.known([PersonId("nobody")]) == {}
    assert lead(1).external_id == "e1"
