"""What a held person lacks, what their own acts closed, and that neither can be changed."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from inspect import getmembers, isclass
from types import ModuleType

import pytest

from connector.consent import channels, decision, evidence, facts, policy, requests, statute
from connector.consent import statement as statements
from connector.consent.evidence import Asking, History, Tombstone
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome
from tests.consent.people import decide, entry, request, row, silent

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
LATER = "2026-05-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"evidence_ref": ""}, ("evidence_ref",)),
        (
            {"evidence_ref": "", "consent_method": "", "consent_source": "x"},
            ("consent_method", "consent_source", "evidence_ref"),
        ),
        ({"consent_ts": ""}, ("consent_ts",)),
        ({"notice_version": ""}, ("notice_version",)),
        ({"notice_version": "PN-2018-05"}, ("a notice that discloses scoring and hand-over",)),
        ({"tracking_consent": ""}, ("tracking_consent",)),
        ({"controller": "Other Ltd"}, ("a consent that names us",)),
        ({"consent_source": "partner"}, ("a consent given to us",)),
        ({"consent_method": "assumed"}, ("a consent by an act of the person",)),
        ({"form_id": "q-0005"}, ("a label that covers contact by Sales",)),
        ({"consent_email": ""}, ("a yes to contact by Sales",)),
        ({"consent_email": "", "consent_phone": "Yes", "phone": ""}, ("a usable channel",)),
        ({"country": "DE", "doi_ts": ""}, ("doi_ts (double opt-in)",)),
        ({"consent_ts": "2024-03-05T00:00:00Z"}, ("a renewed consent",)),
        ({"evidence_ref": "", "tracking_consent": ""}, ("evidence_ref", "tracking_consent")),
        ({"consent_ts": "x"}, ("resolution of TIMESTAMP_INVALID",)),
        ({"do_not_contact": "Yes"}, ("resolution of OBJECTED",)),
        ({}, ()),
    ],
)
def test_missing_pieces_are_named(changes: dict[str, Cell], lacks: tuple[str, ...]) -> None:
    """By column where one column would supply it; a push lacks nothing."""
    assert decide(row(**changes)).lacks == lacks


def test_ended_asking_is_named() -> None:
    """Nobody but the person can change that any more."""
    decision_ = decide(silent(), history=History(asking=Asking("LAPSED")))
    assert decision_.lacks == (
        "a yes to contact by Sales",
        "an act of the person (asking has ended)",
    )


def test_relaxed_proof_of_another_row_does_not_hide_what_is_missing() -> None:
    """Unproven is spelled out by column, never as a code."""
    assert "resolution of CONSENT_UNPROVEN" not in decide(row(evidence_ref="")).lacks


@pytest.mark.parametrize(
    ("known", "refused", "everything"),
    [
        ({}, (), False),
        ({"listed": [entry(Feed.OPTOUT)]}, (EMAIL, PHONE), True),
        ({"listed": [entry(Feed.SPAM)]}, (EMAIL, PHONE), True),
        ({"listed": [entry(Feed.HARDBOUNCE)]}, (), False),
        ({"listed": [entry(Feed.CATEGORY, None, "Product news")]}, (EMAIL,), False),
        ({"listed": [entry(Feed.CATEGORY, None, "Sales contact")]}, (), False),
        ({"listed": [entry(Feed.CATEGORY, None, "Webinars")]}, (), False),
        ({"history": History((Tombstone("erased"),))}, (EMAIL, PHONE), True),
        ({"history": History((Tombstone("objected"),))}, (EMAIL, PHONE), True),
        ({"history": History(asking=Asking("DECLINED"))}, (EMAIL, PHONE), False),
        ({"history": History(asking=Asking("LAPSED"))}, (), False),
        ({"crm": {"ShouldForget": True}}, (EMAIL, PHONE), True),
        ({"crm": {"HasOptedOutSolicit": True}}, (EMAIL, PHONE), True),
        ({"crm": {"HasOptedOutProcessing": True}}, (EMAIL, PHONE), True),
        ({"crm": {"HasOptedOutOfEmail": True}}, (EMAIL,), False),
        ({"crm": {"DoNotCall": True}}, (PHONE,), False),
        ({"crm": {"HasOptedOutTracking": True}}, (), False),
        ({"cells": {"do_not_contact": "Yes"}}, (EMAIL, PHONE), True),
        ({"cells": {"do_not_contact": "maybe"}}, (), False),
        ({"cells": {"consent_email": "No"}}, (EMAIL,), False),
        ({"cells": {"consent_phone": "withdrawn"}}, (PHONE,), False),
        ({"cells": {"consent_email": False}}, (), False),
        ({"cells": {"tracking_consent": "No"}}, (), False),
        ({"cells": {"optout_ts": LATER}}, (EMAIL, PHONE), False),
        ({"cells": {"birth_date": "2015-01-01"}}, (), False),
        ({"cells": {"email": "ann@acme.example"}}, (), False),
        ({"cells": {"consent_ts": "2020-01-01"}}, (), False),
    ],
)
def test_only_an_act_of_the_person_closes_a_channel(
    known: dict, refused: tuple[Channel, ...], everything: bool
) -> None:
    """A judgment of ours (hold, review, expiry, bounce, age) is no act (rule 2.1a)."""
    found = decide(row(**known.pop("cells", {})), **known)
    assert (found.refused, found.global_act) == (refused, everything)


def test_objection_with_a_date_closes_everything() -> None:
    """``objected_ts`` is an objection as much as a do-not-contact column."""
    for person in ((row(objected_ts=LATER),), (row(), silent(objected_ts=LATER))):
        found = decide(*person)
        assert found.code is Code.OBJECTED
        assert (found.refused, found.global_act) == ((EMAIL, PHONE), True)


def test_acts_of_kin_rows_count() -> None:
    """Negative statements travel between spellings of the mailbox."""
    spelled = "ann.lee+x@contoso.example"
    assert decide(row(), silent(email=spelled, do_not_contact="Yes")).global_act
    assert decide(row(), silent(email=spelled, consent_phone="No")).refused == (PHONE,)
    assert decide(row(), silent(email=spelled, optout_ts=LATER)).refused == (EMAIL, PHONE)


def test_no_that_a_later_yes_overcame_closes_nothing() -> None:
    """The channel is kept, so the old no is no act to write."""
    old = silent(consent_email="No", consent_ts="2025-01-01")
    assert decide(row(), old).refused == ()
    assert decide(row(optout_ts="2025-01-01")).refused == ()
    without_yes = silent(optout_ts="2025-01-01")
    assert decide(without_yes).refused == (EMAIL, PHONE)


def test_push_carries_the_acts_beside_it() -> None:
    """A no to calls is an act also where mail is pushed; a global act is never beside a push."""
    both = decide(row(consent_phone="No"))
    assert (both.outcome, both.refused, both.global_act) == (Outcome.PUSH, (PHONE,), False)
    answered = decide(request(consent_email="No"))
    assert (answered.outcome, answered.refused) == (Outcome.PUSH, (EMAIL,))


@pytest.mark.parametrize("module", [evidence, decision, policy, requests, statute])
def test_what_goes_in_and_out_cannot_be_changed(module: ModuleType) -> None:
    """Evidence, policy and decision are values: whoever holds one may rely on it."""
    for name, kind in getmembers(module, isclass):
        if is_dataclass(kind) and kind.__module__ == module.__name__:
            blank = object.__new__(kind)
            with pytest.raises(FrozenInstanceError):
                setattr(blank, fields(kind)[0].name, None)
            assert hasattr(kind, "__slots__") is (name != "Policy")


@pytest.mark.parametrize("module", [channels, facts, statements])
def test_notes_of_the_engine_have_no_stray_fields(module: ModuleType) -> None:
    """A misspelt attribute fails instead of being forgotten; a million are made."""
    kinds = [
        kind
        for _, kind in getmembers(module, isclass)
        if is_dataclass(kind) and kind.__module__ == module.__name__
    ]
    assert kinds
    assert all(hasattr(kind, "__slots__") for kind in kinds)
