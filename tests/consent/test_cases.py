"""What the written cases promise: 197 people and decisions, agreed on before the engine was."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from connector.consent.policy import Policy
from connector.consent.reasons import OUTCOME_RANK, RANK, REASONS, Code
from connector.model import Outcome, Route
from connector.policy_file import load_policy
from connector.policy_trial import Case, Verdict, judge_case, read_cases

HERE = Path(__file__).parent.parent / "consent_cases"
TODAY = date(2026, 11, 24)
CASES = tuple(read_cases(HERE / "cases.csv"))
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
every_code = pytest.mark.parametrize("code", Code, ids=str)


@cache
def policy_of(name: str) -> Policy:
    """Returns a case policy."""
    return load_policy(HERE / "policies" / f"{name}.toml", today=TODAY).policy


def verdict_on(case: Case) -> Verdict:
    """Judges a case under the policy that it names."""
    return judge_case(case, policy_of(case.policy))


@cache
def codes_seen() -> frozenset[Code]:
    """Returns every code that some case is decided or reported with."""
    return frozenset(code for case in CASES for code in verdict_on(case).decision.codes)


def test_no_case_is_lost() -> None:
    """All 197 cases are read, each under an id of its own and with an expected decision."""
    assert len(CASES) == 197
    assert len({case.id for case in CASES}) == 197
    assert all({"expected_decision", "expected_code"} <= set(case.expected) for case in CASES)


@every_case
def test_case_is_decided_as_written(case: Case) -> None:
    """Decision, code, further codes, route and channels of a case are those that it expects."""
    verdict = verdict_on(case)
    assert verdict.differs == ()
    assert verdict.ok is True


@every_case
def test_channels_are_named_exactly_for_a_push(case: Case) -> None:
    """Whoever is pushed has a channel carried by a ground; a refusal has neither."""
    decision = verdict_on(case).decision
    pushed = decision.outcome is Outcome.PUSH
    carried = {channel for ground in decision.grounds for channel in ground.channels}
    assert bool(decision.channels) is pushed
    assert carried == set(decision.channels)
    assert (decision.route is None) is pushed


@every_case
def test_further_codes_stand_in_table_order(case: Case) -> None:
    """Further codes follow the table, come once each, and never repeat the reason."""
    decision = verdict_on(case).decision
    assert list(decision.also) == sorted(set(decision.also), key=RANK.__getitem__)
    assert decision.code not in decision.also


@every_case
def test_reason_is_of_the_decided_outcome(case: Case) -> None:
    """The code that names a decision belongs to its outcome, not to a weaker or stronger one."""
    decision = verdict_on(case).decision
    assert REASONS[decision.code].outcome is decision.outcome


@every_case
def test_only_a_hold_has_a_route_by_which_to_ask(case: Case) -> None:
    """Nobody who is suppressed or under review is asked for permission (rule 2.6)."""
    decision = verdict_on(case).decision
    if decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}:
        assert decision.route is Route.NONE


@every_case
def test_what_is_due_lies_ahead(case: Case) -> None:
    """The next look is after the instant of deciding, or there is none."""
    due = verdict_on(case).decision.look_again_at
    assert due is None or due > case.now


@every_case
def test_deciding_twice_gives_one_answer(case: Case) -> None:
    """The engine is pure: the same arguments give an equal decision."""
    assert verdict_on(case) == verdict_on(case)


@every_case
def test_a_refusal_says_what_would_lift_it(case: Case) -> None:
    """A held person lacks something by name; a pushed person lacks nothing."""
    decision = verdict_on(case).decision
    if decision.outcome is Outcome.HOLD:
        assert decision.lacks
    if decision.outcome is Outcome.PUSH:
        assert decision.lacks == ()


@every_code
def test_code_has_a_sentence_a_law_and_a_place(code: Code) -> None:
    """Each code can be explained to a person in one sentence with its source."""
    reason = REASONS[code]
    assert reason.says.endswith(".")
    assert reason.says[0].isupper()
    assert reason.law
    assert reason.lifted_by or reason.outcome is Outcome.PUSH


@every_code
def test_code_is_shown_by_a_case(code: Code) -> None:
    """No code exists that no worked case ever meets."""
    assert code in codes_seen()


def test_table_lists_each_code_once_under_a_number_of_its_own() -> None:
    """Table and enumeration agree in order, and no two lines share a number."""
    assert list(REASONS) == list(Code)
    assert len({reason.number for reason in REASONS.values()}) == len(REASONS)


def test_table_runs_from_suppress_to_push_with_information_between() -> None:
    """The numbering S, R, H, I, P of table 2.2 gives the outcome of each line."""
    letter = {
        "S": Outcome.SUPPRESS,
        "R": Outcome.REVIEW,
        "H": Outcome.HOLD,
        "I": None,
        "P": Outcome.PUSH,
    }
    assert all(reason.outcome is letter[reason.number[0]] for reason in REASONS.values())
    numbers = [(reason.number[0], int(reason.number[1:])) for reason in REASONS.values()]
    assert numbers == sorted(numbers, key=lambda number: ("SRHIP".index(number[0]), number[1]))


def test_most_protective_outcome_ranks_first() -> None:
    """SUPPRESS outranks REVIEW, REVIEW outranks HOLD, HOLD outranks PUSH (rule 2.1)."""
    order = [Outcome.SUPPRESS, Outcome.REVIEW, Outcome.HOLD, Outcome.PUSH]
    assert sorted(Outcome, key=OUTCOME_RANK.__getitem__) == order
