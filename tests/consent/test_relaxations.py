"""What a signed policy may do without for a while, and what it may not (rule 2.5)."""

from datetime import datetime, timedelta

import pytest

from connector.consent.policy import Declaration, Relaxable, Relaxation
from connector.consent.reasons import Code
from connector.model import Cell, Channel
from tests.consent.people import (
    DAY,
    SECOND,
    T0,
    decide,
    policy_of,
    row,
    ruled,
)

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
RELAXED_UNTIL = datetime.fromisoformat("2027-03-31T00:00:00Z")


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
    (datetime.fromisoformat("2026-06-01T00:00:00Z"), "pn-2026-06"),
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


def test_known_notice_is_not_replaced_by_the_one_in_force() -> None:
    """Only an unknown notice is looked up; a registered one of the row stands."""
    outdated = ((datetime.fromisoformat("2018-05-25T00:00:00Z"), "pn-2018-05"),)
    lists = {"l-0001": Declaration(frozenset({"sales_contact"}), notices=outdated)}
    both = (*NOTICE_RELAXED, Relaxation(Relaxable.EVIDENCE_ID, "r", "n", T0 + DAY))
    policy = ruled("consent_only", relaxations=both, lists=lists)
    decision = decide(row(evidence_ref=""), policy=policy)
    assert decision.codes == (Code.OK_RELAXED, Code.CONSENT_UNPROVEN)
