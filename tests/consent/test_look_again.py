"""When to look again: the next instant at which time alone could change the answer (2.3.7)."""

from datetime import datetime

import pytest

from connector.consent.evidence import Asking, History
from connector.consent.policy import Relaxable, Relaxation
from connector.consent.reasons import Code
from connector.model import Cell, Row
from tests.consent.people import DAY, SECOND, T0, at, decide, request, row, ruled, silent

OLD_NOTICE = {"notice_version": "PN-2018-05"}


def day(text: str) -> datetime:
    """Returns an instant."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("person", "now", "due"),
    [
        (row(), T0, "2027-12-10T09:30:00Z"),
        (row(), day("2027-12-10T09:30:00Z"), "2028-03-10T09:30:00Z"),
        (row(), day("2028-03-10T09:30:00Z"), "2028-06-08T09:30:00Z"),
        (row(), day("2028-06-08T09:30:00Z"), None),
        (row("FR"), day("2028-03-10T09:30:00Z"), "2029-03-10T09:30:00Z"),
        (row("US"), T0, None),
        (row("US", consent_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row(consent_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row(consent_ts="2027-01-01"), T0, "2026-12-31T09:55:00Z"),
        (row("DE", doi_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (
            row("DE", consent_phone="Yes", phone_verified_ts="2027-01-01T00:00:00Z"),
            T0,
            "2026-12-31T23:55:00Z",
        ),
        (row("US", first_visit_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row("US", request_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row("US", last_purchase_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row("US", last_inquiry_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row("US", last_activity_ts="2027-01-01T00:00:00Z"), T0, "2026-12-31T23:55:00Z"),
        (row("US", birth_date="2008-12-24"), T0, "2026-12-24T00:00:00Z"),
        (row("US", birth_date="2000-12-24"), T0, None),
        (row("US", last_activity_ts="2025-01-01"), T0, None),
        (row(evidence_ref=""), T0, "2027-12-10T09:30:00Z"),
        (row("US", evidence_ref=""), T0, "2028-06-08T09:30:00Z"),
        (silent(), T0, None),
        (request(), T0, "2026-12-20T10:00:00Z"),
        (request(do_not_contact="Yes"), T0, "2026-12-20T10:00:00Z"),
        (request(phone="", request_channels="phone"), T0, "2026-12-20T10:00:00Z"),
        (silent("CA", last_purchase_ts="2025-01-01T00:00:00Z"), T0, "2027-01-01T00:00:00Z"),
        (silent("CA", last_inquiry_ts="2026-10-01T00:00:00Z"), T0, "2027-04-01T00:00:00Z"),
        (silent("CA", last_purchase_ts="garbage"), T0, None),
        (row("US", last_purchase_ts="2025-01-01T00:00:00Z"), T0, None),
        (row("US", do_not_contact="Yes", last_purchase_ts="2025-01-01"), T0, None),
    ],
)
def test_next_look(person: Row, now: datetime, due: str | None) -> None:
    """Renewal, expiry, grace, coming dates, birthdays, requests and windows; else never."""
    found = decide(person, now=now).look_again_at
    assert found == (None if due is None else day(due))


def test_five_minutes_before_a_coming_date_it_counts() -> None:
    """The instant named is the first at which the date is not in the future any more."""
    person = row(consent_ts="2027-01-01T00:00:00Z")
    then = day("2026-12-31T23:55:00Z")
    assert decide(person, now=then - SECOND).code is Code.TIMESTAMP_FUTURE
    assert decide(person, now=then).code is Code.OK_CONSENT


def test_the_earliest_of_all_rows_counts() -> None:
    """Not only the judged row has a date ahead; a kin row's dates are not this person's."""
    other = silent(last_activity_ts="2027-01-01T00:00:00Z")
    assert decide(row(), other).look_again_at == day("2026-12-31T23:55:00Z")
    kin = silent(email="ann.lee+x@contoso.example", last_activity_ts="2027-01-01T00:00:00Z")
    assert decide(row(), kin).look_again_at == day("2027-12-10T09:30:00Z")


def test_end_of_a_wait() -> None:
    """Fourteen days after the latest reading of the last invitation."""
    asked = History(asking=Asking("INVITED", 1, at("2026-11-20T00:00:00Z")))
    decision = decide(row("US", notice_version=""), history=asked)
    assert decision.look_again_at == day("2026-12-04T00:00:00Z")
    vague = History(asking=Asking("INVITED", 1, at("2026-11-20")))
    decision = decide(row("US", notice_version=""), history=vague)
    assert decision.look_again_at == day("2026-12-05T12:00:00Z")
    undated = History(asking=Asking("INVITED", 1))
    assert decide(silent(), history=undated).look_again_at is None


@pytest.mark.parametrize(
    ("place", "cells", "screened", "due"),
    [
        ("US", {}, "2026-11-20T00:00:00Z", "2026-12-18T00:00:00Z"),
        ("GB", {}, "2026-11-20T00:00:00Z", "2026-12-18T00:00:00Z"),
        ("US", {}, "2026-10-24T00:00:00Z", "2026-11-24T00:00:00Z"),
        ("US", {}, "2027-01-01T00:00:00Z", "2026-12-31T23:55:00Z"),
        ("US", {}, "", None),
        ("US", {}, "2026-01-01T00:00:00Z", None),
        ("CA", {"last_inquiry_ts": "2026-10-01T00:00:00Z"}, "", "2027-04-01T00:00:00Z"),
        ("CA", {"last_purchase_ts": "2025-10-01T00:00:00Z"}, "", "2027-10-01T00:00:00Z"),
        ("DE", {"do_not_contact": "Yes"}, "2026-11-20T00:00:00Z", "2026-12-18T00:00:00Z"),
    ],
)
def test_windows_of_a_statutory_basis(
    place: str, cells: dict[str, Cell], screened: str, due: str | None
) -> None:
    """Purchases, inquiries and screenings end; a future screening begins."""
    screening = {"TPS": False, "CTPS": False, "DNC": False, "screened_at": screened}
    decision = decide(silent(place, **cells), policy="statutory", screening=screening)
    assert decision.look_again_at == (None if due is None else day(due))


def test_relaxation_and_what_it_hides() -> None:
    """A relaxed push changes when any relaxation ends, or any row's consent does."""
    later = Relaxation(Relaxable.EVIDENCE_ID, "r", "n", T0 + 300 * DAY)
    sooner = Relaxation(Relaxable.METHOD, "r", "n", T0 + 20 * DAY)
    policy = ruled(relaxations=(later, sooner))
    gap = row(evidence_ref="")
    assert decide(gap, policy=policy).look_again_at == T0 + 20 * DAY
    older = row(evidence_ref="", consent_ts="2024-11-30T00:00:00Z")
    assert decide(gap, older, policy=policy).look_again_at == day("2026-11-30T00:00:00Z")
    assert decide(row(), older, policy=policy).look_again_at == day("2027-12-10T09:30:00Z")
    assert decide(gap, policy=ruled(relaxations=(later,))).look_again_at == T0 + 300 * DAY
    assert decide(gap).look_again_at == day("2027-12-10T09:30:00Z")


def test_push_by_consent_does_not_end_with_a_purchase() -> None:
    """Windows of other grounds do not touch it."""
    buyer = row("CA", last_purchase_ts="2025-01-01T00:00:00Z")
    assert decide(buyer, policy="statutory").look_again_at is None
    held = row("CA", last_purchase_ts="2025-01-01T00:00:00Z", **OLD_NOTICE)
    assert decide(held).look_again_at == day("2027-01-01T00:00:00Z")
