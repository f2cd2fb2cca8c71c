"""A yes against a no, a box left unticked, an opt-out on record (rule 1.4)."""

import pytest

from connector.consent.evidence import History
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Row
from tests.consent.people import T0, decide, entry, row, silent

EMAIL, PHONE = Channel.EMAIL, Channel.PHONE
BOTH = {"consent_email": "Yes", "consent_phone": "Yes"}
BEFORE, SAME, LATER = "2026-03-10T09:29:59Z", "2026-03-10T09:30:00Z", "2026-03-10T09:30:01Z"


def no(ts: Cell = LATER, said: Cell = "No", channel: str = "consent_email", **more: Cell) -> Row:
    """Returns a row in which the person says no to one channel."""
    return silent(**{channel: said, "consent_ts": ts, **more})


@pytest.mark.parametrize(
    ("ts", "said", "code"),
    [
        (LATER, "No", Code.CONSENT_WITHDRAWN),
        (LATER, "unsubscribed", Code.CONSENT_WITHDRAWN),
        (SAME, "No", Code.CONSENT_CONFLICT),
        ("2026-03-10", "withdrawn", Code.CONSENT_CONFLICT),
        ("", "No", Code.CONSENT_CONFLICT),
        ("garbage", "No", Code.CONSENT_CONFLICT),
        (BEFORE, "No", Code.OK_CONSENT),
        (BEFORE, "withdrawn", Code.OK_CONSENT),
    ],
)
def test_latest_word_wins_only_if_the_order_is_certain(ts: str, said: str, code: Code) -> None:
    """Later no: withdrawn; tied or undatable: a human; earlier no: the proven yes stands."""
    decision = decide(row(), no(ts, said))
    assert decision.codes == (code,)


@pytest.mark.parametrize(
    ("said", "code"),
    [("No", Code.CONSENT_REFUSED), ("withdrawn", Code.CONSENT_WITHDRAWN)],
)
@pytest.mark.parametrize(
    "gap",
    [
        {"evidence_ref": ""},
        {"consent_method": "pre_ticked"},
        {"consent_source": "partner"},
        {"controller": "Other Ltd"},
        {"form_id": "q-0005"},
    ],
)
def test_unproven_yes_does_not_stand_against_an_older_no(
    gap: dict[str, Cell], said: str, code: Code
) -> None:
    """It must be proven, affirmative, to us, first-hand and for Sales; else the no stands."""
    decision = decide(row(**gap), no(BEFORE, said))
    assert decision.code is code
    assert decision.outcome is Outcome.SUPPRESS
    assert decide(row(**gap)).outcome is Outcome.HOLD


def test_relaxation_does_not_help_a_yes_against_a_no() -> None:
    """The policy may do without evidence, but not where the person once said no."""
    gap = row(evidence_ref="")
    assert decide(gap, policy="starter").code is Code.OK_RELAXED
    assert decide(gap, no(BEFORE), policy="starter").code is Code.CONSENT_REFUSED


def test_no_in_a_kin_row_or_another_list_counts() -> None:
    """Every no counts, whatever its list, label or spelling of the address."""
    kin = no(email="ann.lee+x@contoso.example", form_id="q-0005")
    assert decide(row(), kin._replace(source="l-0042")).code is Code.CONSENT_WITHDRAWN


def test_no_in_the_judged_row_is_a_choice_of_channels() -> None:
    """Yes to mail and no to calls is no contradiction, and an act for calls."""
    decision = decide(row(consent_phone="No"))
    assert decision.codes == (Code.OK_CONSENT,)
    assert (decision.channels, decision.refused) == ((EMAIL,), (PHONE,))


@pytest.mark.parametrize("channel", [EMAIL, PHONE])
def test_no_to_one_channel_leaves_the_other(channel: Channel) -> None:
    """A no counts for the channel of its column only; it is reported beside the push."""
    decision = decide(row(**BOTH), no(channel=f"consent_{channel}"))
    assert decision.codes == (Code.OK_CONSENT, Code.CONSENT_WITHDRAWN)
    assert decision.channels == ((PHONE,) if channel is EMAIL else (EMAIL,))
    assert decision.refused == (channel,)


@pytest.mark.parametrize("channel", [EMAIL, PHONE])
def test_conflict_on_one_channel_is_reported_beside_the_other(channel: Channel) -> None:
    """Not permitted, but no reason to stop the other channel."""
    decision = decide(row(**BOTH), no(SAME, channel=f"consent_{channel}"))
    assert decision.codes == (Code.OK_CONSENT, Code.CONSENT_CONFLICT)
    assert channel not in decision.channels


def test_conflict_wins_over_a_withdrawal_where_nothing_is_left() -> None:
    """One channel is merely in conflict: a human decides."""
    decision = decide(row(**BOTH), no(LATER), no(SAME, channel="consent_phone"))
    assert decision.code is Code.CONSENT_CONFLICT
    assert set(decision.codes) == {Code.CONSENT_CONFLICT, Code.CONSENT_WITHDRAWN}


@pytest.mark.parametrize(
    ("rows", "crm", "code"),
    [
        ((no(SAME),), {"HasOptedOutOfEmail": True}, Code.CRM_OPTED_OUT),
        ((no(SAME, channel="consent_phone"),), {}, Code.OK_CONSENT),
    ],
)
def test_conflict_on_a_channel_that_is_off_anyway(
    rows: tuple[Row, ...], crm: dict[str, Cell], code: Code
) -> None:
    """What the CRM took is not a matter of order any more."""
    assert decide(row(), *rows, crm=crm).code is code


@pytest.mark.parametrize(
    ("phone", "more", "code"),
    [
        ("+442079460000", {}, Code.CONSENT_CONFLICT),
        ("123456", {}, Code.NO_PERMITTED_CHANNEL),
        ("", {}, Code.NO_PERMITTED_CHANNEL),
        ("+442079460000", {"DoNotCall": True}, Code.CRM_OPTED_OUT),
    ],
)
def test_conflict_about_calls(phone: str, more: dict[str, Cell], code: Code) -> None:
    """A conflict is one only where the number could be called but for it."""
    calls = row(consent_email="", consent_phone="Yes", phone=phone)
    decision = decide(calls, no(SAME, channel="consent_phone"), crm=more)
    assert decision.code is code


def test_conflict_about_calls_without_phone_proof() -> None:
    """Where proof is missing too, the channel is merely absent."""
    calls = row("DE", consent_email="", consent_phone="Yes")
    other = silent("DE", consent_phone="No", consent_ts=SAME)
    decision = decide(calls, other)
    assert decision.code is Code.NO_PERMITTED_CHANNEL
    assert set(decision.also) == {Code.CONSENT_CONFLICT, Code.PHONE_PROOF_INSUFFICIENT}
    proven = calls._replace(cells={**calls.cells, "phone_verified_ts": "2026-03-11T08:00:00Z"})
    assert decide(proven, other).code is Code.CONSENT_CONFLICT


@pytest.mark.parametrize(
    ("earlier", "unticked", "code"),
    [
        (SAME, LATER, Code.CONSENT_WITHDRAWN),
        (SAME, SAME, Code.OK_CONSENT),
        (SAME, BEFORE, Code.OK_CONSENT),
        (SAME, "", Code.OK_CONSENT),
        (SAME, "2026-03-10", Code.OK_CONSENT),
        (SAME, "2026-03-12", Code.CONSENT_WITHDRAWN),
    ],
)
def test_unticked_box_after_a_known_yes_is_a_withdrawal(
    earlier: str, unticked: str, code: Code
) -> None:
    """Only if provably later; otherwise a box left unticked is no statement."""
    decision = decide(row(consent_ts=earlier), no(unticked, False))
    assert decision.codes == (code,)


def test_unticked_box_withdraws_its_own_channel_only() -> None:
    """A yes to mail is not withdrawn by a box about calls."""
    assert decide(row(), no(LATER, False, "consent_phone")).codes == (Code.OK_CONSENT,)
    decision = decide(row(**BOTH), no(LATER, "off", "consent_phone"))
    assert decision.codes == (Code.OK_CONSENT, Code.CONSENT_WITHDRAWN)
    assert (decision.channels, decision.refused) == ((EMAIL,), (PHONE,))


def test_yes_of_a_kin_row_makes_no_withdrawal_of_an_own_box() -> None:
    """The known yes must be the same person's; a kin row's own pair counts against us."""
    kin_yes = row(email="ann.lee+x@contoso.example")
    own_box = no(LATER, False)
    assert decide(own_box, kin_yes).codes == (Code.CONSENT_MISSING,)
    kin_box = no(LATER, False, email="ann.lee+x@contoso.example")
    assert decide(row(), kin_box).codes == (Code.OK_CONSENT,)
    assert decide(row(), kin_yes, kin_box).code is Code.CONSENT_WITHDRAWN


@pytest.mark.parametrize(
    ("seen", "ts", "withdrawn"),
    [
        ({EMAIL: None}, "", True),
        ({EMAIL: None}, "2020-01-01", True),
        ({EMAIL: T0}, "2026-11-23T12:00:00Z", True),
        ({EMAIL: T0}, "2026-11-23T11:59:59Z", False),
        ({EMAIL: T0}, "", True),
        ({EMAIL: T0}, "garbage", True),
        ({EMAIL: T0}, "2026-11-22", True),
        ({EMAIL: T0}, "2026-11-21", False),
        ({PHONE: None}, "", False),
        ({}, "", False),
    ],
)
def test_ledger_remembers_a_yes(seen: dict[Channel, None], ts: str, withdrawn: bool) -> None:
    """A box unticked after a yes that we saw is a withdrawal; dated before it, it is none."""
    decision = decide(no(ts, False), history=History(seen_yes=seen))
    assert (Code.CONSENT_WITHDRAWN in decision.codes) is withdrawn
    assert decision.refused == ((EMAIL,) if withdrawn else ())


def test_remembered_yes_is_of_this_person_only() -> None:
    """A kin row's unticked box says nothing about it."""
    kin = no("", False, email="ann.lee+x@contoso.example")
    assert decide(row(), kin, history=History(seen_yes={EMAIL: None})).codes == (Code.OK_CONSENT,)


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"consent_email": "No"}, (Code.CONSENT_REFUSED, Code.CONSENT_MISSING)),
        ({"consent_phone": "nein"}, (Code.CONSENT_REFUSED, Code.CONSENT_MISSING)),
        ({"consent_email": "revoked"}, (Code.CONSENT_WITHDRAWN, Code.CONSENT_MISSING)),
        (
            {"consent_email": "No", "consent_phone": "opted out"},
            (Code.CONSENT_WITHDRAWN, Code.CONSENT_REFUSED, Code.CONSENT_MISSING),
        ),
        ({"consent_email": False}, (Code.CONSENT_MISSING,)),
        ({"consent_source": "partner"}, (Code.CONSENT_MISSING, Code.CONSENT_THIRD_PARTY)),
        ({"optout_ts": "2026-05-01"}, (Code.CONSENT_WITHDRAWN, Code.CONSENT_MISSING)),
    ],
)
def test_without_a_yes(cells: dict[str, Cell], codes: tuple[Code, ...]) -> None:
    """No row says yes: CONSENT_MISSING is always among the codes, and any no suppresses."""
    assert decide(silent(**cells)).codes == codes


def test_without_a_yes_a_kin_no_counts_and_a_kin_partner_does_not() -> None:
    """Negative statements travel broadly, where data comes from does not."""
    kin = silent(email="ann.lee+x@contoso.example", consent_email="No", consent_source="partner")
    assert decide(silent(), kin).codes == (Code.CONSENT_REFUSED, Code.CONSENT_MISSING)


def test_without_a_yes_a_bounce_suppresses() -> None:
    """Nobody can be reached, and nobody agreed."""
    decision = decide(silent(), listed=[entry(Feed.HARDBOUNCE)])
    assert decision.codes == (Code.HARD_BOUNCE, Code.CONSENT_MISSING)


@pytest.mark.parametrize(
    ("optout", "changes", "code"),
    [
        (BEFORE, {}, Code.OK_CONSENT),
        (SAME, {}, Code.CONSENT_WITHDRAWN),
        (LATER, {}, Code.CONSENT_WITHDRAWN),
        ("2026-03-10", {}, Code.CONSENT_WITHDRAWN),
        ("2026-03-08", {}, Code.OK_CONSENT),
        ("garbage", {}, Code.CONSENT_WITHDRAWN),
        ("Yes", {}, Code.CONSENT_WITHDRAWN),
        ("n/a", {}, Code.OK_CONSENT),
        (BEFORE, {"consent_source": "preference_centre"}, Code.OK_CONSENT),
        (BEFORE, {"consent_source": "event"}, Code.CONSENT_WITHDRAWN),
        (BEFORE, {"consent_source": "import"}, Code.CONSENT_WITHDRAWN),
        (BEFORE, {"evidence_ref": ""}, Code.CONSENT_WITHDRAWN),
        (BEFORE, {"consent_ts": ""}, Code.CONSENT_WITHDRAWN),
        (BEFORE, {"controller": "Other Ltd"}, Code.CONSENT_WITHDRAWN),
        (BEFORE, {"form_id": "q-0005"}, Code.CONSENT_WITHDRAWN),
    ],
)
def test_opt_out_on_record(optout: str, changes: dict[str, Cell], code: Code) -> None:
    """``optout_ts`` is a no to all channels; only a later, proven, self-service yes lifts it."""
    decision = decide(row(optout_ts=optout, **changes))
    assert decision.code is code
    kin = silent(email="ann.lee+x@contoso.example", optout_ts=optout)
    assert decide(row(**changes), kin).code is code
    if code is Code.CONSENT_WITHDRAWN:
        assert decision.refused == (EMAIL, PHONE)


def test_every_opt_out_on_record_must_be_older() -> None:
    """A lifted one does not lift another."""
    old, new = silent(optout_ts=BEFORE), silent(optout_ts=LATER)
    for rows in ((old, new), (new, old)):
        assert decide(row(), *rows).code is Code.CONSENT_WITHDRAWN
