"""Suppression, objection, erasure, and what a later word of the person makes of them
(rules 1.4 "Re-consent", 2.2 S1-S5, R1, R4, R14)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import Asking, History, Suppressions, Tombstone
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Route, Row
from tests.consent.people import (
    SECOND,
    T0,
    at,
    decide,
    entry,
    evidence,
    policy_of,
    request,
    row,
    silent,
)

BEFORE, SAME, LATER = "2026-03-10T09:29:59Z", "2026-03-10T09:30:00Z", "2026-03-10T09:30:01Z"
SALES = "Sales contact"


def suppressed(way: str, when: Cell, *rows: Row) -> Decision:
    """Decides about somebody with one dated global suppression."""
    stone = Tombstone(way, None if when is None else at(when))
    match way:
        case "erased" | "objected":
            return decide(*rows, history=History((stone,)))
        case "objected_ts":
            first = rows[0]
            dated = {**first.cells, "objected_ts": "garbage" if when is None else when}
            return decide(first._replace(cells=dated), *rows[1:])
        case "category":
            return decide(*rows, listed=[entry(Feed.CATEGORY, when, SALES)])
        case _:
            return decide(*rows, listed=[entry(Feed(way), when)])


CODES = {
    "erased": Code.ERASED,
    "objected": Code.OBJECTED,
    "objected_ts": Code.OBJECTED,
    "spam": Code.SPAM_COMPLAINT,
    "optout": Code.OPTED_OUT,
    "category": Code.CATEGORY_OPTED_OUT,
}
every_way = pytest.mark.parametrize("way", CODES)


@every_way
@pytest.mark.parametrize("when", [None, SAME, LATER, "2026-03-10"])
def test_suppression_stands_against_a_yes_that_is_not_provably_later(way: str, when: Cell) -> None:
    """Undated, tied or later: nobody is contacted or asked."""
    decision = suppressed(way, when, row())
    assert decision.outcome is Outcome.SUPPRESS
    assert decision.codes == (CODES[way],)
    assert decision.route is Route.NONE


@every_way
def test_provably_later_confirmed_yes_goes_to_a_human(way: str) -> None:
    """The person came back by themselves: a human clears the list, the gate does not."""
    decision = suppressed(way, BEFORE, row())
    assert decision.outcome is Outcome.REVIEW
    assert decision.codes == (Code.RECONSENT_AFTER_SUPPRESSION,)


@every_way
@pytest.mark.parametrize(
    "gap",
    [
        {"doi_ts": ""},
        {"doi_ts": "garbage"},
        {"doi_ts": "2026-03-10T09:29:59Z"},
        {"doi_ts": "2026-12-24T12:00:00Z"},
        {"consent_source": "event"},
        {"consent_source": "crm_sync"},
        {"consent_method": "prefilled"},
        {"evidence_ref": ""},
        {"controller": "Other Ltd"},
        {"form_id": "q-0005"},
        {"consent_email": "", "consent_phone": "Yes"},
        {"consent_email": "No"},
        {"email": "ann.lee+x@contoso.example"},
    ],
)
def test_lesser_yes_lifts_nothing(way: str, gap: dict[str, Cell]) -> None:
    """It takes the person's own, affirmative, evidenced, confirmed e-mail consent for Sales."""
    first = silent() if "email" in gap else row(**gap)
    decision = suppressed(way, BEFORE, first, *([row(**gap)] if "email" in gap else []))
    assert decision.code is CODES[way]


def test_consent_of_the_future_lifts_nothing() -> None:
    """Neither date may lie ahead."""
    ahead = row(consent_ts="2026-11-24T00:00:00Z", doi_ts="2026-11-24T00:10:00Z")
    assert suppressed("optout", BEFORE, ahead).code is Code.OPTED_OUT
    almost = row(consent_ts="2026-11-23T12:05:00Z", doi_ts="2026-11-23T12:05:00Z")
    assert suppressed("optout", BEFORE, almost).code is Code.RECONSENT_AFTER_SUPPRESSION


def test_confirmation_at_the_same_instant_is_not_before_it() -> None:
    """Only a provably earlier confirmation is none."""
    same = row(doi_ts=SAME)
    assert suppressed("optout", BEFORE, same).code is Code.RECONSENT_AFTER_SUPPRESSION


def test_preference_centre_is_self_service() -> None:
    """The person may also come back there."""
    back = row(consent_source="preference_centre")
    assert suppressed("spam", BEFORE, back).code is Code.RECONSENT_AFTER_SUPPRESSION


def test_any_own_row_may_be_the_later_yes() -> None:
    """It need not be the row that is judged best."""
    newer = row(consent_ts="2026-10-01T09:00:00Z", doi_ts="", evidence_ref="form:z")
    decision = suppressed("optout", BEFORE, newer, row())
    assert decision.code is Code.RECONSENT_AFTER_SUPPRESSION


@pytest.mark.parametrize("second", [None, LATER])
def test_each_entry_counts_for_itself(second: Cell) -> None:
    """One entry that is older does not soften another; the most protective wins."""
    listed = [entry(Feed.OPTOUT, BEFORE), entry(Feed.SPAM, second)]
    decision = decide(row(), listed=listed)
    assert decision.code is Code.SPAM_COMPLAINT
    assert decision.also == (Code.RECONSENT_AFTER_SUPPRESSION,)


@pytest.mark.parametrize(
    ("flag", "code"),
    [
        ("ShouldForget", Code.ERASED),
        ("HasOptedOutSolicit", Code.OBJECTED),
        ("HasOptedOutProfiling", Code.OBJECTED),
        ("HasOptedOutProcessing", Code.OBJECTED),
    ],
)
def test_crm_objections_have_no_date_and_stand(flag: str, code: Code) -> None:
    """What Sales recorded is cleared by a human there."""
    assert decide(row(), crm={flag: "true"}).codes == (code,)
    assert decide(row(), crm={flag: "false"}).codes == (Code.OK_CONSENT,)


@pytest.mark.parametrize("said", ["Yes", 1, "x opted out", "unsubscribed", "opted out"])
def test_do_not_contact_column_of_any_row_of_the_mailbox(said: Cell) -> None:
    """A kin row's counts as well; what is unclear goes to a human."""
    kin = silent(email="ann.lee+x@contoso.example", do_not_contact=said)
    expected = Code.CONSENT_VALUE_AMBIGUOUS if said == "x opted out" else Code.OBJECTED
    assert decide(row(), kin).codes == (expected,)
    assert decide(row(do_not_contact=said)).codes == (expected,)


@pytest.mark.parametrize("said", ["No", "", False, "n/a", 0])
def test_do_not_contact_column_that_says_no(said: Cell) -> None:
    """It forbids nothing."""
    assert decide(row(do_not_contact=said)).codes == (Code.OK_CONSENT,)


def test_objection_in_a_kin_row() -> None:
    """``objected_ts`` is matched broadly like every negative statement."""
    kin = silent(email="ann.lee+x@contoso.example", objected_ts=LATER)
    assert decide(row(), kin).code is Code.OBJECTED
    assert decide(row(objected_ts="n/a")).codes == (Code.OK_CONSENT,)


def test_unknown_kind_of_tombstone_counts_as_an_objection() -> None:
    """What is remembered under another name still forbids."""
    assert decide(row(), history=History((Tombstone("other"),))).code is Code.OBJECTED


@pytest.mark.parametrize(
    ("category", "code"),
    [
        (SALES, Code.CATEGORY_OPTED_OUT),
        ("  sales\u00a0CONTACT", Code.CATEGORY_OPTED_OUT),
        ("Events", Code.OK_CONSENT),
        ("Newsletter", Code.OK_CONSENT),
        ("Webinars", Code.CATEGORY_UNMAPPED),
        ("", Code.CATEGORY_UNMAPPED),
    ],
)
def test_categories(category: str, code: Code) -> None:
    """ALL suppresses, NONE does nothing, an unmapped one goes to a human (R14)."""
    assert decide(row(), listed=[entry(Feed.CATEGORY, LATER, category)]).codes == (code,)


@pytest.mark.parametrize(
    ("complete", "read", "fresh"),
    [
        (True, timedelta(), True),
        (True, timedelta(hours=24), True),
        (True, timedelta(hours=24, microseconds=1), False),
        (True, -timedelta(minutes=5), True),
        (True, -timedelta(minutes=5, microseconds=1), False),
        (False, timedelta(), False),
        (True, None, False),
    ],
)
@pytest.mark.parametrize("person", [row(), request()])
def test_lists_must_be_complete_and_fresh(
    person: Row, complete: bool, read: timedelta | None, fresh: bool
) -> None:
    """Incomplete, older than 24 h, of unknown or future age: R1, for a request as well."""
    known = evidence(person)
    lists = Suppressions(complete, None if read is None else T0 - read)
    decision = evaluate(replace(known, suppressions=lists), policy_of("consent_only"), T0)
    assert (decision.outcome is Outcome.PUSH) is fresh
    assert (decision.code is Code.SOURCE_UNAVAILABLE) is not fresh


@pytest.mark.parametrize(
    ("born", "code"),
    [
        ("2008-11-23", Code.OK_CONSENT),
        ("2008-11-24", Code.MINOR),
        ("2008-11-23T00:00:00Z", Code.OK_CONSENT),
        ("2008-11-24T00:00:00Z", Code.MINOR),
        ("2008-11-24T00:00:00", Code.MINOR),
        ("2008-11-24T02:00:00", Code.MINOR),
        ("2008-11-23T23:30:00", Code.OK_CONSENT),
        ("2030-01-01", Code.MINOR),
        ("1980-05-05", Code.OK_CONSENT),
        ("garbage", Code.OK_CONSENT),
        ("", Code.OK_CONSENT),
    ],
)
def test_nobody_under_18(born: str, code: Code) -> None:
    """18 completed years at midnight UTC of the birthday; an unreadable date is missing."""
    assert decide(row(birth_date=born)).codes == (code,)
    assert decide(row(), silent(birth_date=born)).codes == (code,)


def test_birthday_begins_at_midnight_utc() -> None:
    """One second before it the person is a minor."""
    young = row(birth_date="2008-11-24", consent_ts="2026-11-20T10:00:00Z")
    midnight = at("2026-11-24T00:00:00Z").earliest
    before = decide(young, now=midnight - SECOND)
    assert (before.code, before.look_again_at) == (Code.MINOR, midnight)
    assert decide(young, now=midnight).code is Code.OK_CONSENT
    leap = row(birth_date="2008-02-29")
    assert decide(leap, now=at("2026-02-27T12:00:00Z").earliest).code is Code.MINOR


def test_minor_in_a_kin_row_is_somebody_else() -> None:
    """The birth date of a kin row is not this person's."""
    kin = silent(email="ann.lee+x@contoso.example", birth_date="2015-01-01")
    assert decide(row(), kin).codes == (Code.OK_CONSENT,)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("ann@acme.example", Code.INTERNAL_ADDRESS),
        ("ANN@ACME.example.", Code.INTERNAL_ADDRESS),
        ("ann@uk.acme.example", Code.OK_CONSENT),
        ("ann@notacme.example", Code.OK_CONSENT),
        ("info@contoso.example", Code.ROLE_ADDRESS),
        ("Sales+uk@contoso.example", Code.ROLE_ADDRESS),
        ("no-reply@contoso.example", Code.ROLE_ADDRESS),
        ("infos@contoso.example", Code.OK_CONSENT),
        ("ann.info@contoso.example", Code.OK_CONSENT),
    ],
)
def test_own_and_role_addresses(email: str, code: Code) -> None:
    """Our own domain exactly, and mailboxes that are no person."""
    assert decide(row(email=email)).codes == (code,)


@pytest.mark.parametrize(
    ("answered", "changes", "code"),
    [
        (None, {}, Code.CONSENT_REFUSED),
        (LATER, {}, Code.CONSENT_REFUSED),
        (SAME, {}, Code.CONSENT_REFUSED),
        (BEFORE, {}, Code.OK_CONSENT),
        (BEFORE, {"doi_ts": ""}, Code.CONSENT_REFUSED),
        (BEFORE, {"consent_source": "event"}, Code.CONSENT_REFUSED),
    ],
)
def test_no_to_the_question_is_final_but_for_a_confirmed_yes(
    answered: str | None, changes: dict[str, Cell], code: Code
) -> None:
    """A dated DECLINED is voided by a provably later self-service consent with DOI."""
    answer = None if answered is None else at(answered)
    history = History(asking=Asking("Declined", 1, None, answer))
    decision = decide(row(**changes), history=history)
    assert decision.code is code
    if code is Code.CONSENT_REFUSED:
        assert decision.refused == (Channel.EMAIL, Channel.PHONE)
        assert not decision.global_act


@pytest.mark.parametrize("state", ["", "invited", "reminded", "lapsed", "something"])
def test_other_states_of_the_asking_do_not_touch_a_valid_consent(state: str) -> None:
    """Invitations matter only while the outcome would be a hold."""
    decision = decide(row(), history=History(asking=Asking(state, 2, at(LATER))))
    assert decision.codes == (Code.OK_CONSENT,)


def test_outcomes_outrank_one_another() -> None:
    """SUPPRESS over REVIEW over HOLD, each further code reported in table order."""
    everything = row(
        email="info@contoso.example", evidence_ref="", consent_phone="maybe", do_not_contact="Yes"
    )
    decision = decide(everything)
    assert decision.codes == (
        Code.OBJECTED,
        Code.ROLE_ADDRESS,
        Code.CONSENT_VALUE_AMBIGUOUS,
        Code.CONSENT_UNPROVEN,
    )
    calmer = row(email="info@contoso.example", evidence_ref="")
    assert decide(calmer).codes == (Code.ROLE_ADDRESS, Code.CONSENT_UNPROVEN)
    assert decide(calmer).route is Route.NONE
