"""Whether and how a held person may be asked: the ten rules of 2.6, and the counting of 3."""

from datetime import datetime

import pytest

from connector.consent.decision import Decision
from connector.consent.evidence import Asking, History
from connector.consent.reasons import Code
from connector.model import Cell, Feed, Interval, Outcome, Route, Row
from tests.consent.people import DAY, SECOND, decide, entry, row, silent

NONE, WAIT, PASSIVE, DIRECT = Route.NONE, Route.WAIT, Route.PASSIVE, Route.DIRECT
OLD_NOTICE = {"notice_version": "PN-2018-05"}
CORPORATE = {"subscriber_type": "corporate"}
CUSTOMER = {"basis": "soft_opt_in", "last_purchase_ts": "2026-01-01"}
EXPIRES = datetime.fromisoformat("2028-03-10T09:30:00Z")


def asked(state: str, invites: int = 0, last: Interval | None = None) -> History:
    """Returns a history of invitations."""
    return History(asking=Asking(state, invites, last))


@pytest.mark.parametrize("gap", [{"consent_source": "partner"}, {"controller": "Other Ltd"}])
@pytest.mark.parametrize("place", ["GB", "US"])
def test_rule_3_data_of_others_is_never_mailed(place: str, gap: dict[str, Cell]) -> None:
    """Bought data or another company's consent: not even where the law exempts."""
    assert decide(row(place, **gap, **CORPORATE)).route is PASSIVE
    assert decide(row(place, **OLD_NOTICE, **CORPORATE)).route is DIRECT


@pytest.mark.parametrize(
    ("crm", "listed"),
    [
        ({"HasOptedOutOfEmail": True}, []),
        ({}, [entry(Feed.HARDBOUNCE)]),
        ({}, [entry(Feed.CATEGORY, None, "Product news")]),
    ],
)
def test_rule_4_mail_that_is_off_is_not_sent(crm: dict[str, Cell], listed: list) -> None:
    """The CRM, a category or a bounce: the person is asked only when they come by."""
    calls = row(consent_phone="Yes", **OLD_NOTICE, **CORPORATE)
    decision = decide(calls, crm=crm, listed=listed)
    assert (decision.outcome, decision.route) == (Outcome.HOLD, PASSIVE)
    assert decide(calls).route is DIRECT


@pytest.mark.parametrize("email", ["ann.lee@contoso.example", "ann.lee+x@contoso.example"])
@pytest.mark.parametrize(
    ("ts", "said", "route"),
    [
        ("2026-05-01", "No", PASSIVE),
        ("2026-03-10", "No", PASSIVE),
        ("2026-05-01", "withdrawn", PASSIVE),
        ("2026-01-01", "No", DIRECT),
        ("2026-05-01", "", DIRECT),
    ],
)
def test_rule_4_mail_that_was_refused_is_not_sent(
    email: str, ts: str, said: str, route: Route
) -> None:
    """An e-mail no in an own or kin row, unless the judged row's yes stands against it."""
    calls = row(consent_phone="Yes", **OLD_NOTICE)
    other = silent(email=email, consent_email=said, consent_ts=ts)
    decision = decide(calls, other)
    assert (decision.outcome, decision.route) == (Outcome.HOLD, route)


def test_rule_4_no_in_the_judged_row_itself() -> None:
    """Calls yes, mail no: not mailed, not even a company in the United Kingdom."""
    decision = decide(row(consent_email="No", consent_phone="Yes", **OLD_NOTICE, **CORPORATE))
    assert (decision.outcome, decision.route) == (Outcome.HOLD, PASSIVE)


@pytest.mark.parametrize(
    ("cells", "other", "crm", "route"),
    [
        ({"tracking_consent": ""}, {}, {}, DIRECT),
        ({"tracking_consent": False}, {}, {}, DIRECT),
        ({"tracking_consent": "No"}, {}, {}, PASSIVE),
        ({"tracking_consent": ""}, {"tracking_consent": "withdrawn"}, {}, PASSIVE),
        ({"tracking_consent": ""}, {"tracking_consent": False}, {}, DIRECT),
        ({}, {}, {"HasOptedOutTracking": True}, PASSIVE),
        (OLD_NOTICE, {"tracking_consent": "No", "consent_ts": "2025-01-01"}, {}, DIRECT),
    ],
)
def test_rule_5_tracking_refused_or_not_given(
    cells: dict[str, Cell], other: dict[str, Cell], crm: dict[str, Cell], route: Route
) -> None:
    """An explicit no closes the mail route; a box left unticked does not."""
    assert decide(row(**cells), silent(**other), crm=crm).route is route


@pytest.mark.parametrize(
    ("cells", "route"),
    [
        (OLD_NOTICE, DIRECT),
        ({"form_id": "q-0005"}, DIRECT),
        ({"tracking_consent": ""}, DIRECT),
        ({**OLD_NOTICE, "tracking_consent": "", "form_id": "q-0005"}, DIRECT),
        ({"evidence_ref": ""}, PASSIVE),
        ({"notice_version": ""}, PASSIVE),
        ({"consent_method": "pre_ticked"}, PASSIVE),
        ({**OLD_NOTICE, "evidence_ref": ""}, PASSIVE),
        ({**OLD_NOTICE, "consent_email": "", "consent_phone": "Yes"}, PASSIVE),
    ],
)
@pytest.mark.parametrize("country", ["GB", "", "Atlantis"])
def test_rule_6_valid_mail_consent_carries_the_ask(
    country: str, cells: dict[str, Cell], route: Route
) -> None:
    """Only notice, purpose, tracking or channel may be missing; the country does not matter."""
    assert decide(row(country=country, **cells)).route is route


@pytest.mark.parametrize(
    ("place", "changes", "now", "route"),
    [
        ("GB", {}, EXPIRES, DIRECT),
        ("GB", {}, EXPIRES + 90 * DAY - SECOND, DIRECT),
        ("GB", {}, EXPIRES + 90 * DAY, PASSIVE),
        ("GB", {**OLD_NOTICE}, EXPIRES + DAY, DIRECT),
        ("GB", {"evidence_ref": ""}, EXPIRES + DAY, PASSIVE),
        ("DE", {}, EXPIRES + 90 * DAY - SECOND, DIRECT),
        ("AU", {}, EXPIRES + DAY, DIRECT),
        ("GB", {"country": ""}, EXPIRES + DAY, PASSIVE),
        ("GB", {"country": "Atlantis"}, EXPIRES + DAY, PASSIVE),
        ("FR", {}, EXPIRES + 90 * DAY, DIRECT),
        ("FR", {}, datetime.fromisoformat("2029-03-10T09:29:59Z"), DIRECT),
        ("FR", {}, datetime.fromisoformat("2029-03-10T09:30:00Z"), PASSIVE),
        (
            "FR",
            {"last_activity_ts": "2027-01-01T00:00:00Z"},
            datetime.fromisoformat("2029-12-31T23:59:59Z"),
            DIRECT,
        ),
        (
            "FR",
            {"last_activity_ts": "2027-01-01T00:00:00Z"},
            datetime.fromisoformat("2030-01-01T00:00:00Z"),
            PASSIVE,
        ),
        (
            "FR",
            {"last_activity_ts": "2025-01-01T00:00:00Z"},
            datetime.fromisoformat("2029-03-10T09:29:59Z"),
            DIRECT,
        ),
        (
            "FR",
            {"last_activity_ts": "2040-01-01T00:00:00Z"},
            datetime.fromisoformat("2029-03-10T09:30:00Z"),
            PASSIVE,
        ),
        (
            "FR",
            {"last_activity_ts": "garbage"},
            datetime.fromisoformat("2029-03-10T09:30:00Z"),
            PASSIVE,
        ),
    ],
)
def test_rule_7_grace_after_expiry(
    place: str, changes: dict[str, Cell], now: datetime, route: Route
) -> None:
    """Ninety days, once; in France up to 36 months after the later of consent and activity."""
    decision = decide(row(place, **changes), now=now)
    assert Code.CONSENT_EXPIRED in decision.codes
    assert decision.route is route


def test_rule_7_home_profile_does_not_help() -> None:
    """A blank country is pushed by the home profile, but not asked by it."""
    decision = decide(row(country=""), policy="consent_only_uk", now=EXPIRES + DAY)
    assert decision.route is PASSIVE


def test_rule_7_activity_of_any_own_row() -> None:
    """The latest act of the person counts, whichever list saw it."""
    now = datetime.fromisoformat("2029-12-31T23:59:59Z")
    seen = silent("FR", last_activity_ts="2027-01-01T00:00:00Z")
    assert decide(row("FR"), seen, now=now).route is DIRECT


@pytest.mark.parametrize(
    ("place", "changes", "route"),
    [
        ("US", {}, DIRECT),
        ("US", {"notice_version": ""}, DIRECT),
        ("CA", {}, PASSIVE),
        ("CA", {"last_purchase_ts": "2024-11-23T12:00:01Z"}, DIRECT),
        ("CA", {"last_purchase_ts": "2024-11-23T12:00:00Z"}, PASSIVE),
        ("CA", {"last_inquiry_ts": "2026-05-23T12:00:01Z"}, DIRECT),
        ("CA", {"last_inquiry_ts": "2026-05-23T12:00:00Z"}, PASSIVE),
        ("CA", {"last_inquiry_ts": "2027-05-23T12:00:00Z"}, PASSIVE),
        ("CA", {"last_inquiry_ts": "garbage"}, PASSIVE),
        ("GB", {}, PASSIVE),
        ("GB", CORPORATE, DIRECT),
        ("GB", {"subscriber_type": " Corporate"}, DIRECT),
        ("GB", {"subscriber_type": "sole_trader"}, PASSIVE),
        ("GB", CUSTOMER, DIRECT),
        ("GB", {"last_purchase_ts": "2026-01-01"}, PASSIVE),
        ("GB", {"basis": "soft_opt_in"}, PASSIVE),
        ("GB", {"basis": "soft_opt_in", "last_purchase_ts": "2024-11-01"}, PASSIVE),
        ("GB", {"basis": "legitimate_interest", "last_purchase_ts": "2026-01-01"}, PASSIVE),
        ("FR", CORPORATE, DIRECT),
        ("FR", {**CORPORATE, "notice_version": "PN-1999"}, PASSIVE),
        ("FR", {**CORPORATE, "notice_version": ""}, PASSIVE),
        ("FR", CUSTOMER, PASSIVE),
        ("DE", CORPORATE, PASSIVE),
        ("DE", CUSTOMER, PASSIVE),
        ("AT", CORPORATE, PASSIVE),
        ("ES", CORPORATE, PASSIVE),
        ("AU", CORPORATE, PASSIVE),
        ("", CORPORATE, PASSIVE),
    ],
)
def test_rule_8_national_exemptions(place: str, changes: dict[str, Cell], route: Route) -> None:
    """US always; CA in a window; UK corporate or customer; FR corporate and informed."""
    assert decide(silent(place, **changes)).route is route


def test_rule_8_expired_in_france_but_not_elsewhere() -> None:
    """*Unless H7* is about France only."""
    late = EXPIRES + 500 * DAY
    assert decide(row("FR", **CORPORATE), now=late).route is PASSIVE
    assert decide(row("GB", **CORPORATE), now=late).route is DIRECT


def test_corporate_is_a_fact_of_all_own_rows() -> None:
    """One row says so and none says anything else."""
    held = silent(**CORPORATE)
    assert decide(held, silent()).route is DIRECT
    assert decide(held, silent(subscriber_type="individual")).route is PASSIVE
    kin = silent(email="ann.lee+x@contoso.example", subscriber_type="individual")
    assert decide(held, kin).route is DIRECT


def test_soft_opt_in_is_a_fact_of_one_row() -> None:
    """Basis and purchase must stand in the same row."""
    split = silent(basis="soft_opt_in"), silent(last_purchase_ts="2026-01-01")
    assert decide(*split).route is PASSIVE
    assert decide(silent(), silent(**CUSTOMER)).route is DIRECT


@pytest.mark.parametrize("place", ["FR", "DE"])
def test_rule_9_statutory_mail_basis_that_lacks_notice_or_tracking(place: str) -> None:
    """The basis carries the mail that informs; without the policy it does not."""
    held = silent(place, **CUSTOMER, notice_version="")
    decision = decide(held, policy="statutory")
    assert (decision.codes, decision.route) == ((Code.NOTICE_UNKNOWN,), DIRECT)
    assert decide(held).route is PASSIVE


def test_only_a_hold_has_a_route() -> None:
    """A push needs none; suppression and review have none to offer."""
    assert decide(row()).route is None
    refusal: Decision = decide(row(do_not_contact="Yes"))
    assert refusal.route is NONE
    review: Row = row("US", tracking_consent="maybe")
    assert decide(review, policy="consent_only_uk").route is NONE
