"""Which channels a yes keeps: no against yes, flags, bounces, numbers (rule 1.4)."""

import pytest

from connector.consent.evidence import CrmFlags
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Row
from tests.consent.people import decide, entry, row, silent

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
BOTH = {"consent_email": "Yes", "consent_phone": "Yes"}
LATER = "2026-03-10T09:30:01Z"


def no(ts: Cell = LATER, said: Cell = "No", channel: str = "consent_email", **more: Cell) -> Row:
    """Returns a row in which the person says no to one channel."""
    return silent(**{channel: said, "consent_ts": ts, **more})


@pytest.mark.parametrize(
    ("phone", "usable"),
    [("1234567", True), ("123456", False), ("+44 (0) 2079", True), ("", False), ("none", False)],
)
def test_number_needs_seven_digits(phone: str, usable: bool) -> None:
    """A yes to calls needs a number that can be called."""
    calls = row(consent_email="", consent_phone="Yes", phone=phone)
    decision = decide(calls)
    expected = (Code.OK_CONSENT,) if usable else (Code.NO_PERMITTED_CHANNEL,)
    assert decision.codes == expected
    assert decision.channels == ((PHONE,) if usable else ())


@pytest.mark.parametrize(
    ("place", "verified", "method", "channels"),
    [
        ("DE", "2026-03-11T08:00:00Z", "button", (EMAIL, PHONE)),
        ("DE", "2020-01-01", "button", (EMAIL, PHONE)),
        ("DE", "", "button", (EMAIL,)),
        ("DE", "2026-12-24", "button", (EMAIL,)),
        ("DE", "garbage", "button", (EMAIL,)),
        ("AT", "", "button", (EMAIL,)),
        ("DE", "", "signature", (EMAIL, PHONE)),
        ("AT", "", "verbal_recorded", (EMAIL, PHONE)),
        ("GB", "", "button", (EMAIL, PHONE)),
        ("FR", "", "button", (EMAIL, PHONE)),
    ],
)
def test_phone_proof_where_the_profile_asks(
    place: str, verified: str, method: str, channels: tuple[Channel, ...]
) -> None:
    """A confirmed e-mail proves nothing about a telephone (BGH I ZR 164/09, UWG 7a)."""
    both = row(place, consent_phone="Yes", phone_verified_ts=verified, consent_method=method)
    decision = decide(both)
    assert decision.channels == channels
    assert (Code.PHONE_PROOF_INSUFFICIENT in decision.also) is (PHONE not in channels)


@pytest.mark.parametrize(
    ("cells", "crm", "listed", "codes", "channels"),
    [
        (BOTH, {"HasOptedOutOfEmail": "yes"}, [], (Code.OK_CONSENT, Code.CRM_EMAIL_OFF), (PHONE,)),
        (BOTH, {"DoNotCall": 1}, [], (Code.OK_CONSENT, Code.CRM_PHONE_OFF), (EMAIL,)),
        (BOTH, {}, [entry(Feed.HARDBOUNCE)], (Code.OK_CONSENT, Code.HARD_BOUNCE), (PHONE,)),
        (
            BOTH,
            {},
            [entry(Feed.CATEGORY, category="Product news")],
            (Code.OK_CONSENT, Code.CATEGORY_EMAIL_OFF),
            (PHONE,),
        ),
        ({}, {"DoNotCall": True}, [], (Code.OK_CONSENT, Code.CRM_PHONE_OFF), (EMAIL,)),
        ({}, {"HasOptedOutOfEmail": "maybe"}, [], (Code.CRM_OPTED_OUT, Code.CRM_EMAIL_OFF), ()),
        (
            {"consent_email": "", "consent_phone": "Yes"},
            {"DoNotCall": True},
            [],
            (Code.CRM_OPTED_OUT, Code.CRM_PHONE_OFF),
            (),
        ),
        ({}, {}, [entry(Feed.HARDBOUNCE)], (Code.HARD_BOUNCE,), ()),
        (
            {},
            {},
            [entry(Feed.CATEGORY, category="Product news")],
            (Code.CATEGORY_OPTED_OUT, Code.CATEGORY_EMAIL_OFF),
            (),
        ),
        (
            {},
            {"HasOptedOutOfEmail": True},
            [entry(Feed.HARDBOUNCE), entry(Feed.CATEGORY, category=" PRODUCT news")],
            (
                Code.CATEGORY_OPTED_OUT,
                Code.CRM_OPTED_OUT,
                Code.HARD_BOUNCE,
                Code.CRM_EMAIL_OFF,
                Code.CATEGORY_EMAIL_OFF,
            ),
            (),
        ),
        (
            BOTH,
            {"HasOptedOutOfEmail": True, "DoNotCall": True},
            [],
            (Code.CRM_OPTED_OUT, Code.CRM_EMAIL_OFF, Code.CRM_PHONE_OFF),
            (),
        ),
        (
            {"consent_email": "", "consent_phone": "Yes", "phone": "12"},
            {"DoNotCall": True},
            [],
            (Code.NO_PERMITTED_CHANNEL, Code.CRM_PHONE_OFF),
            (),
        ),
        (
            {"consent_email": "", "consent_phone": "Yes"},
            {"HasOptedOutOfEmail": True},
            [],
            (Code.OK_CONSENT, Code.CRM_EMAIL_OFF),
            (PHONE,),
        ),
        ({}, {}, [entry(Feed.CATEGORY, category="Newsletter")], (Code.OK_CONSENT,), (EMAIL,)),
        ({}, {"Unsubscribed": False}, [], (Code.OK_CONSENT,), (EMAIL,)),
    ],
)
def test_what_takes_a_channel(
    cells: dict[str, Cell],
    crm: dict[str, Cell],
    listed: list,
    codes: tuple[Code, ...],
    channels: tuple[Channel, ...],
) -> None:
    """Flags, categories and bounces take a channel; they suppress where it was the last."""
    decision = decide(row(**cells), crm=crm, listed=listed)
    assert decision.codes == codes
    assert decision.channels == channels


def test_withdrawn_channel_that_the_crm_took_as_well() -> None:
    """A withdrawal stands alone: what else took the channel is not its reason."""
    decision = decide(row(), no(), crm={"HasOptedOutOfEmail": True})
    assert decision.codes == (Code.CONSENT_WITHDRAWN, Code.CRM_EMAIL_OFF)
    calls = row(consent_email="", consent_phone="Yes")
    decision = decide(calls, no(channel="consent_phone"), crm={"DoNotCall": True})
    assert decision.codes == (Code.CONSENT_WITHDRAWN, Code.CRM_PHONE_OFF)


@pytest.mark.parametrize("flag", ["HasOptedOutOfEmail", "DoNotCall", "HasOptedOutTracking"])
def test_flag_that_we_set_ourselves_is_no_evidence(flag: str) -> None:
    """A flag in ``set_by_gate`` is read as not set, whichever it is."""
    ours = CrmFlags({flag: True}, frozenset({flag}))
    assert decide(row(**BOTH), crm=ours).codes == (Code.OK_CONSENT,)


@pytest.mark.parametrize("flag", ["ShouldForget", "HasOptedOutSolicit", "HasOptedOutProfiling"])
def test_objection_flag_that_we_set_is_none(flag: str) -> None:
    """It would come back through a sync as if the person had said it."""
    ours = CrmFlags({flag: True}, frozenset({flag}))
    assert decide(row(), crm=ours).codes == (Code.OK_CONSENT,)
    assert decide(row(), crm={flag: True}).outcome is Outcome.SUPPRESS


def test_only_a_category_opt_out_has_a_category() -> None:
    """A bounce that names a category is a bounce."""
    decision = decide(row(), listed=[entry(Feed.HARDBOUNCE, None, "Product news")])
    assert decision.codes == (Code.HARD_BOUNCE,)
