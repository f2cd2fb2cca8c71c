"""What the written cases promise: 197 people and decisions, agreed on before the engine was."""

import pytest

from connector.consent.reasons import OUTCOME_RANK, RANK, REASONS, Code
from connector.model import Outcome, Route
from connector.policy_trial import Case, Verdict, judge_case
from tests.consent.people import CASES, policy_of


def verdict_on(case: Case) -> Verdict:
    """Judges a case under the policy that it names."""
    return judge_case(case, policy_of(case.policy))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case_is_decided_as_written(case: Case) -> None:
    """Decision, code, further codes, route and channels of a case are those that it expects."""
    verdict = verdict_on(case)
    assert verdict.differs == ()
    assert verdict.ok is True


def test_no_case_is_lost() -> None:
    """All 197 cases are read, each under an id of its own and with an expected decision."""
    assert len(CASES) == 197
    assert len({case.id for case in CASES}) == 197
    assert all({"expected_decision", "expected_code"} <= set(case.expected) for case in CASES)


def test_every_policy_of_the_cases_judges_the_first_case_as_written() -> None:
    """There is a policy file for each name that the cases use, and ``observe`` judges the same."""
    assert {policy_of(case.policy).name for case in CASES} == {case.policy for case in CASES}
    assert judge_case(CASES[0], policy_of("observe")).ok


def test_channels_are_named_exactly_for_a_push() -> None:
    """Whoever is pushed has a channel carried by a ground; a refusal has neither."""
    for case in CASES:
        decision = verdict_on(case).decision
        pushed = decision.outcome is Outcome.PUSH
        carried = {channel for ground in decision.grounds for channel in ground.channels}
        assert bool(decision.channels) is pushed, case.id
        assert carried == set(decision.channels), case.id
        assert (decision.route is None) is pushed, case.id


def test_further_codes_stand_in_table_order() -> None:
    """Further codes follow the table, come once each, and never repeat the reason."""
    for case in CASES:
        decision = verdict_on(case).decision
        assert list(decision.also) == sorted(set(decision.also), key=RANK.__getitem__), case.id
        assert decision.code not in decision.also, case.id


def test_reason_is_of_the_decided_outcome() -> None:
    """The code that names a decision belongs to its outcome, not to a weaker or stronger one."""
    for case in CASES:
        decision = verdict_on(case).decision
        assert REASONS[decision.code].outcome is decision.outcome, case.id


def test_only_a_hold_has_a_route_by_which_to_ask() -> None:
    """Nobody who is suppressed or under review is asked for permission (rule 2.6)."""
    for case in CASES:
        decision = verdict_on(case).decision
        if decision.outcome in {Outcome.SUPPRESS, Outcome.REVIEW}:
            assert decision.route is Route.NONE, case.id


def test_what_is_due_lies_ahead() -> None:
    """The next look is after the instant of deciding, or there is none."""
    for case in CASES:
        due = verdict_on(case).decision.look_again_at
        assert due is None or due > case.now, case.id


def test_deciding_twice_gives_one_answer() -> None:
    """The engine is pure: the same arguments give an equal decision, under the same signed text."""
    for case in CASES:
        once, again = verdict_on(case), verdict_on(case)
        assert once == again, case.id
        policy = policy_of(case.policy)
        signed = (once.decision.policy_version, once.decision.policy_hash)
        assert signed == (policy.version, policy.hash)


def test_a_refusal_says_what_would_lift_it() -> None:
    """A held person lacks something by name; a pushed person lacks nothing."""
    for case in CASES:
        decision = verdict_on(case).decision
        if decision.outcome is Outcome.HOLD:
            assert decision.lacks, case.id
        if decision.outcome is Outcome.PUSH:
            assert decision.lacks == (), case.id


def test_code_has_a_sentence_a_law_and_a_place() -> None:
    """Each code can be explained to a person in one sentence with its source."""
    for code in Code:
        reason = REASONS[code]
        assert reason.says.endswith("."), code
        assert reason.says[0].isupper(), code
        assert reason.law, code
        assert bool(reason.lifted_by) is (reason.outcome is not Outcome.PUSH), code


def test_every_code_is_shown_by_a_case() -> None:
    """No code exists that no worked case ever meets."""
    seen = {code for case in CASES for code in verdict_on(case).decision.codes}
    assert set(Code) - seen == set()


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
