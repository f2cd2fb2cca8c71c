"""What blocks an answer to a request, and what a human must look at first (rule 2.7)."""

import pytest

from connector.consent.evidence import History, Tombstone
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Route
from tests.consent.people import (
    DAY,
    T0,
    at,
    decide,
    entry,
    request,
    row,
)

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
ASKED_AT = "2026-11-20T10:00:00Z"
BEFORE, LATER = "2026-11-20T09:59:59Z", "2026-11-20T10:00:01Z"


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"listed": [entry(Feed.OPTOUT)]}, Code.OPTED_OUT),
        ({"listed": [entry(Feed.SPAM, LATER)]}, Code.SPAM_COMPLAINT),
        ({"listed": [entry(Feed.OPTOUT, ASKED_AT)]}, Code.OPTED_OUT),
        ({"history": History((Tombstone("erased"),))}, Code.ERASED),
        ({"history": History((Tombstone("objected", at(LATER)),))}, Code.OBJECTED),
        ({"crm": {"ShouldForget": True}}, Code.ERASED),
        ({"crm": {"HasOptedOutSolicit": True}}, Code.OBJECTED),
        ({"cells": {"do_not_contact": "Yes"}}, Code.OBJECTED),
        ({"cells": {"objected_ts": LATER}}, Code.OBJECTED),
        ({"cells": {"birth_date": "2015-01-01"}}, Code.MINOR),
        ({"cells": {"email": "ann@acme.example"}}, Code.INTERNAL_ADDRESS),
        ({"cells": {"do_not_contact": "maybe"}}, Code.CONSENT_VALUE_AMBIGUOUS),
    ],
)
def test_what_blocks_an_answer(known: dict, code: Code) -> None:
    """A global suppression that is not provably older, and whatever is about the person."""
    decision = decide(request(**known.pop("cells", {})), **known)
    assert decision.outcome is (
        Outcome.REVIEW if code is Code.CONSENT_VALUE_AMBIGUOUS else Outcome.SUPPRESS
    )
    assert decision.code is code
    assert decision.route is Route.NONE
    assert not decision.requested


@pytest.mark.parametrize(
    "known",
    [
        {"listed": [entry(Feed.OPTOUT, BEFORE)]},
        {"listed": [entry(Feed.SPAM, BEFORE)]},
        {"history": History((Tombstone("erased", at(BEFORE)),))},
        {"history": History((Tombstone("objected", at(BEFORE)),))},
        {"cells": {"objected_ts": BEFORE}},
    ],
)
def test_request_after_a_suppression_goes_to_a_human(known: dict) -> None:
    """R5: provably after a dated one."""
    decision = decide(request(**known.pop("cells", {})), **known)
    assert decision.codes == (Code.REQUEST_AFTER_SUPPRESSION, Code.CONSENT_MISSING)
    assert decision.outcome is Outcome.REVIEW


def test_category_is_no_reason_for_a_human() -> None:
    """R5 is about S1-S4 only: an opt-out of the sales category is merely reported."""
    listed = [entry(Feed.CATEGORY, BEFORE, "Sales contact")]
    decision = decide(request(), listed=listed)
    assert decision.codes == (
        Code.OK_REQUESTED,
        Code.CATEGORY_OPTED_OUT,
        Code.CONSENT_MISSING,
    )


def test_each_suppression_counts_for_itself() -> None:
    """One that is not older blocks, whatever the request made of another."""
    listed = [entry(Feed.OPTOUT, BEFORE), entry(Feed.SPAM, LATER)]
    decision = decide(request(), listed=listed)
    assert decision.code is Code.SPAM_COMPLAINT
    assert Code.REQUEST_AFTER_SUPPRESSION in decision.also


def test_reconsent_and_request_are_both_reported_and_still_block() -> None:
    """An entry that a re-consent softened blocks the push by request too."""
    both = row(request_form="q-0101", request_ts=ASKED_AT)
    decision = decide(both, listed=[entry(Feed.OPTOUT, "2026-01-01")])
    assert decision.codes == (
        Code.RECONSENT_AFTER_SUPPRESSION,
        Code.REQUEST_AFTER_SUPPRESSION,
    )


@pytest.mark.parametrize(
    ("cells", "known", "softened"),
    [
        ({"consent_email": "No"}, {}, Code.CONSENT_REFUSED),
        ({"consent_email": "withdrawn"}, {}, Code.CONSENT_WITHDRAWN),
        ({}, {"listed": [entry(Feed.HARDBOUNCE)]}, Code.HARD_BOUNCE),
        ({}, {"listed": [entry(Feed.CATEGORY, None, "Sales contact")]}, Code.CATEGORY_OPTED_OUT),
        ({"consent_email": "Yes"}, {"crm": {"HasOptedOutOfEmail": True}}, Code.CRM_OPTED_OUT),
    ],
)
def test_beside_r5_lesser_suppressions_are_only_reported(
    cells: dict[str, Cell], known: dict, softened: Code
) -> None:
    """S5-S8 and S10: a human answers the request."""
    listed = [entry(Feed.OPTOUT, BEFORE), *known.pop("listed", [])]
    decision = decide(request(**cells), listed=listed, **known)
    assert decision.code is Code.REQUEST_AFTER_SUPPRESSION
    assert softened in decision.also


def test_beside_r5_without_a_usable_channel_they_decide() -> None:
    """Nobody could answer, so the no stands."""
    nothing = request(consent_email="No", request_channels="phone", phone="")
    decision = decide(nothing, listed=[entry(Feed.OPTOUT, BEFORE)])
    assert decision.code is Code.CONSENT_REFUSED
    assert decision.also == (
        Code.REQUEST_AFTER_SUPPRESSION,
        Code.CONSENT_MISSING,
        Code.NO_PERMITTED_CHANNEL,
    )


def test_old_request_does_not_help_a_new_one() -> None:
    """Only current requests may be later than a suppression."""
    old = request(request_ts="2026-09-01T00:00:00Z")
    decision = decide(old, listed=[entry(Feed.OPTOUT, "2026-01-01")])
    assert decision.code is Code.OPTED_OUT
    assert decide(request(), now=T0 + 60 * DAY).outcome is Outcome.HOLD


def test_reconsent_after_an_opt_out_of_the_category_goes_to_a_human_first() -> None:
    """An entry that R4 softened still blocks the answer: a human sees both."""
    both = row(request_form="q-0101", request_ts=ASKED_AT)
    decision = decide(both, listed=[entry(Feed.CATEGORY, "2026-01-01", "Sales contact")])
    assert decision.codes == (Code.RECONSENT_AFTER_SUPPRESSION,)
