"""What every destination promises; the tests of a CRM subclass this.

A subclass gives a fixture ``crm`` with an empty :class:`Bench`, the CRM and what its people
could do in it by hand.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import pytest

from connector.destinations import Destination
from connector.model import Asked, Channel, CrmState, Lead, OptOut, Permission, PersonId, Recall

DUE = datetime(2027, 12, 10, 9, 30, 0, 5, tzinfo=UTC)
ACTED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BOTH = Permission((Channel.EMAIL, Channel.PHONE), "OK_CONSENT", "consent of 10 March 2026", DUE)
PHONE = Permission((Channel.PHONE,), "OK_CONSENT", "consent by phone only")
OFF = Permission((), "OPTED_OUT", "opted out on 24 November 2026")
ODD = ("ädä@exämple.org", "o'hara@example.org", 'a"b@example.org', "a%_b@example.org")


class Bench(Protocol):
    """A CRM and the hands of the people who work in it."""

    destination: Destination

    def add(self, email: str, *flags: str, external_id: str = "") -> None:
        """Adds a record by hand, with native flags set."""

    def flag(self, email: str, flag: str) -> None:
        """Sets a native flag on every record with an address."""

    def records(self, email: str) -> list[dict[str, str]]:
        """Returns the records with an address: fields, and ``id`` of the record."""

    def notes(self, email: str) -> list[str]:
        """Returns the notes for the owner of every record with an address."""


def lead(name: str, permission: Permission = BOTH, **fields: str) -> Lead:
    """Returns a lead with external id and address made from a name."""
    whom = f"{name}@example.org"
    return Lead(f"id-{name}", PersonId(name), whom, permission, fields, {"notice": "PN-1"})


def asked(name: str, external_id: str = "") -> Asked:
    """Asks for a person by address, and by external id where one is given."""
    return Asked(PersonId(name), f"{name}@example.org", external_id)


def recall(name: str, permission: Permission = OFF) -> Recall:
    """Returns the recall of a lead."""
    return Recall(f"id-{name}", PersonId(name), f"{name}@example.org", permission, ACTED)


def opt_out(name: str, *flags: str) -> OptOut:
    """Returns an act of a person, to be written as native flags."""
    return OptOut(f"id-{name}", PersonId(name), f"{name}@example.org", flags)


def state(bench: Bench, name: str) -> CrmState:
    """Returns what the CRM holds about one person."""
    (found,) = bench.destination.read([asked(name)])
    return found


class DestinationContract:
    """The promises; each holds for a CRM that others work in, too."""

    def test_reading_an_empty_crm_finds_nobody(self, crm: Bench) -> None:
        """Everyone asked for is answered, in order, as not existing."""
        found = crm.destination.read([asked("b"), asked("a", "id-a")])
        assert found == [CrmState(PersonId("b")), CrmState(PersonId("a"))]
        assert crm.destination.read([]) == []

    def test_a_check_says_something(self, crm: Bench) -> None:
        """A CRM that can be used says in a sentence what was found."""
        assert crm.destination.check()
        assert crm.destination.name

    def test_a_lead_arrives_with_permission_and_fields(self, crm: Bench) -> None:
        """What was pushed is read back equal, by address and by external id."""
        (receipt,) = crm.destination.upsert([lead("a", first_name="Ada", company="Ä & Co")])
        assert (receipt.external_id, receipt.ok) == ("id-a", True)
        assert receipt.record_id
        wanted = CrmState(
            PersonId("a"), exists=True, record_id=receipt.record_id, external_id="id-a",
            permission=BOTH,
        )  # fmt: skip
        assert state(crm, "a") == wanted
        by_id = Asked(PersonId("a"), "moved@example.org", "id-a")
        assert crm.destination.read([by_id]) == [wanted]
        (record,) = crm.records("a@example.org")
        assert (record["first_name"], record["company"]) == ("Ada", "Ä & Co")

    def test_answers_come_in_the_order_of_the_questions(self, crm: Bench) -> None:
        """Receipts and states belong to the row at their place."""
        names = ["c", "a", "d", "b"]
        receipts = crm.destination.upsert([lead(name) for name in names])
        assert [receipt.external_id for receipt in receipts] == [f"id-{name}" for name in names]
        found = crm.destination.read([asked(name) for name in reversed(names)])
        assert [one.person for one in found] == names[::-1]
        assert [one.record_id for one in found] == [r.record_id for r in reversed(receipts)]

    def test_pushing_again_makes_no_second_record(self, crm: Bench) -> None:
        """A push that is repeated after a crash ends in the same record."""
        (first,) = crm.destination.upsert([lead("a")])
        (second,) = crm.destination.upsert([lead("a", PHONE)])
        assert first.record_id == second.record_id
        assert len(crm.records("a@example.org")) == 1
        assert state(crm, "a").permission == PHONE

    def test_two_leads_of_one_address_are_one_record(self, crm: Bench) -> None:
        """Also within a batch, and whatever the letter case."""
        other = Lead("id-other", PersonId("a"), "A@Example.ORG", BOTH)
        first, second = crm.destination.upsert([lead("a"), other])
        assert first.ok
        assert second.ok
        assert first.record_id == second.record_id
        assert len(crm.records("a@example.org")) == 1
        assert state(crm, "a").external_id == "id-a", "the first id stays"

    def test_addresses_of_one_mailbox_are_two_records(self, crm: Bench) -> None:
        """Consent never travels between spellings (rule 1.4): each has its own permission."""
        crm.destination.upsert([lead("a"), lead("a+shop", PHONE)])
        assert state(crm, "a").permission == BOTH
        assert state(crm, "a+shop").permission == PHONE

    def test_an_existing_record_is_adopted(self, crm: Bench) -> None:
        """A record that Sales made by hand becomes the lead, keeps its flags, is not doubled."""
        crm.add("A@example.org", "DoNotCall")
        before = state(crm, "a")
        assert (before.exists, before.external_id, before.flags) == (True, "", {"DoNotCall"})
        (receipt,) = crm.destination.upsert([lead("a")])
        after = state(crm, "a")
        assert (after.record_id, after.external_id) == (before.record_id, "id-a")
        assert receipt.record_id == before.record_id
        assert after.flags == {"DoNotCall"}
        assert len(crm.records("a@example.org")) == 1

    def test_fields_that_a_push_does_not_name_stay(self, crm: Bench) -> None:
        """An omitted field is left as it is, never reset."""
        crm.destination.upsert([lead("a", first_name="Ada", company="Co")])
        crm.destination.upsert([lead("a", company="New")])
        (record,) = crm.records("a@example.org")
        assert (record["first_name"], record["company"]) == ("Ada", "New")

    @pytest.mark.parametrize("flag", ["HasOptedOutOfEmail", "DoNotCall"])
    def test_nothing_clears_a_native_flag(self, crm: Bench, flag: str) -> None:
        """No push, recall or opt-out of something else takes back what the person did."""
        crm.destination.upsert([lead("a")])
        crm.flag("a@example.org", flag)
        other = ({"HasOptedOutOfEmail", "DoNotCall"} - {flag}).pop()
        crm.destination.upsert([lead("a"), lead("a", PHONE, first_name="Ada")])
        assert flag in state(crm, "a").flags
        crm.destination.recall([recall("a")])
        assert flag in state(crm, "a").flags
        crm.destination.opt_out([opt_out("a", other)])
        assert state(crm, "a").flags == {flag, other}
        crm.destination.upsert([lead("a")])
        assert state(crm, "a").flags == {flag, other}

    def test_a_state_of_ours_sets_no_native_flag(self, crm: Bench) -> None:
        """Pushing and recalling write the permission fields and no act of the person."""
        crm.destination.upsert([lead("a", PHONE)])
        crm.destination.recall([recall("a")])
        assert state(crm, "a").flags == frozenset()

    def test_flags_of_another_spelling_are_seen(self, crm: Bench) -> None:
        """An opt-out is matched by mailbox: it reaches a person without a record, too."""
        crm.add("a+old@example.org", "HasOptedOutOfEmail")
        assert state(crm, "a").flags == {"HasOptedOutOfEmail"}
        assert not state(crm, "a").exists
        crm.destination.upsert([lead("a")])
        assert state(crm, "a").flags == {"HasOptedOutOfEmail"}
        assert state(crm, "b").flags == frozenset()

    def test_flags_of_all_records_with_an_address_count(self, crm: Bench) -> None:
        """Of duplicates the least permissive wins, whichever is found first."""
        crm.add("a@example.org")
        crm.add("a@example.org", "DoNotCall")
        crm.add("a@example.org", "HasOptedOutSolicit")
        assert state(crm, "a").flags == {"DoNotCall", "HasOptedOutSolicit"}

    def test_a_recall_takes_the_permission_back(self, crm: Bench) -> None:
        """Afterwards the CRM shows nobody to be contacted and why; the record stays."""
        crm.destination.upsert([lead("a", first_name="Ada")])
        (receipt,) = crm.destination.recall([recall("a")])
        assert (receipt.external_id, receipt.ok) == ("id-a", True)
        assert state(crm, "a").permission == OFF
        assert crm.records("a@example.org")[0]["first_name"] == "Ada"

    def test_a_partial_recall_leaves_the_other_channel(self, crm: Bench) -> None:
        """Only the withdrawn channel is taken."""
        crm.destination.upsert([lead("a")])
        crm.destination.recall([recall("a", PHONE)])
        assert state(crm, "a").permission == PHONE

    def test_a_recall_reaches_every_record_with_the_address(self, crm: Bench) -> None:
        """Duplicates that Sales made are recalled with the lead; somebody else is not."""
        crm.destination.upsert([lead("a"), lead("b")])
        crm.add("A@EXAMPLE.org", external_id="theirs")
        (receipt,) = crm.destination.recall([recall("a")])
        assert receipt.ok
        theirs = Asked(PersonId("x"), "", "theirs")
        assert crm.destination.read([theirs])[0].permission == OFF
        assert state(crm, "a").permission == OFF
        assert state(crm, "b").permission == BOTH

    def test_a_recall_creates_nothing(self, crm: Bench) -> None:
        """Taking back what is not there is done, and leaves no trace of the person."""
        (receipt,) = crm.destination.recall([recall("a")])
        assert receipt.ok
        assert not state(crm, "a").exists

    def test_a_note_for_the_owner_does_not_double(self, crm: Bench) -> None:
        """A recall that is repeated after a crash tells the owner once."""
        crm.destination.upsert([lead("a")])
        crm.destination.recall([recall("a")])
        crm.destination.recall([recall("a")])
        (note,) = crm.notes("a@example.org")
        assert "OPTED_OUT" in note

    def test_a_recalled_lead_can_be_released(self, crm: Bench) -> None:
        """Our permission fields go both ways; the record and its external id stay."""
        crm.destination.upsert([lead("a")])
        before = state(crm, "a")
        crm.destination.recall([recall("a")])
        crm.destination.upsert([lead("a")])
        assert state(crm, "a") == before

    def test_an_act_of_the_person_is_written_to_every_record(self, crm: Bench) -> None:
        """Native flags are set on duplicates, too, and setting them again changes nothing."""
        crm.destination.upsert([lead("a"), lead("b")])
        crm.add("a@example.org", external_id="theirs")
        for _ in range(2):
            (receipt,) = crm.destination.opt_out(
                [opt_out("a", "HasOptedOutOfEmail", "HasOptedOutSolicit")]
            )
            assert receipt.ok
        for one in crm.destination.read([asked("a"), Asked(PersonId("x"), "", "theirs")]):
            assert one.flags == {"HasOptedOutOfEmail", "HasOptedOutSolicit"}
        assert state(crm, "b").flags == frozenset()
        assert state(crm, "a").permission == BOTH, "an act is not a state of ours"

    def test_an_opt_out_creates_nothing(self, crm: Bench) -> None:
        """Somebody whom the CRM does not know is not made known to it by opting out."""
        (receipt,) = crm.destination.opt_out([opt_out("a", "DoNotCall")])
        assert receipt.ok
        assert not state(crm, "a").exists

    @pytest.mark.parametrize("flag", ["HasOptedOutProcessingX", "id; DROP TABLE lead", ""])
    def test_an_unknown_flag_is_a_fault_of_its_row(self, crm: Bench, flag: str) -> None:
        """A flag that the CRM does not have is refused for good, and others are set."""
        crm.destination.upsert([lead("a"), lead("b")])
        bad, good = crm.destination.opt_out([opt_out("a", flag), opt_out("b", "DoNotCall")])
        assert (bad.ok, bad.permanent) == (False, True)
        assert good.ok
        assert state(crm, "b").flags == {"DoNotCall"}

    def test_one_bad_row_stops_no_other(self, crm: Bench) -> None:
        """A lead without external id or address is refused alone, in its place."""
        nameless = Lead("", PersonId("x"), "x@example.org", BOTH)
        homeless = Lead("id-y", PersonId("y"), "no address", BOTH)
        receipts = crm.destination.upsert([lead("a"), nameless, homeless, lead("b")])
        assert [receipt.ok for receipt in receipts] == [True, False, False, True]
        assert [receipt.permanent for receipt in receipts] == [False, True, True, False]
        assert state(crm, "b").exists
        assert not state(crm, "x").exists
        assert all("@" not in receipt.fault for receipt in receipts)

    @pytest.mark.parametrize("email", ODD)
    def test_odd_addresses_find_their_own_record_only(self, crm: Bench, email: str) -> None:
        """Quotes, wildcards and other alphabets are text, never part of a query."""
        crm.destination.upsert([lead("axxb"), Lead("id-odd", PersonId("odd"), email, PHONE)])
        (found,) = crm.destination.read([Asked(PersonId("odd"), email)])
        assert (found.external_id, found.permission) == ("id-odd", PHONE)
        crm.destination.recall([Recall("id-odd", PersonId("odd"), email, OFF)])
        assert state(crm, "axxb").permission == BOTH

    def test_an_address_that_is_none_finds_nobody(self, crm: Bench) -> None:
        """Two people without an address are not the same person."""
        crm.destination.upsert([lead("a")])
        for email in ("", "nonsense", "@"):
            assert crm.destination.read([Asked(PersonId("x"), email)]) == [CrmState(PersonId("x"))]

    def test_erasing_leaves_nothing(self, crm: Bench) -> None:
        """Record and notes of the person are gone; erasing again is no fault; others stay."""
        crm.destination.upsert([lead("a"), lead("b")])
        crm.destination.recall([recall("a")])
        for _ in range(2):
            (receipt,) = crm.destination.erase(["id-a"])
            assert receipt.ok
        assert not state(crm, "a").exists
        assert crm.records("a@example.org") == []
        assert state(crm, "b").exists

    def test_a_batch_may_be_empty(self, crm: Bench) -> None:
        """Nothing to write is no fault and no record."""
        destination = crm.destination
        calls: Sequence[list[object]] = [
            [*destination.upsert([])],
            [*destination.recall([])],
            [*destination.opt_out([])],
            [*destination.erase([])],
        ]
        assert all(answers == [] for answers in calls)
