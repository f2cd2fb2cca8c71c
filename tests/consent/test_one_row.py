"""What makes a single yes valid: rules H1-H11 and R9-R13 on one row (table 2.2, rule 1.4)."""

from datetime import datetime, timedelta

import pytest

from connector.consent.reasons import Code
from connector.consent.statement import best_of, judge
from connector.model import Cell, Interval, Outcome, Row
from tests.consent.people import (
    ABSENT,
    DAY,
    GIVEN,
    SECOND,
    T0,
    decide,
    facts,
    policy_of,
    row,
    ruled,
    silent,
)

NOT_ACTS = (
    *("pre_ticked", "prefilled", "implied", "bundled_terms", "silence", "opt_out_box"),
    "assumed",
)
FIRST_HAND = (
    *("web_form", "preference_centre", "event", "paper", "phone_call", "import", "crm_sync"),
    "api",
)
EXPIRES = datetime.fromisoformat("2028-03-10T09:30:00Z")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"controller": "Other Ltd"}, Code.CONTROLLER_MISMATCH),
        ({"controller": "x"}, Code.CONTROLLER_MISMATCH),
        ({"consent_source": "purchased_list"}, Code.CONSENT_THIRD_PARTY),
        ({"consent_source": "Partner"}, Code.CONSENT_THIRD_PARTY),
        ({"consent_source": "data_broker"}, Code.CONSENT_THIRD_PARTY),
        *(({"consent_method": method}, Code.CONSENT_NOT_AFFIRMATIVE) for method in NOT_ACTS),
        ({"consent_source": "somewhere"}, Code.CONSENT_UNPROVEN),
        ({"consent_source": ""}, Code.CONSENT_UNPROVEN),
        ({"consent_method": "somehow"}, Code.CONSENT_UNPROVEN),
        ({"consent_method": ABSENT}, Code.CONSENT_UNPROVEN),
        ({"evidence_ref": "unknown"}, Code.CONSENT_UNPROVEN),
        ({"consent_ts": ""}, Code.CONSENT_UNPROVEN),
        ({"consent_ts": "31/12/2025"}, Code.TIMESTAMP_INVALID),
        ({"consent_ts": "2026-11-23T12:05:01Z"}, Code.TIMESTAMP_FUTURE),
        ({"consent_ts": "2026-11-25"}, Code.TIMESTAMP_FUTURE),
        ({"notice_version": ""}, Code.NOTICE_UNKNOWN),
        ({"notice_version": "PN-1999-01"}, Code.NOTICE_UNKNOWN),
        ({"notice_version": "PN-2018-05"}, Code.NOTICE_OUTDATED),
        ({"notice_version": "PN-2022-01"}, Code.NOTICE_OUTDATED),
        ({"notice_version": "PN-2026-06"}, Code.NOTICE_TIME_MISMATCH),
        ({"tracking_consent": ""}, Code.TRACKING_NOT_CONSENTED),
        ({"tracking_consent": False}, Code.TRACKING_NOT_CONSENTED),
        ({"tracking_consent": "No"}, Code.TRACKING_NOT_CONSENTED),
        ({"tracking_consent": "maybe"}, Code.CONSENT_VALUE_AMBIGUOUS),
        ({"consent_email": "maybe", "consent_phone": "Yes"}, Code.CONSENT_VALUE_AMBIGUOUS),
        ({"consent_phone": "maybe"}, Code.CONSENT_VALUE_AMBIGUOUS),
    ],
)
def test_one_fault_stops_the_push(changes: dict[str, Cell], code: Code) -> None:
    """Each fault alone is the reason code, and nothing else is found."""
    decision = decide(row(**changes))
    assert decision.codes == (code,)
    assert decision.outcome is not Outcome.PUSH


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"controller": " acme "},
        {"controller": "ACME EU"},
        {"controller": "n/a"},
        *({"consent_source": source} for source in FIRST_HAND),
        *({"consent_method": m} for m in ("button", "signature", "Verbal_Recorded")),
        {"notice_version": "pn-2025-04 "},
        {"consent_ts": "2026-11-23T12:05:00Z"},
        {"consent_ts": "2026-11-24"},
        {"doi_ts": "garbage"},
        {"consent_ts": "2026-06-01T00:00:00Z", "notice_version": "PN-2026-06"},
        {"consent_ts": "2026-05-31", "notice_version": "PN-2026-06"},
    ],
)
def test_valid_variants_are_pushed(changes: dict[str, Cell]) -> None:
    """Listed sources and methods, our own names, boundary dates: nothing is found."""
    assert decide(row(**changes)).codes == (Code.OK_CONSENT,)


def test_a_notice_that_took_effect_later_does_not_fit() -> None:
    """One second before midnight UTC of its day the notice was not yet there."""
    late = row(consent_ts="2026-05-31T23:59:59Z", notice_version="PN-2026-06")
    assert decide(late).codes == (Code.NOTICE_TIME_MISMATCH,)


def test_outdated_and_mismatching_notice_are_both_named() -> None:
    """The review outranks the hold; both are reported."""
    early = row(consent_ts="2021-12-01T00:00:00Z", notice_version="PN-2022-01")
    decision = decide(early)
    assert decision.code is Code.NOTICE_TIME_MISMATCH
    assert Code.NOTICE_OUTDATED in decision.also


@pytest.mark.parametrize(
    ("place", "doi", "codes"),
    [
        ("DE", "", (Code.DOI_REQUIRED,)),
        ("AT", ABSENT, (Code.DOI_REQUIRED,)),
        ("IT", "n/a", (Code.DOI_REQUIRED,)),
        ("DE", "garbage", (Code.TIMESTAMP_INVALID,)),
        ("DE", "2026-11-23T12:05:01Z", (Code.TIMESTAMP_FUTURE,)),
        ("DE", "2026-03-10T09:29:59Z", (Code.TIMESTAMP_IMPLAUSIBLE,)),
        ("DE", "2026-03-10T09:30:00Z", (Code.DOI_SUSPECT_BOT,)),
        ("DE", "2026-03-10T09:30:09Z", (Code.DOI_SUSPECT_BOT,)),
        ("DE", "2026-03-10T09:30:10Z", (Code.OK_CONSENT,)),
        ("DE", "2026-03-10T09:30:05", (Code.OK_CONSENT,)),
        ("DE", "2026-03-10", (Code.OK_CONSENT,)),
        ("DE", "2026-03-08", (Code.TIMESTAMP_IMPLAUSIBLE,)),
        ("GB", "", (Code.OK_CONSENT,)),
        ("GB", "2026-03-10T09:30:01Z", (Code.OK_CONSENT,)),
        ("FR", "2026-03-10T09:00:00Z", (Code.OK_CONSENT,)),
    ],
)
def test_double_opt_in(place: str, doi: Cell, codes: tuple[Code, ...]) -> None:
    """Where the profile asks: there, readable, not before the consent, not within ten seconds."""
    assert decide(row(place, doi_ts=doi)).codes == codes


def test_inexact_consent_cannot_show_a_bot() -> None:
    """Ten seconds can only be counted between two exact instants."""
    vague = row("DE", consent_ts="2026-03-10", doi_ts="2026-03-10T09:30:01Z")
    assert decide(vague).codes == (Code.OK_CONSENT,)
    long = row("DE", consent_ts=Interval(GIVEN, GIVEN + DAY), doi_ts="2026-03-10T09:30:01Z")
    assert decide(long).codes == (Code.OK_CONSENT,)
    same = Interval(GIVEN, GIVEN + DAY)
    assert decide(row("DE", consent_ts=same, doi_ts=same)).codes == (Code.OK_CONSENT,)
    exact = Interval(GIVEN, GIVEN + 0 * DAY)
    assert decide(row("DE", consent_ts=exact, doi_ts=exact)).codes == (Code.DOI_SUSPECT_BOT,)


@pytest.mark.parametrize("method", ["signature", "verbal_recorded"])
def test_witnessed_methods_need_no_double_opt_in(method: str) -> None:
    """A signature or a recording is proof of its own."""
    assert decide(row("DE", consent_method=method, doi_ts="")).codes == (Code.OK_CONSENT,)
    assert decide(row("DE", consent_method=method, doi_ts="x")).codes == (Code.OK_CONSENT,)


def test_future_confirmation_of_an_unreadable_consent() -> None:
    """Both dates are named; without an order nothing more is said of them."""
    decision = decide(row("DE", consent_ts="x", doi_ts="2026-12-24T12:00:00Z"))
    assert decision.codes == (Code.TIMESTAMP_FUTURE, Code.TIMESTAMP_INVALID)


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        (EXPIRES - timedelta(days=92, seconds=1), (Code.OK_CONSENT,)),
        (datetime.fromisoformat("2027-12-10T09:29:59Z"), (Code.OK_CONSENT,)),
        (
            datetime.fromisoformat("2027-12-10T09:30:00Z"),
            (Code.OK_CONSENT, Code.RENEWAL_DUE),
        ),
        (EXPIRES - SECOND, (Code.OK_CONSENT, Code.RENEWAL_DUE)),
        (EXPIRES, (Code.CONSENT_EXPIRED, Code.RENEWAL_DUE)),
        (EXPIRES + DAY, (Code.CONSENT_EXPIRED, Code.RENEWAL_DUE)),
    ],
)
def test_consent_expires_after_24_months_and_is_due_three_before(
    now: datetime, codes: tuple[Code, ...]
) -> None:
    """On the last instant it is expired; expiry counts from the earliest reading."""
    assert decide(row(), now=now).codes == codes


def test_expiry_counts_from_the_earliest_reading() -> None:
    """A date alone began fourteen hours before its midnight."""
    day = row(consent_ts="2026-03-10")
    ends = datetime.fromisoformat("2028-03-09T10:00:00Z")
    assert decide(day, now=ends - SECOND).code is Code.OK_CONSENT
    assert decide(day, now=ends).code is Code.CONSENT_EXPIRED


def test_months_of_validity_are_the_policys() -> None:
    """A company may be stricter than 24 months."""
    policy = ruled(valid_months=6)
    assert decide(row(), policy=policy).code is Code.CONSENT_EXPIRED
    assert decide(row(), policy=ruled(valid_months=9)).codes == (
        Code.OK_CONSENT,
        Code.RENEWAL_DUE,
    )


@pytest.mark.parametrize("place", ["US", "CA"])
def test_nothing_expires_where_neither_law_asks(place: str) -> None:
    """US and CA know no expiry, unless the controller sits where there is one."""
    old = row(place, consent_ts="2024-03-02T00:00:00Z")
    later = T0 + 3000 * DAY
    assert decide(old, now=later).codes == (Code.OK_CONSENT,)
    assert Code.CONSENT_EXPIRED in decide(old, policy="consent_only_uk", now=later).codes


@pytest.mark.parametrize(
    ("cell", "first_visit", "policy", "code"),
    [
        ("", "2024-06-01T00:00:00Z", "consent_only_uk", Code.OK_CONSENT),
        ("n/a", "2025-01-01", "consent_only_uk", Code.OK_CONSENT),
        ("", "2024-05-31T23:59:59Z", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("", "2024-06-01", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("", "garbage", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("", "", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("", "2026-12-01T00:00:00Z", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        (False, "2025-01-01", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("No", "2025-01-01", "consent_only_uk", Code.TRACKING_NOT_CONSENTED),
        ("", "2025-01-01", "consent_only", Code.TRACKING_NOT_CONSENTED),
        ("", "", "forms_only", Code.OK_CONSENT),
        ("maybe", "", "forms_only", Code.OK_CONSENT),
        ("No", "", "forms_only", Code.OK_CONSENT),
    ],
)
def test_tracking_consent(cell: Cell, first_visit: str, policy: str, code: Code) -> None:
    """Said yes, or a beacon that asked first on every visit; not needed for a score of forms."""
    decision = decide(row(tracking_consent=cell, first_visit_ts=first_visit), policy=policy)
    assert decision.codes == (code,)


@pytest.mark.parametrize(
    ("ts", "said", "code"),
    [
        ("2026-03-10T09:30:01Z", "No", Code.TRACKING_NOT_CONSENTED),
        ("2026-03-10T09:30:00Z", "No", Code.TRACKING_NOT_CONSENTED),
        ("", "withdrawn", Code.TRACKING_NOT_CONSENTED),
        ("2026-03-10", "No", Code.TRACKING_NOT_CONSENTED),
        ("2026-03-10T09:29:59Z", "No", Code.OK_CONSENT),
        ("", False, Code.OK_CONSENT),
        ("", "maybe", Code.OK_CONSENT),
    ],
)
def test_tracking_refused_in_another_row(ts: str, said: Cell, code: Code) -> None:
    """A no elsewhere counts unless the judged row is provably later; unticked is none."""
    other = silent(consent_ts=ts, tracking_consent=said)
    assert decide(row(), other).code is code


def test_tracking_refused_in_a_kin_row_or_in_the_crm() -> None:
    """Kin rows do not speak of this person's visits; the CRM does."""
    kin = silent(email="ann.lee+x@contoso.example", tracking_consent="No")
    assert decide(row(), kin).codes == (Code.OK_CONSENT,)
    decision = decide(row(), crm={"HasOptedOutTracking": True})
    assert decision.codes == (Code.TRACKING_NOT_CONSENTED,)


def test_evidence_is_never_combined_across_rows() -> None:
    """Two half-proven rows make no proven one."""
    half = row(evidence_ref=""), row(notice_version="")
    assert decide(*half).outcome is Outcome.HOLD


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"evidence_ref": ""}),
        ({"evidence_ref": ""}, {"notice_version": "PN-2026-06"}),
        ({"tracking_consent": ""}, {"evidence_ref": ""}),
        (
            {"tracking_consent": ""},
            {"tracking_consent": "", "consent_ts": "2026-04-01", "notice_version": "PN-2018-05"},
        ),
        ({"consent_ts": "2026-04-01T00:00:00Z"}, {}),
        ({"consent_phone": "Yes"}, {}),
        ({}, {"consent_email": "", "consent_phone": "Yes"}),
        (
            {"evidence_ref": "", "notice_version": ""},
            {"evidence_ref": "", "controller": "Other Ltd"},
        ),
    ],
)
def test_best_single_row_counts(better: dict[str, Cell], worse: dict[str, Cell]) -> None:
    """Least grave, latest first code, fewest codes, newest, most channels, e-mail first."""
    good, bad = row(**better), row(**worse)
    for rows in ((good, bad), (bad, good)):
        found = judged(*rows)
        assert found == good.cells


def test_row_to_review_is_better_than_a_withdrawn_one() -> None:
    """A withdrawal of e-mail takes the last channel of one row only."""
    calls = row(consent_email="", consent_phone="Yes", notice_version="PN-2026-06")
    no = row(consent_email="No", consent_ts="2026-05-01")
    for rows in ((row(), calls, no), (calls, row(), no)):
        assert judged(*rows) == calls.cells


def judged(*rows: Row) -> dict[str, Cell]:
    """Returns the cells of the row that is judged best."""
    known = facts(*rows)
    best = best_of([judge(statement, known) for statement in known.own if statement.affirmative])
    assert best is not None
    return dict(best.statement.row.cells)


def test_tie_is_broken_by_what_the_rows_say_not_by_their_order() -> None:
    """Information codes, then the list, then the cells decide between equals."""
    one, other = row(evidence_ref="form:a"), row(evidence_ref="form:b")
    assert judged(one, other) == judged(other, one)
    first, second = row(source="l-0001"), row(source="l-0002")
    assert decide(first, second).grounds[0].row.source == "l-0001"
    assert decide(second, first).grounds[0].row.source == "l-0001"


def test_last_comparison_is_of_what_is_merely_reported() -> None:
    """Among equals the row whose first differing code stands later, or is missing, is better."""
    unproven = row("DE", consent_phone="Yes")
    plain = row("DE")
    for rows in ((unproven, plain), (plain, unproven)):
        assert judged(*rows) == plain.cells
    withdrawn = row(consent_phone="Yes")
    disputed = row(consent_phone="Yes", consent_ts=Interval(GIVEN, GIVEN + DAY))
    no = silent(consent_phone="No", consent_ts="2026-03-10T10:00:00Z")
    for rows in ((withdrawn, disputed, no), (disputed, withdrawn, no)):
        assert judged(*rows) == disputed.cells


def test_nothing_to_judge_is_nothing_judged() -> None:
    """A person without rows of their own is held for lack of any yes."""
    decision = decide(row(consent_email="", consent_phone=""), policy=policy_of("strict"))
    assert decision.codes == (Code.CONSENT_MISSING,)
