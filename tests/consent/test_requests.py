"""Contact that the person asked for: a ground of its own, for that request only (rule 2.7)."""

from datetime import datetime, timedelta

import pytest

from connector.consent.evidence import Asking, History
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Route
from tests.consent.people import (
    ABSENT,
    SECOND,
    at,
    decide,
    entry,
    request,
    row,
    silent,
)

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
ASKED_AT = "2026-11-20T10:00:00Z"
ENDS = datetime.fromisoformat("2026-12-20T10:00:00Z")
BEFORE, LATER = "2026-11-20T09:59:59Z", "2026-11-20T10:00:01Z"


def test_request_is_answered_without_consent() -> None:
    """Both channels of the form; what stands against marketing is reported."""
    decision = decide(request())
    assert decision.codes == (Code.OK_REQUESTED, Code.CONSENT_MISSING)
    assert decision.channels == (EMAIL, PHONE)
    assert decision.requested
    assert decision.look_again_at == ENDS
    ground = decision.grounds[0]
    assert (ground.source, ground.method, ground.notice, ground.until) == (
        "q-0101",
        "demo",
        "",
        ENDS,
    )
    assert ground.cell("request_form") == "q-0101"


@pytest.mark.parametrize(
    ("changes", "channels"),
    [
        ({}, (EMAIL, PHONE)),
        ({"request_form": " Q-0101 "}, (EMAIL, PHONE)),
        ({"request_form": "q-0102"}, (PHONE,)),
        ({"request_form": "q-0103"}, (EMAIL,)),
        ({"request_channels": "email"}, (EMAIL,)),
        ({"request_channels": "Phone"}, (PHONE,)),
        ({"request_channels": "phone + email"}, (EMAIL, PHONE)),
        ({"request_channels": "n/a"}, (EMAIL, PHONE)),
        ({"request_channels": "phone", "request_form": "q-0103"}, (PHONE,)),
        ({"phone": "123456"}, (EMAIL,)),
        ({"phone": "1234567"}, (EMAIL, PHONE)),
        ({"request_ts": "2026-11-23T12:05:00Z"}, (EMAIL, PHONE)),
        ({"consent_email": "No", "consent_phone": "No"}, (EMAIL, PHONE)),
        ({"consent_email": "maybe"}, (EMAIL, PHONE)),
        ({"tracking_consent": "maybe"}, (EMAIL, PHONE)),
        ({"country": "Atlantis"}, (EMAIL, PHONE)),
        ({"notice_version": ""}, (EMAIL, PHONE)),
        ({"consent_source": "partner"}, (EMAIL, PHONE)),
        ({"controller": "Other Ltd"}, (EMAIL, PHONE)),
        ({"email": "info@contoso.example"}, (EMAIL, PHONE)),
        ({"optout_ts": BEFORE}, (EMAIL, PHONE)),
    ],
)
def test_channels_of_a_request(changes: dict[str, Cell], channels: tuple[Channel, ...]) -> None:
    """Those of the row, else those of the form; nothing about marketing stands in its way."""
    decision = decide(request(**changes))
    assert decision.code is Code.OK_REQUESTED
    assert decision.channels == channels


@pytest.mark.parametrize("place", ["DE", "AT"])
def test_request_needs_no_proof_of_the_number(place: str) -> None:
    """No phone proof, no double opt-in, no screening."""
    assert decide(request(place)).channels == (EMAIL, PHONE)


@pytest.mark.parametrize(
    "changes",
    [
        {"request_form": ""},
        {"request_form": "q-9999"},
        {"request_ts": ""},
        {"request_ts": "garbage"},
        {"request_ts": "2026-11-23T12:05:01Z"},
        {"request_ts": "2026-10-24T12:00:00Z"},
        {"request_ts": "2026-10-25"},
        {"request_channels": "fax"},
        {"request_channels": "email+fax"},
        {"request_channels": "email+"},
        {"request_channels": "email,phone"},
        {"request_channels": "post"},
        {"optout_ts": ASKED_AT},
        {"optout_ts": LATER},
        {"optout_ts": "garbage"},
        {"request_ts": "2026-11-20", "optout_ts": "2026-11-19"},
    ],
)
def test_request_that_is_not_current_is_ignored(changes: dict[str, Cell]) -> None:
    """No registered form, no readable past date in its window, unknown words, an opt-out since."""
    decision = decide(request(**changes))
    assert decision.outcome in {Outcome.HOLD, Outcome.SUPPRESS}
    assert not decision.requested
    assert Code.NO_PERMITTED_CHANNEL not in decision.codes


@pytest.mark.parametrize(("form", "days"), [("q-0101", 30), ("q-0102", 7), ("q-0103", 60)])
def test_window_is_half_open(form: str, days: int) -> None:
    """On its end instant it is closed."""
    end = at(ASKED_AT).earliest + timedelta(days=days)
    asked = request(request_form=form)
    open_ = decide(asked, now=end - SECOND)
    assert (open_.code, open_.look_again_at) == (Code.OK_REQUESTED, end)
    assert decide(asked, now=end).code is Code.CONSENT_MISSING


def test_kin_rows_do_not_ask_but_their_opt_outs_count() -> None:
    """A request is narrow, an opt-out is broad."""
    spelled = "ann.lee+x@contoso.example"
    assert decide(silent(), request(email=spelled)).outcome is Outcome.HOLD
    late = silent(email=spelled, optout_ts=LATER)
    assert decide(request(), late).outcome is Outcome.SUPPRESS
    early = silent(email=spelled, optout_ts=BEFORE)
    assert decide(request(), early).code is Code.OK_REQUESTED


@pytest.mark.parametrize(
    ("crm", "listed", "channels"),
    [
        ({"HasOptedOutOfEmail": True}, [], (PHONE,)),
        ({"DoNotCall": True}, [], (EMAIL,)),
        ({}, [entry(Feed.HARDBOUNCE)], (PHONE,)),
        ({}, [entry(Feed.CATEGORY, LATER, "Product news")], (EMAIL, PHONE)),
        ({}, [entry(Feed.CATEGORY, LATER, "Sales contact")], (EMAIL, PHONE)),
        ({}, [entry(Feed.CATEGORY, BEFORE, "Sales contact")], (EMAIL, PHONE)),
        ({}, [entry(Feed.CATEGORY, LATER, "Webinars")], (EMAIL, PHONE)),
        ({"HasOptedOutTracking": True}, [], (EMAIL, PHONE)),
    ],
)
def test_what_takes_a_channel_of_an_answer(
    crm: dict[str, Cell], listed: list, channels: tuple[Channel, ...]
) -> None:
    """A flag or a bounce does; a category opt-out, even of an unmapped one, does not."""
    decision = decide(request(), crm=crm, listed=listed)
    assert (decision.code, decision.channels) == (Code.OK_REQUESTED, channels)


def test_refusal_of_the_question_does_not_block_an_answer() -> None:
    """DECLINED and invitations are about marketing; invitations are not even reported."""
    no = decide(request(), history=History(asking=Asking("DECLINED", 2)))
    assert no.codes == (
        Code.OK_REQUESTED,
        Code.CONSENT_REFUSED,
        Code.CONSENT_MISSING,
    )
    lapsed = decide(request(), history=History(asking=Asking("LAPSED", 2)))
    assert lapsed.codes == (Code.OK_REQUESTED, Code.CONSENT_MISSING)


@pytest.mark.parametrize(("place", "route"), [("GB", Route.PASSIVE), ("US", Route.DIRECT)])
def test_request_without_a_usable_channel(place: str, route: Route) -> None:
    """No push; NO_PERMITTED_CHANNEL is the reason of the hold."""
    decision = decide(request(place, request_channels="phone", phone=""))
    assert decision.codes == (Code.NO_PERMITTED_CHANNEL, Code.CONSENT_MISSING)
    assert decision.route is route
    assert not decision.requested


def test_request_without_a_channel_after_the_asking_has_ended() -> None:
    """REPERM_EXHAUSTED stays first among the reasons to hold."""
    nothing = request(request_channels="phone", phone="")
    decision = decide(nothing, history=History(asking=Asking("LAPSED")))
    assert decision.codes == (
        Code.REPERM_EXHAUSTED,
        Code.CONSENT_MISSING,
        Code.NO_PERMITTED_CHANNEL,
    )
    assert decision.route is Route.NONE


def test_request_adds_its_channel_to_a_push_by_consent() -> None:
    """The proof of each channel is named, and consent comes first."""
    both = row(request_form="q-0102", request_ts=ASKED_AT)
    decision = decide(both)
    assert decision.codes == (Code.OK_CONSENT, Code.OK_REQUESTED)
    assert decision.channels == (EMAIL, PHONE)
    assert [(g.code, g.channels) for g in decision.grounds] == [
        (Code.OK_CONSENT, (EMAIL,)),
        (Code.OK_REQUESTED, (PHONE,)),
    ]
    assert decision.requested
    assert decision.look_again_at == at("2026-11-27T10:00:00Z").earliest


@pytest.mark.parametrize("form", ["q-0103", "q-0102"])
def test_request_that_adds_nothing_is_not_reported(form: str) -> None:
    """Its channel is given by consent already, or is off: nothing is added to the push."""
    phone = {"phone": ""} if form == "q-0102" else {}
    decision = decide(row(request_form=form, request_ts=ASKED_AT, **phone))
    assert decision.codes == (Code.OK_CONSENT,)
    assert decision.channels == (EMAIL,)
    assert decision.requested is (form == "q-0103")


def test_request_adds_to_a_relaxed_push() -> None:
    """Beside OK_RELAXED as well."""
    both = row(evidence_ref="", request_form="q-0102", request_ts=ASKED_AT)
    decision = decide(both, policy="starter")
    assert decision.code is Code.OK_RELAXED
    assert decision.channels == (EMAIL, PHONE)
    assert Code.OK_REQUESTED in decision.also


def test_several_requests_add_up() -> None:
    """Each answers by its own channel; grounds are named by the end of their windows."""
    mail, call = request(request_form="q-0103"), request(request_form="q-0102")
    for rows in ((mail, call), (call, mail)):
        decision = decide(*rows)
        assert decision.channels == (EMAIL, PHONE)
        assert [g.source for g in decision.grounds] == ["q-0102", "q-0103"]
        assert decision.look_again_at == at("2026-11-27T10:00:00Z").earliest


def test_second_request_that_gives_no_new_channel_beside_consent() -> None:
    """Only requests that carry an added channel are grounds."""
    mail = request(request_form="q-0103")
    call = request(request_form="q-0102")
    decision = decide(row(), mail, call)
    assert [g.source for g in decision.grounds if g.code is Code.OK_REQUESTED] == ["q-0102"]


def test_review_of_marketing_does_not_stop_an_answer() -> None:
    """A missing column, an unclear word or a role address concern marketing."""
    asked = request(consent_email=ABSENT, email="info@contoso.example")
    decision = decide(asked, policy="statutory")
    assert decision.code is Code.OK_REQUESTED
    assert set(decision.also) == {
        Code.ROLE_ADDRESS,
        Code.CONSENT_COLUMN_MISSING,
        Code.CONSENT_MISSING,
    }
