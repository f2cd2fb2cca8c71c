"""Contact that the law allows without consent, and relaxations of proof (rule 2.5)."""

import pytest

from connector.consent.evidence import Asking, History
from connector.consent.policy import Declaration
from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Route
from tests.consent.people import (
    ABSENT,
    at,
    decide,
    entry,
    row,
    ruled,
    silent,
)

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
CORPORATE = {"subscriber_type": "corporate"}
CUSTOMER = {"basis": "Soft_Opt_In", "last_purchase_ts": "2026-01-01T00:00:00Z"}
CLEAR = {"TPS": False, "CTPS": "no", "DNC": 0, "screened_at": "2026-11-20T00:00:00Z"}


@pytest.mark.parametrize(
    ("place", "cells", "screening", "channels"),
    [
        ("GB", {}, {}, ()),
        ("GB", CORPORATE, {}, (EMAIL,)),
        ("GB", CUSTOMER, {}, (EMAIL,)),
        ("GB", {}, CLEAR, (PHONE,)),
        ("GB", CORPORATE, CLEAR, (EMAIL, PHONE)),
        ("GB", {}, {**CLEAR, "TPS": True}, ()),
        ("GB", {}, {**CLEAR, "CTPS": "listed"}, ()),
        ("GB", {}, {**CLEAR, "CTPS": None}, ()),
        ("GB", {"phone": "123456"}, CLEAR, ()),
        ("FR", {}, CLEAR, ()),
        ("FR", CORPORATE, {}, (EMAIL, PHONE)),
        ("FR", {**CORPORATE, "phone": ""}, {}, (EMAIL,)),
        ("FR", CUSTOMER, {}, (EMAIL,)),
        ("DE", CORPORATE, CLEAR, ()),
        ("DE", CUSTOMER, CLEAR, (EMAIL,)),
        ("AT", CORPORATE, CLEAR, ()),
        ("AT", CUSTOMER, CLEAR, (EMAIL,)),
        ("IT", CORPORATE, CLEAR, ()),
        ("IT", CUSTOMER, CLEAR, (EMAIL,)),
        ("ES", CORPORATE, CLEAR, ()),
        ("ES", CUSTOMER, CLEAR, (EMAIL,)),
        ("US", {}, {}, (EMAIL,)),
        ("US", CORPORATE, {}, (EMAIL, PHONE)),
        ("US", {}, CLEAR, (EMAIL, PHONE)),
        ("US", {}, {**CLEAR, "TPS": True, "CTPS": True}, (EMAIL, PHONE)),
        ("US", {}, {**CLEAR, "DNC": True}, (EMAIL,)),
        ("CA", {}, CLEAR, ()),
        ("CA", CORPORATE, {}, (PHONE,)),
        ("CA", {"last_purchase_ts": "2025-01-01"}, {}, (EMAIL,)),
        ("CA", {"last_inquiry_ts": "2026-10-01"}, {}, (EMAIL,)),
        ("AU", {**CORPORATE, **CUSTOMER}, CLEAR, ()),
        ("", {**CORPORATE, **CUSTOMER}, CLEAR, ()),
    ],
)
def test_bases_by_profile(
    place: str, cells: dict[str, Cell], screening: dict[str, Cell], channels: tuple[Channel, ...]
) -> None:
    """What table 2.5 allows for somebody who never said anything but was informed."""
    decision = decide(silent(place, **cells), policy="statutory", screening=screening)
    assert decision.channels == channels
    assert (decision.code is Code.OK_STATUTORY) is bool(channels)
    if channels:
        assert decision.also == ()
        ground = decision.grounds[0]
        assert (ground.channels, ground.notice, ground.until) == (channels, "pn-2024-03", None)
    else:
        assert decision.outcome is Outcome.HOLD


def test_other_policies_know_no_statutory_basis() -> None:
    """Nor does this one in a profile without an assessment."""
    person = silent("US")
    assert decide(person).code is Code.CONSENT_MISSING
    unassessed = ruled("statutory", assessed=frozenset({Profile.UK}))
    assert decide(person, policy=unassessed).code is Code.CONSENT_MISSING
    assert decide(silent(**CORPORATE), policy=unassessed).code is Code.OK_STATUTORY


def test_home_profile_gives_no_basis() -> None:
    """National law needs a country that is known."""
    policy = ruled("statutory", home_profile=Profile.US)
    assert decide(silent("US", country=""), policy=policy).outcome is Outcome.HOLD


@pytest.mark.parametrize(
    ("cells", "history"),
    [
        ({"consent_email": "Yes"}, History()),
        ({"consent_phone": "Yes", "evidence_ref": ""}, History()),
        ({"consent_phone": "No"}, History()),
        ({"consent_email": "withdrawn"}, History()),
        ({}, History(seen_statement=True)),
        ({}, History(seen_yes={EMAIL: None})),
        ({}, History(asking=Asking("INVITED"))),
        ({}, History(asking=Asking("LAPSED"))),
        ({}, History(asking=Asking("", 1, at("2026-01-01")))),
        ({"reperm_invited_at": "2026-01-01"}, History()),
        ({"consent_source": "purchased_list"}, History()),
        ({"do_not_contact": "Yes"}, History()),
        ({"birth_date": "2015-01-01"}, History()),
        ({"email": "info@widgets.example"}, History()),
        ({"consent_phone": "maybe"}, History()),
        ({"consent_email": ABSENT}, History()),
    ],
)
def test_basis_lock_and_what_bars_a_basis(cells: dict[str, Cell], history: History) -> None:
    """Consent once stated, seen or asked for; third-party data; any S or R code."""
    person = silent("US", **cells)
    assert decide(person, policy="statutory", history=history).code is not Code.OK_STATUTORY
    assert decide(silent("US"), policy="statutory").code is Code.OK_STATUTORY


@pytest.mark.parametrize("field", ["consent_email", "consent_phone"])
def test_unticked_box_is_no_statement_and_locks_nothing(field: str) -> None:
    """A box left unticked said nothing."""
    assert decide(silent("US", **{field: False}), policy="statutory").code is Code.OK_STATUTORY


def test_statement_of_a_kin_row_does_not_lock() -> None:
    """The lock is about this person; a kin row's no still suppresses."""
    kin = row("US", email="bob.ray+x@widgets.example")
    assert decide(silent("US"), kin, policy="statutory").code is Code.OK_STATUTORY


def test_third_party_in_any_own_row_bars() -> None:
    """One bought row is enough; it is named among the codes."""
    decision = decide(silent("US"), silent("US", consent_source="partner"), policy="statutory")
    assert decision.codes == (Code.CONSENT_MISSING, Code.CONSENT_THIRD_PARTY)


@pytest.mark.parametrize(
    ("rows", "policy", "code"),
    [
        ([silent("US"), silent("US", consent_email=ABSENT)], "statutory", True),
        ([silent("US", consent_email=ABSENT)], "consent_only", False),
        ([silent("US", consent_email="")], "statutory", False),
    ],
)
def test_missing_column_is_not_an_empty_cell(rows: list, policy: str, code: bool) -> None:
    """R8 only under ``statutory``, in any own row."""
    assert (Code.CONSENT_COLUMN_MISSING in decide(*rows, policy=policy).codes) is code


def test_source_that_holds_requests_only_may_lack_the_column() -> None:
    """The column map may declare it; a kin row's column does not matter."""
    lists = {"l-0007": Declaration(requests_only=True)}
    policy = ruled("statutory", lists=lists)
    requests = silent("US", source="l-0007", consent_email=ABSENT)
    assert decide(silent("US"), requests, policy=policy).code is Code.OK_STATUTORY
    kin = silent("US", email="bob.ray+x@widgets.example", consent_email=ABSENT)
    assert decide(silent("US"), kin, policy="statutory").code is Code.OK_STATUTORY


@pytest.mark.parametrize(
    ("place", "screened", "codes", "channels"),
    [
        ("GB", "2026-10-26T12:00:01Z", (Code.OK_STATUTORY,), (PHONE,)),
        ("GB", "2026-10-26T12:00:00Z", (Code.CONSENT_MISSING, Code.SCREENING_STALE), ()),
        ("GB", "", (Code.CONSENT_MISSING, Code.SCREENING_STALE), ()),
        ("GB", "garbage", (Code.CONSENT_MISSING, Code.SCREENING_STALE), ()),
        ("GB", "2026-12-24", (Code.CONSENT_MISSING, Code.SCREENING_STALE), ()),
        ("US", "2026-10-23T12:00:01Z", (Code.OK_STATUTORY,), (EMAIL, PHONE)),
        ("US", "2026-10-23T12:00:00Z", (Code.OK_STATUTORY, Code.SCREENING_STALE), (EMAIL,)),
        ("US", "", (Code.OK_STATUTORY, Code.SCREENING_STALE), (EMAIL,)),
    ],
)
def test_screening_counts_for_28_or_31_days(
    place: str, screened: str, codes: tuple[Code, ...], channels: tuple[Channel, ...]
) -> None:
    """A clear but undated or old screening permits no call and is reported."""
    screening = {**CLEAR, "screened_at": screened}
    decision = decide(silent(place), policy="statutory", screening=screening)
    assert (decision.codes, decision.channels) == (codes, channels)


@pytest.mark.parametrize(
    ("cells", "crm", "screening"),
    [
        ({}, {"DoNotCall": True}, {}),
        ({"phone": ""}, {}, {}),
        ({}, {}, {"TPS": True}),
        ({"source": "partner"}, {}, {}),
    ],
)
def test_stale_screening_is_named_only_if_the_call_hangs_on_its_date(
    cells: dict[str, Cell], crm: dict[str, Cell], screening: dict[str, Cell]
) -> None:
    """Where something else forbids the call, its date does not matter."""
    old = {**CLEAR, "screened_at": "", **screening}
    changed = {"consent_source": "partner"} if "source" in cells else cells
    decision = decide(silent(**changed), policy="statutory", crm=crm, screening=old)
    assert Code.SCREENING_STALE not in decision.codes


@pytest.mark.parametrize(
    ("crm", "listed", "channels"),
    [
        ({"HasOptedOutOfEmail": True}, [], (PHONE,)),
        ({"DoNotCall": True}, [], (EMAIL,)),
        ({}, [entry(Feed.HARDBOUNCE)], (PHONE,)),
        ({}, [entry(Feed.CATEGORY, None, "Product news")], (PHONE,)),
        ({"HasOptedOutOfEmail": True, "DoNotCall": True}, [], ()),
    ],
)
def test_flags_take_a_statutory_channel(
    crm: dict[str, Cell], listed: list, channels: tuple[Channel, ...]
) -> None:
    """E-mail not refused and not bounced, phone without a flag; a bounce is only reported."""
    person = silent(**CORPORATE)
    decision = decide(person, policy="statutory", crm=crm, listed=listed, screening=CLEAR)
    assert decision.channels == channels


def test_bounce_without_a_telephone_suppresses() -> None:
    """A bounce leaves no basis where mail was the only one."""
    decision = decide(silent(**CORPORATE), policy="statutory", listed=[entry(Feed.HARDBOUNCE)])
    assert decision.code is Code.HARD_BOUNCE


@pytest.mark.parametrize(
    ("notice", "tracking", "codes"),
    [
        ("PN-2024-03", "", (Code.TRACKING_NOT_CONSENTED,)),
        ("PN-2024-03", "maybe", (Code.CONSENT_VALUE_AMBIGUOUS,)),
        ("PN-2025-04", "Yes", (Code.NOTICE_OUTDATED,)),
        ("PN-2022-01", "Yes", (Code.NOTICE_OUTDATED,)),
        ("PN-1999", "Yes", (Code.NOTICE_UNKNOWN,)),
        ("", "", (Code.NOTICE_UNKNOWN, Code.TRACKING_NOT_CONSENTED)),
    ],
)
def test_notice_and_tracking_are_judged_for_a_basis(
    notice: str, tracking: str, codes: tuple[Code, ...]
) -> None:
    """What rests on consent falls away; the notice must also name the interest and the right."""
    person = silent("ES", **CUSTOMER, notice_version=notice, tracking_consent=tracking)
    decision = decide(person, policy="statutory")
    assert decision.codes == codes
    held = decision.outcome is Outcome.HOLD
    assert decision.route is (Route.DIRECT if held else Route.NONE)


def test_statutory_call_that_lacks_notice_is_not_asked_by_mail() -> None:
    """Only an e-mail basis carries a mail."""
    person = silent(notice_version="")
    decision = decide(person, policy="statutory", screening=CLEAR)
    assert (decision.codes, decision.route) == ((Code.NOTICE_UNKNOWN,), Route.PASSIVE)


def test_best_informed_row_counts_for_a_basis() -> None:
    """Each own row is judged alone; a kin row informs nobody."""
    told, untold = silent("ES", **CUSTOMER), silent("ES", notice_version="")
    for rows in ((told, untold), (untold, told)):
        assert decide(*rows, policy="statutory").code is Code.OK_STATUTORY
    kin = silent("ES", email="ana.gil+x@ejemplo.example")
    lone = silent("ES", **CUSTOMER, notice_version="")
    assert decide(lone, kin, policy="statutory").code is Code.NOTICE_UNKNOWN
    split = silent("ES", **CUSTOMER, tracking_consent=""), silent("ES", notice_version="")
    assert decide(*split, policy="statutory").code is Code.TRACKING_NOT_CONSENTED


def test_notice_of_the_label_informs() -> None:
    """A registered label may name the notice of a row that said nothing."""
    person = silent(
        "US",
        notice_version="",
        form_id="q-0002",
        consent_ts="2026-03-10T09:30:00Z",
    )
    assert decide(person, policy="statutory").code is Code.OK_STATUTORY


@pytest.mark.parametrize(
    ("field", "when", "basis"),
    [
        ("last_purchase_ts", "2024-11-23T12:00:01Z", True),
        ("last_purchase_ts", "2024-11-23T12:00:00Z", False),
        ("last_purchase_ts", "2024-11-25", True),
        ("last_purchase_ts", "2024-11-24", False),
        ("last_purchase_ts", "2026-11-23T12:05:00Z", True),
        ("last_purchase_ts", "2026-11-23T12:05:01Z", False),
        ("last_inquiry_ts", "2026-05-23T12:00:01Z", True),
        ("last_inquiry_ts", "2026-05-23T12:00:00Z", False),
        ("last_inquiry_ts", "garbage", False),
    ],
)
def test_windows_are_half_open_and_start_at_their_earliest(
    field: str, when: str, basis: bool
) -> None:
    """Two years after a purchase, six months after an inquiry (CASL)."""
    decision = decide(silent("CA", **{field: when}), policy="statutory")
    assert (decision.code is Code.OK_STATUTORY) is basis


def test_request_without_a_channel_beside_a_basis() -> None:
    """A statutory basis is still looked at; nothing of the request is reported then."""
    asked = silent(**CORPORATE, request_form="q-0102", request_ts="2026-11-20T10:00:00Z", phone="")
    assert decide(asked, policy="statutory").codes == (Code.OK_STATUTORY,)
    lacking = silent(
        "ES", **CUSTOMER, notice_version="", request_form="q-0102", request_ts="2026-11-20"
    )
    decision = decide(lacking, policy="statutory")
    assert decision.codes == (Code.NO_PERMITTED_CHANNEL, Code.NOTICE_UNKNOWN)
    assert decision.route is Route.DIRECT
