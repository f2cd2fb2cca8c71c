"""Contact that the law allows without consent, and relaxations of proof (rule 2.5)."""

from datetime import datetime, timedelta

import pytest

from connector.consent.evidence import Asking, History
from connector.consent.policy import Declaration, Relaxable, Relaxation
from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Route
from tests.consent.people import (
    ABSENT,
    DAY,
    SECOND,
    T0,
    at,
    decide,
    entry,
    policy_of,
    row,
    ruled,
    silent,
)

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
CORPORATE = {"subscriber_type": "corporate"}
CUSTOMER = {"basis": "Soft_Opt_In", "last_purchase_ts": "2026-01-01T00:00:00Z"}
CLEAR = {"TPS": False, "CTPS": "no", "DNC": 0, "screened_at": "2026-11-20T00:00:00Z"}
RELAXED_UNTIL = datetime.fromisoformat("2027-03-31T00:00:00Z")


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


@pytest.mark.parametrize(
    ("gap", "relaxed"),
    [
        ({"evidence_ref": ""}, Code.CONSENT_UNPROVEN),
        ({"consent_source": ""}, Code.CONSENT_UNPROVEN),
        ({"consent_source": "somewhere"}, Code.CONSENT_UNPROVEN),
        ({"consent_method": "", "evidence_ref": ""}, Code.CONSENT_UNPROVEN),
    ],
)
def test_relaxed_gap_is_pushed_and_reported(gap: dict[str, Cell], relaxed: Code) -> None:
    """P2: the signed policy answers for the gap; the proof says so."""
    decision = decide(row(**gap), policy="starter")
    assert decision.codes == (Code.OK_RELAXED, relaxed)
    assert decision.grounds[0].code is Code.OK_RELAXED
    assert decide(row(**gap)).codes == (relaxed,)


@pytest.mark.parametrize(
    ("gap", "codes"),
    [
        ({"consent_ts": ""}, (Code.CONSENT_UNPROVEN,)),
        ({"consent_ts": "", "evidence_ref": ""}, (Code.CONSENT_UNPROVEN,)),
        ({"notice_version": ""}, (Code.NOTICE_UNKNOWN,)),
        ({"evidence_ref": "", "notice_version": ""}, (Code.CONSENT_UNPROVEN, Code.NOTICE_UNKNOWN)),
        (
            {"consent_source": "partner", "evidence_ref": ""},
            (Code.CONSENT_THIRD_PARTY, Code.CONSENT_UNPROVEN),
        ),
        ({"consent_method": "pre_ticked"}, (Code.CONSENT_NOT_AFFIRMATIVE,)),
        ({"form_id": "q-0005"}, (Code.PURPOSE_NOT_COVERED,)),
        ({"tracking_consent": ""}, (Code.TRACKING_NOT_CONSENTED,)),
        ({"controller": "Other Ltd"}, (Code.CONTROLLER_MISMATCH,)),
        (
            {"evidence_ref": "", "phone": "", "consent_email": "", "consent_phone": "Yes"},
            (Code.CONSENT_UNPROVEN, Code.NO_PERMITTED_CHANNEL),
        ),
    ],
)
def test_what_cannot_be_relaxed_stands(gap: dict[str, Cell], codes: tuple[Code, ...]) -> None:
    """Where the relaxed decision is no push, the first one stands, codes and route included."""
    decision = decide(row(**gap), policy="starter")
    assert decision.codes == codes
    assert decision == decide(row(**gap), policy=ruled("starter", relaxations=()))


def test_expiry_may_be_relaxed() -> None:
    """CONSENT_EXPIRED falls away while the relaxation lasts."""
    old = row(consent_ts="2024-03-05T00:00:00Z")
    decision = decide(old, policy="starter")
    assert decision.codes == (Code.OK_RELAXED, Code.CONSENT_EXPIRED, Code.RENEWAL_DUE)
    assert decide(old, policy="consent_only_uk").code is Code.CONSENT_EXPIRED


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (RELAXED_UNTIL - SECOND, Code.OK_RELAXED),
        (RELAXED_UNTIL, Code.CONSENT_UNPROVEN),
    ],
)
def test_relaxation_ends_on_its_instant(now: datetime, code: Code) -> None:
    """Half-open; the decision says when to look again."""
    decision = decide(row(evidence_ref=""), policy="starter", now=now)
    assert decision.code is code
    if code is Code.OK_RELAXED:
        assert decision.look_again_at == RELAXED_UNTIL


def test_relaxation_prefers_the_row_that_it_makes_valid() -> None:
    """All rows are judged once more; one without a gap needs no relaxation."""
    gap, late = row(evidence_ref=""), row(notice_version="PN-2018-05")
    assert decide(gap, late, policy="starter").code is Code.OK_RELAXED
    assert decide(gap, row(), policy="starter").code is Code.OK_CONSENT


def test_one_relaxed_and_one_unrelaxed_gap() -> None:
    """All that is missing must be relaxed."""
    only = (Relaxation(Relaxable.EVIDENCE_ID, "r", "n", T0 + DAY),)
    policy = ruled("consent_only", relaxations=only)
    assert decide(row(evidence_ref=""), policy=policy).code is Code.OK_RELAXED
    both = row(evidence_ref="", consent_method="")
    assert decide(both, policy=policy).code is Code.CONSENT_UNPROVEN


NOTICE_RELAXED = (Relaxation(Relaxable.NOTICE, "r", "n", T0 + timedelta(days=90)),)
BY_DATE = (
    (datetime.fromisoformat("2022-01-10T00:00:00Z"), "pn-2022-01"),
    (datetime.fromisoformat("2024-03-01T00:00:00Z"), "pn-2024-03"),
)
MAP = {"l-0001": Declaration(frozenset({"sales_contact"}), notices=BY_DATE)}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, (Code.OK_RELAXED, Code.NOTICE_UNKNOWN)),
        ({"consent_ts": "2024-03-01T00:00:00Z"}, None),
        ({"consent_ts": "2024-02-29T23:59:59Z"}, (Code.NOTICE_UNKNOWN,)),
        ({"consent_ts": "2022-01-09T23:59:59Z"}, (Code.NOTICE_UNKNOWN,)),
        ({"consent_ts": "garbage"}, (Code.TIMESTAMP_INVALID, Code.NOTICE_UNKNOWN)),
        ({"consent_ts": ""}, (Code.CONSENT_UNPROVEN, Code.NOTICE_UNKNOWN)),
    ],
)
def test_notice_in_force_by_the_column_map(
    changes: dict[str, Cell], codes: tuple[Code, ...] | None
) -> None:
    """NOTICE_UNKNOWN falls away only if the map names the notice, which is then judged."""
    policy = ruled("consent_only", relaxations=NOTICE_RELAXED, lists=MAP)
    now = datetime.fromisoformat("2026-01-05T00:00:00Z") if changes else T0
    decision = decide(row(notice_version="", **changes), policy=policy, now=now)
    if codes is None:
        assert decision.code is Code.OK_RELAXED
    else:
        expired = {Code.CONSENT_EXPIRED, Code.RENEWAL_DUE}
        assert tuple(c for c in decision.codes if c not in expired) == codes


def test_notice_in_force_is_judged() -> None:
    """One that did not disclose, or took effect later, is no help."""
    late = ((datetime.fromisoformat("2025-01-01T00:00:00Z"), "pn-2026-06"),)
    lists = {"l-0001": Declaration(frozenset({"sales_contact"}), notices=late)}
    policy = ruled("consent_only", relaxations=NOTICE_RELAXED, lists=lists)
    assert decide(row(notice_version=""), policy=policy).codes == (Code.NOTICE_UNKNOWN,)


def test_notice_that_a_label_names_but_nobody_registered() -> None:
    """The label's notice is used before the map's; unregistered, it does not help."""
    base = policy_of("consent_only")
    captures = {
        form: tuple(c for c in found if c.until is None) for form, found in base.captures.items()
    }
    notices = {k: v for k, v in base.notices.items() if k != "pn-2024-03"}
    policy = ruled(relaxations=NOTICE_RELAXED, lists=MAP, captures=captures, notices=notices)
    labelled = row(notice_version="", form_id="q-0002")
    assert decide(labelled, policy=policy).code is Code.NOTICE_UNKNOWN
    unknown = row(notice_version="PN-1999", form_id="q-0002", consent_phone="No")
    relaxed = ruled(relaxations=NOTICE_RELAXED)
    assert decide(unknown, policy=relaxed).codes == (Code.OK_RELAXED, Code.NOTICE_UNKNOWN)
    assert decide(unknown).codes == (Code.NOTICE_UNKNOWN,)
