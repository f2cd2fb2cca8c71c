"""Whether and how a held person may be asked: the ten rules of 2.6, and the counting of 3."""

from datetime import datetime, timedelta

import pytest

from connector.consent.decision import Decision
from connector.consent.evidence import Asking, History
from connector.consent.policy import AskLimits
from connector.consent.reasons import Code
from connector.model import Cell, Feed, Interval, Outcome, Route, Row
from tests.consent.people import DAY, SECOND, T0, at, decide, entry, row, ruled, silent

NONE, WAIT, PASSIVE, DIRECT = Route.NONE, Route.WAIT, Route.PASSIVE, Route.DIRECT
OLD_NOTICE = {"notice_version": "PN-2018-05"}
CORPORATE = {"subscriber_type": "corporate"}
CUSTOMER = {"basis": "soft_opt_in", "last_purchase_ts": "2026-01-01"}
EXPIRES = datetime.fromisoformat("2028-03-10T09:30:00Z")


def asked(state: str, invites: int = 0, last: Interval | None = None) -> History:
    """Returns a history of invitations."""
    return History(asking=Asking(state, invites, last))


def ago(days: float, seconds: float = 0) -> Interval:
    """Returns an instant before the judgment."""
    moment = T0 - timedelta(days=days, seconds=seconds)
    return Interval(moment, moment)


@pytest.mark.parametrize(
    ("state", "invites", "last", "route", "code"),
    [
        ("INVITED", 1, ago(13.9), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 0, ago(13.9), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, ago(14, -1), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, ago(14), DIRECT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, None, WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, Interval(T0 - 20 * DAY, T0 - DAY), WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, None, WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("REMINDED", 0, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("INVITED", 2, ago(14), NONE, Code.REPERM_EXHAUSTED),
        (" Lapsed ", 0, None, NONE, Code.REPERM_EXHAUSTED),
        ("LAPSED", 1, ago(1), NONE, Code.REPERM_EXHAUSTED),
        ("", 2, ago(20), NONE, Code.REPERM_EXHAUSTED),
        ("", 2, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("", 1, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("", 1, ago(14), DIRECT, Code.NOTICE_OUTDATED),
        ("", 0, ago(1), DIRECT, Code.NOTICE_OUTDATED),
        ("", 0, None, DIRECT, Code.NOTICE_OUTDATED),
        ("n/a", 3, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("something", 1, ago(1), DIRECT, Code.NOTICE_OUTDATED),
    ],
)
def test_rules_1_and_2_invitations(
    state: str, invites: int, last: Interval | None, route: Route, code: Code
) -> None:
    """Fourteen days of waiting after each of two messages, then silence ends the asking."""
    decision = decide(row(**OLD_NOTICE), history=asked(state, invites, last))
    assert (decision.route, decision.code) == (route, code)
    assert (Code.REPERM_PENDING in decision.also) is (route is WAIT)
    if code is Code.REPERM_EXHAUSTED:
        assert decision.also == (Code.NOTICE_OUTDATED,)


def test_limits_are_the_policys() -> None:
    """A company may ask less often and wait longer."""
    strict = ruled(asking=AskLimits(invitations=1, wait=timedelta(days=30)))
    held = row(**OLD_NOTICE)
    assert decide(held, policy=strict, history=asked("INVITED", 1, ago(29))).route is WAIT
    assert decide(held, policy=strict, history=asked("INVITED", 1, ago(30))).route is NONE


def test_declined_is_not_exhausted() -> None:
    """Who said no after two messages refused; nothing is said about silence."""
    decision = decide(row(**OLD_NOTICE), history=asked("DECLINED", 2, ago(30)))
    assert decision.codes == (Code.CONSENT_REFUSED, Code.NOTICE_OUTDATED)
    back = History(asking=Asking("DECLINED", 2, ago(300), at("2026-01-01")))
    returned = decide(row(**OLD_NOTICE), history=back)
    assert (returned.codes, returned.route) == ((Code.NOTICE_OUTDATED,), DIRECT)


@pytest.mark.parametrize(
    ("count", "invited", "route"),
    [
        ("", "", DIRECT),
        (1, "2026-11-20", WAIT),
        ("1", "", WAIT),
        ("", "2026-11-20T10:00:00Z", WAIT),
        ("", "garbage", WAIT),
        ("1", "2026-10-01", DIRECT),
        ("2", "2026-10-01", NONE),
        ("999", "2026-10-01", NONE),
        ("1000", "2026-10-01", NONE),
        ("-2", "", WAIT),
        ("٢", "2026-10-01", NONE),
        (2.0, "2026-10-01", NONE),
        ("9" * 5000, "2026-10-01", NONE),
        ("0001", "2026-10-01", DIRECT),
        ("000", "", DIRECT),
        ("0", "", DIRECT),
        ("", "2026-10-01", DIRECT),
        ("", "2026-11-09T00:00:01", WAIT),
        ("x", "", WAIT),
        ("x", "2026-10-01", DIRECT),
        (".0", "", WAIT),
    ],
)
def test_invitations_counted_by_act_on(count: Cell, invited: Cell, route: Route) -> None:
    """Mapped columns count as well; an unreadable date of asking is a wait without end."""
    held = row(**OLD_NOTICE, reperm_count=count, reperm_invited_at=invited)
    assert decide(held).route is route


def test_more_invitations_and_the_later_date_count() -> None:
    """Ledger and columns, in any row of the person, are combined."""
    old, new = "2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z"
    held = row(**OLD_NOTICE, reperm_count=1, reperm_invited_at=old)
    assert decide(held, history=asked("INVITED", 1, at(new))).route is WAIT
    assert decide(held, history=asked("INVITED", 2, at(old))).route is NONE
    newer = silent(reperm_count=1, reperm_invited_at=new)
    for rows in ((held, newer), (newer, held)):
        assert decide(*rows).route is WAIT
    unread = silent(reperm_invited_at="soon")
    for rows in ((held, unread), (unread, held), (unread, newer), (newer, unread)):
        assert decide(*rows).route is WAIT
    kin = silent(email="ann.lee+x@contoso.example", reperm_count=2, reperm_invited_at=old)
    assert decide(row(**OLD_NOTICE), kin).route is DIRECT


def test_invitation_in_a_column_leaves_the_state_of_the_ledger() -> None:
    """A lapsed person stays lapsed."""
    held = row(**OLD_NOTICE, reperm_count=1, reperm_invited_at="2026-11-20")
    assert decide(held, history=asked("LAPSED")).route is NONE


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
