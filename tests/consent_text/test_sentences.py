"""What the sentences of a decision promise to a sales rep, the person and a regulator."""

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import pytest

from connector.consent.decision import Decision
from connector.consent.reasons import REASONS, Code
from connector.consent.sentences import (
    Explanation,
    Input,
    day_and_hour,
    deciding_codes,
    explain,
    one_sentence,
)
from connector.model import Channel, Outcome, Route
from connector.policy_file import load_policy
from connector.policy_trial import judge_case, read_cases

HERE = Path(__file__).parent
CASES = HERE.parent / "consent_cases"
TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SNAPSHOTS = json.loads((HERE / "explained.json").read_text(encoding="utf-8"))
every_code = pytest.mark.parametrize("code", Code, ids=str)


@cache
def decisions() -> dict[str, Decision]:
    """Returns the decision on each written case, by the id of the case."""
    found = {}
    for case in read_cases(CASES / "cases.csv"):
        policy = load_policy(CASES / "policies" / f"{case.policy}.toml", today=TODAY).policy
        found[case.id] = judge_case(case, policy).decision
    return found


def decision_by(code: Code) -> Decision:
    """Returns a decision as the ledger gives it back, named or accompanied by ``code``."""
    outcome = REASONS[code].outcome
    name, also = (code, ()) if outcome is not None else (Code.CONSENT_MISSING, (code,))
    outcome = outcome or Outcome.HOLD
    pushed = outcome is Outcome.PUSH
    return Decision(
        outcome=outcome,
        code=name,
        also=also,
        route=None if pushed else Route.NONE,
        channels=(Channel.EMAIL,) if pushed else (),
        look_again_at=NOON,
        profile=None,
        policy_version="1",
        policy_hash="sha256:0",
    )


def whole(explained: Explanation) -> dict[str, object]:
    """Returns everything that is said, for comparison with what is written down."""
    return {**explained.as_json(), "next_sentence": explained.next.sentence}


@pytest.mark.parametrize("case", SNAPSHOTS, ids=str)
def test_six_typical_decisions_read_as_written_down(case: str) -> None:
    """A push by consent, request and relaxation, a hold, a review and a no read as agreed."""
    decision = decisions()[case]
    assert {"one": one_sentence(decision), **whole(explain(decision))} == SNAPSHOTS[case]


@every_code
def test_every_code_yields_its_sentence_and_its_law(code: Code) -> None:
    """No code stays without a sentence and a citation, also without the grounds of the push."""
    explained = explain(decision_by(code))
    sentence = REASONS[code].says
    spoken = " ".join(explained.says).casefold()
    assert sentence.casefold() in spoken
    assert f"{code}: {REASONS[code].law}" in explained.law
    assert all(REASONS[code].law for code in Code)


@every_code
def test_every_refusal_says_what_would_lift_it(code: Code) -> None:
    """Each code that can refuse says what would have to change; a permission needs nothing."""
    explained = explain(decision_by(code))
    lifts = [line for line in explained.lifted_by if line.startswith(f"{code}: ")]
    refuses = REASONS[code].outcome in {Outcome.SUPPRESS, Outcome.REVIEW, Outcome.HOLD}
    assert len(lifts) == (1 if refuses else 0)
    assert all(line.partition(": ")[2] for line in lifts)


def test_one_sentence_fits_a_text_field_and_says_no_where_it_is_no() -> None:
    """The CRM shows at most 255 characters; a refusal never says may, a push never hides it."""
    for name, decision in decisions().items():
        text = one_sentence(decision)
        assert len(text) <= 255, name
        assert text.startswith("You may") is (decision.outcome is Outcome.PUSH), name
        assert text.endswith("."), name


def test_one_sentence_names_exactly_the_permitted_channels() -> None:
    """A channel is either among those that may be used or forbidden in so many words."""
    ways = {Channel.EMAIL: "e-mail", Channel.PHONE: "call"}
    for name, decision in decisions().items():
        if decision.outcome is not Outcome.PUSH:
            continue
        text = one_sentence(decision)
        permitted = " ".join(re.findall(r"You may (.*?) this person", text))
        for channel, way in ways.items():
            allowed = channel in decision.channels
            assert (way in permitted.split()) is allowed, name
            assert (f"Do not {way}." in text) is not allowed, name


def test_no_sentence_shows_the_address_of_the_person() -> None:
    """What goes into the CRM and onto the screen never spells out an address by itself."""
    for name, decision in decisions().items():
        assert "@" not in one_sentence(decision), name
        assert "@" not in json.dumps(explain(decision).as_json()), name


def test_a_push_says_until_when_each_ground_carries_it() -> None:
    """Consent and request end at different times, and each says its own."""
    says = explain(decisions()["V195"]).says
    assert "You may e-mail this person until 10 March 2028, 09:30 UTC." in says
    assert "You may call this person until 27 November 2026, 12:00 UTC." in says


def test_a_relaxed_push_ends_with_the_relaxation() -> None:
    """Permission that rests on a relaxation is promised no longer than the relaxation lasts."""
    assert "until 31 March 2027, 00:00 UTC" in one_sentence(decisions()["V145"])


def test_a_notice_is_spelled_as_the_row_spells_it() -> None:
    """The version is quoted as the customer writes it, not in the form that is compared."""
    assert any("notice PN-2024-03." in line for line in explain(decisions()["V001"]).says)


def test_a_graver_code_that_was_only_reported_did_not_decide() -> None:
    """A no beside a request that a human must answer is noted, and lifting it changes nothing."""
    decision = decisions()["V197"]
    assert Code.CONSENT_REFUSED in decision.also
    assert deciding_codes(decision) == (Code.REQUEST_AFTER_SUPPRESSION, Code.CONSENT_MISSING)
    assert "Also noted: this person said no." in explain(decision).says


def test_a_hold_names_each_missing_piece_in_everyday_words() -> None:
    """A held person's record says which evidence is missing, with the column that has it."""
    missing = [line for line in explain(decisions()["V029"]).lifted_by if "Missing" in line]
    assert missing == ["Missing: when the consent was given (consent_ts)"]


def test_inputs_are_shown_as_they_were_seen() -> None:
    """Column, value, source and time of reading stand in the explanation, time in UTC."""
    seen = Input("consent_email", "GDPR Consent", "Yes", "l-0001", NOON)
    plain = Input("country", "country", "DE", "l-0001", NOON)
    explained = explain(decisions()["V001"], [seen, plain])
    assert explained.inputs == (seen, plain)
    assert explained.as_json()["inputs"][0] == {
        "field": "consent_email",
        "column": "GDPR Consent",
        "value": "Yes",
        "source": "l-0001",
        "read_at": "2026-11-23T12:00:00Z",
    }
    assert seen.sentence == (
        "l-0001 shows consent_email (column 'GDPR Consent') as 'Yes', "
        "read 23 November 2026, 12:00 UTC."
    )
    assert plain.sentence == "l-0001 shows country as 'DE', read 23 November 2026, 12:00 UTC."


def test_times_are_utc_whatever_zone_they_come_in() -> None:
    """An instant late on the American evening is the next day in UTC."""
    west = timezone(timedelta(hours=-8))
    assert day_and_hour(datetime(2026, 11, 30, 20, 5, tzinfo=west)) == "1 December 2026, 04:05 UTC"


@pytest.mark.parametrize("route", Route, ids=str)
def test_each_route_of_a_hold_says_something_else(route: Route) -> None:
    """What happens to a held person next depends on the route, and every route has its words."""
    held = [d for d in decisions().values() if d.outcome is Outcome.HOLD and d.route is route]
    others = [d for d in decisions().values() if d.outcome is Outcome.HOLD and d.route is not route]
    assert held
    assert len({explain(decision).next.what for decision in held}) == 1
    assert explain(held[0]).next.what not in {explain(d).next.what for d in others}


def test_next_names_the_instant_of_the_next_look() -> None:
    """The next check is the instant at which time alone could change the answer."""
    decision = decisions()["V104"]
    explained = explain(decision)
    assert explained.next.at == decision.look_again_at
    assert explained.as_json()["next"]["at"] == "2026-12-04T12:00:00Z"
    assert explained.next.sentence.endswith("Next check: 4 December 2026, 12:00 UTC.")
    assert explain(decisions()["V112"]).as_json()["next"]["at"] is None


def test_a_policy_that_relaxes_answers_for_the_gap_by_name() -> None:
    """The relaxed code is told as a gap that the policy accepts, any other as noted."""
    says = explain(decisions()["V145"]).says
    assert any(line.startswith("The signed policy accepts this gap: the yes") for line in says)
