"""The outbox: what may be sent, in which order, and what becomes of it."""

from dataclasses import replace

import pytest

from connector.model import (
    ACTON,
    Action,
    Channel,
    Kind,
    OptOut,
    Outcome,
    Permission,
    Recall,
    Receipt,
)
from connector.store.payload import content_hash, outbox_key, tag_texts
from connector.store.rows import LeadState, LeadStatus, WriteState
from connector.store.state import Store
from tests.store.samples import (
    CRM,
    LATER,
    NOW,
    ON,
    action,
    decided,
    known,
    lead,
    mail,
    person,
    pid,
    planned,
    push,
    send,
)

LOST = Receipt("e1", fault="timed out")
BAD = Receipt("e1", fault="required field", permanent=True)


def key(kind: Kind, number: int, episode: int = 1) -> str:
    """Returns the key of a sample action."""
    return outbox_key(action(kind, number, episode))


def the_lead(store: Store, number: int) -> LeadState:
    """Returns the only lead of a person."""
    (found,) = store.known([pid(number)])[pid(number)].leads
    return found


def test_writes_leave_in_the_order_of_delivery(store: Store) -> None:
    """However a plan is spooled, recalls leave first and tags last, each kind in plan order."""
    for number in range(1, 8):
        store.commit(known(number))
    spooled = [Kind.UNTAG, Kind.TAG, Kind.PUSH, Kind.RELEASE, Kind.OPTOUT, Kind.RECALL]
    actions = [action(kind, number) for number, kind in enumerate(spooled, start=1)]
    store.commit(planned(*actions, action(Kind.RECALL, 7)))
    assert send(store) == [
        "recall 6", "recall 7", "optout 5", "release 4", "push 3", "tag 2", "untag 1",
    ]  # fmt: skip


def test_more_writes_than_a_page_leave_once(store: Store) -> None:
    """Sending while reading neither skips nor repeats a write."""
    store.commit(change for number in range(1_203) for change in known(number))
    store.commit(planned(*(action(Kind.PUSH, number) for number in range(1_203))))
    sent = send(store)
    assert len(sent) == len(set(sent)) == 1_203
    assert send(store) == []


def test_a_write_carries_its_action(store: Store) -> None:
    """What is sent is what was planned, with the hash of its content."""
    store.commit([*known(1), *planned(action(Kind.RECALL, 1))])
    (found,) = store.due_writes()
    assert found.action == action(Kind.RECALL, 1)
    assert (found.key, found.run, found.attempts) == (key(Kind.RECALL, 1), "r1", 0)
    assert (found.planned_at, found.act_at, found.sent_at) == (NOW, NOW, None)
    assert found.content_hash == content_hash(found.action.payload)


def test_only_a_planned_write_can_be_marked_as_sent(store: Store) -> None:
    """Of two senders one gets the write; a cancelled one nobody gets."""
    store.commit([*known(1), *known(2), *planned(action(Kind.PUSH, 1), action(Kind.PUSH, 2))])
    assert store.cancel([key(Kind.PUSH, 2)], "dismissed") == 1
    both = [key(Kind.PUSH, 1), key(Kind.PUSH, 2)]
    assert store.mark_sent(both, NOW) == {key(Kind.PUSH, 1)}
    assert store.mark_sent(both, NOW) == frozenset()
    assert store.cancel([key(Kind.PUSH, 1)], "too late") == 0


def test_a_push_that_is_sent_counts_as_pushed_before_its_answer(store: Store) -> None:
    """A killed run leaves a lead that withdrawals reach, whether or not it arrived."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1, episode=3))])
    store.mark_sent([key(Kind.PUSH, 1, 3)], NOW)
    assert (the_lead(store, 1).status, the_lead(store, 1).episode) == (LeadStatus.PUSHED, 3)
    (doubtful,) = store.unanswered()
    assert (doubtful.state, doubtful.sent_at, doubtful.attempts) == (WriteState.SENT, NOW, 1)
    assert list(store.due_writes()) == []


def test_a_settled_push_is_remembered_by_its_hash_alone(store: Store) -> None:
    """After the receipt the lead knows its record, channels and content; the payload is gone."""
    push(store, 1)
    found = the_lead(store, 1)
    assert (found.status, found.record_id) == (LeadStatus.PUSHED, "rec1")
    assert (found.channels, found.changed_at) == (ON.channels, LATER)
    assert found.content_hash == content_hash(lead(1))
    assert list(store.unanswered()) == []
    assert store.unfinished() == {}


def test_a_recall_ends_a_lead_and_a_partial_one_leaves_its_channel(store: Store) -> None:
    """Full recall: recalled. One channel left: still pushed, by that channel."""
    push(store, 1, 2)
    left = Recall("e2", pid(2), mail(2), Permission((Channel.EMAIL,), "X", "x"), None)
    partial = action(Kind.RECALL, 2, payload=left)
    store.commit(planned(action(Kind.RECALL, 1), partial))
    send(store)
    assert (the_lead(store, 1).status, the_lead(store, 1).channels) == (LeadStatus.RECALLED, ())
    assert the_lead(store, 2).status is LeadStatus.PUSHED
    assert the_lead(store, 2).channels == (Channel.EMAIL,)
    assert the_lead(store, 2).content_hash == "", "whatever comes next is a change"


def test_push_recall_push_are_three_writes(store: Store) -> None:
    """Each episode has a write of its own; the lead keeps its external id."""
    push(store, 1)
    store.commit(planned(action(Kind.RECALL, 1)))
    assert send(store) == ["recall 1"]
    store.commit(planned(action(Kind.RELEASE, 1, episode=2)))
    assert send(store) == ["release 1"]
    found = the_lead(store, 1)
    assert (found.status, found.episode, found.external_id) == (LeadStatus.PUSHED, 2, "e1")


def test_a_recall_waits_for_a_push_in_doubt(store: Store) -> None:
    """Recalling before the push is settled could be overtaken by it."""
    store.commit([*known(1), *known(2), *planned(action(Kind.PUSH, 1))])
    store.mark_sent([key(Kind.PUSH, 1)], NOW)
    store.commit(planned(action(Kind.RECALL, 1), action(Kind.RECALL, 2)))
    assert [write.action.person for write in store.due_writes()] == [pid(2)]
    store.settle({key(Kind.PUSH, 1): Receipt("e1", "rec1")}, LATER)
    assert send(store) == ["recall 1", "recall 2"]
    assert the_lead(store, 1).status is LeadStatus.RECALLED


def test_a_recall_replaces_a_planned_push(store: Store) -> None:
    """A push that was not sent is not sent any more once its person is recalled."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    store.commit(planned(action(Kind.RECALL, 1)))
    assert send(store) == ["recall 1"]
    assert store.unfinished() == {}


def test_a_decision_that_is_no_push_cancels_a_waiting_one(store: Store) -> None:
    """A push that the quota held back does not survive a refusal; somebody else's does."""
    for number in (1, 2):
        store.commit([*known(number), *planned(action(Kind.PUSH, number))])
    store.commit([decided(1, Outcome.HOLD), decided(2, Outcome.PUSH)])
    assert send(store) == ["push 2"]


def test_a_push_waits_until_the_recall_before_it_is_done(store: Store) -> None:
    """A release must not be overtaken by a recall that failed and is tried again later."""
    push(store, 1)
    store.commit(planned(action(Kind.RECALL, 1)))
    assert send(store, LOST) == ["recall 1"]
    store.commit(planned(action(Kind.RELEASE, 1, episode=2)))
    assert send(store, LOST) == ["recall 1"], "the release waits as long as the recall fails"
    assert send(store) == ["recall 1", "release 1"]


def test_one_destination_does_not_wait_for_another(store: Store) -> None:
    """A tag in Act-On leaves although a recall in the CRM is in doubt."""
    push(store, 1)
    store.commit(planned(action(Kind.RECALL, 1), action(Kind.TAG, 1)))
    store.mark_sent([key(Kind.RECALL, 1)], NOW)
    assert [write.action.kind for write in store.due_writes()] == [Kind.TAG]


def test_a_fault_that_may_heal_is_planned_again(store: Store) -> None:
    """The write stays in the outbox with its fault, and a lead that was never there is planned."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    send(store, LOST)
    (again,) = store.due_writes()
    assert (again.fault, again.attempts) == ("timed out", 1)
    assert the_lead(store, 1).status is LeadStatus.PLANNED
    assert send(store) == ["push 1"]


def test_a_refused_write_waits_for_the_next_run(store: Store) -> None:
    """One bad row is not sent again in this run, and is tried again in the next."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    send(store, BAD)
    assert list(store.due_writes()) == []
    assert store.unfinished() == {"refused": 1}
    assert store.retry_refused() == 1
    assert send(store) == ["push 1"]


def test_a_refused_write_can_be_dismissed(store: Store) -> None:
    """A person may give a bad row up."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    send(store, BAD)
    assert store.cancel([key(Kind.PUSH, 1)], "dismissed") == 1
    assert store.retry_refused() == 0


def test_a_failed_update_leaves_a_pushed_lead_pushed(store: Store) -> None:
    """A lead that has a record stays reachable for a recall, whatever its next push says."""
    push(store, 1)
    store.commit(planned(action(Kind.PUSH, 1, episode=2)))
    send(store, BAD)
    assert the_lead(store, 1).status is LeadStatus.PUSHED


def test_planning_again_renews_what_waits_and_never_what_is_in_doubt(store: Store) -> None:
    """A newer content replaces a waiting one; one that was sent is settled first."""
    store.commit([*known(1), *known(2)])
    store.commit(planned(action(Kind.PUSH, 1), action(Kind.PUSH, 2)))
    store.mark_sent([key(Kind.PUSH, 2)], NOW)
    for number in (1, 2):
        newer = replace(lead(number), fields={"first_name": "Grace"})
        store.commit(planned(action(Kind.PUSH, number, payload=newer), run="r2"))
    (waiting,), (sent,) = store.due_writes(), store.unanswered()
    assert (waiting.run, waiting.action.payload) == (
        "r2",
        replace(lead(1), fields={"first_name": "Grace"}),
    )
    assert (sent.run, sent.action.payload) == ("r1", lead(2))


def test_an_opt_out_settles_without_touching_the_lead(store: Store) -> None:
    """An act that was written to a CRM changes nothing of what we pushed."""
    push(store, 1)
    before = the_lead(store, 1)
    store.commit(planned(action(Kind.OPTOUT, 1)))
    assert send(store) == ["optout 1"]
    assert the_lead(store, 1) == before


def test_opt_outs_of_two_categories_are_both_sent(store: Store) -> None:
    """One category does not take the place of the other in the outbox."""
    store.commit(known(1))
    whom = ("", pid(1), mail(1), ())
    outs = [
        Action(Kind.OPTOUT, pid(1), ACTON, "CODE", 1, OptOut(*whom, category))
        for category in ("Newsletter", "Events")
    ]
    store.commit(planned(*outs))
    assert send(store) == ["optout 1", "optout 1"]


def test_a_tag_is_known_once_it_is_settled(store: Store) -> None:
    """What stands in Act-On follows from receipts, not from plans; a tag taken off leaves none."""
    store.commit([*known(1), *planned(action(Kind.TAG, 1))])
    store.mark_sent([key(Kind.TAG, 1)], NOW)
    assert store.known([pid(1)])[pid(1)].tag == {}
    store.settle({key(Kind.TAG, 1): Receipt(pid(1))}, LATER)
    found = store.known([pid(1)])[pid(1)]
    payload = action(Kind.TAG, 1).payload
    assert found.tag == tag_texts(payload)  # type: ignore[arg-type]  # a tag, by its kind
    assert found.tagged_at == LATER
    store.commit([person(1, tag={"code": "other"})])
    assert store.known([pid(1)])[pid(1)].tag == found.tag
    store.commit(planned(action(Kind.UNTAG, 1)))
    send(store)
    assert store.known([pid(1)])[pid(1)].tag == {}


def test_a_receipt_for_a_write_that_was_not_sent_is_ignored(store: Store) -> None:
    """Only what was sent can be settled."""
    store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    store.settle({key(Kind.PUSH, 1): Receipt("e1", "rec1"), "nothing": Receipt("x")}, LATER)
    assert store.unfinished() == {"planned": 1}
    assert the_lead(store, 1).record_id == ""


@pytest.mark.parametrize("size", [3])
def test_receipts_of_a_batch_are_settled_row_by_row(store: Store, size: int) -> None:
    """One success marks no other row, one fault hides none."""
    for number in range(1, size + 1):
        store.commit([*known(number), *planned(action(Kind.PUSH, number))])
    keys = [key(Kind.PUSH, number) for number in range(1, size + 1)]
    store.mark_sent(keys, NOW)
    store.settle({keys[0]: Receipt("e1", "rec1"), keys[1]: BAD, keys[2]: LOST}, LATER)
    assert store.unfinished() == {"refused": 1, "planned": 1}
    statuses = [the_lead(store, number).status for number in range(1, size + 1)]
    assert statuses == [LeadStatus.PUSHED, LeadStatus.PLANNED, LeadStatus.PLANNED]
    assert the_lead(store, 1).destination == CRM
