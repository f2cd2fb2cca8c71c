"""Invitations: two at most, fourteen days apart, counted by the ledger and by Act-On (rule 3)."""

from datetime import timedelta

import pytest

from connector.consent.evidence import Asking, History
from connector.consent.policy import AskLimits
from connector.consent.reasons import Code
from connector.model import Cell, Interval, Route
from tests.consent.people import DAY, T0, at, decide, row, ruled, silent

NONE, WAIT, PASSIVE, DIRECT = Route.NONE, Route.WAIT, Route.PASSIVE, Route.DIRECT
OLD_NOTICE = {"notice_version": "PN-2018-05"}


def asked(state: str, invites: int = 0, last: Interval | None = None) -> History:
    """Returns a history of invitations."""
    return History(asking=Asking(state, invites, last))


def ago(days: float, seconds: float = 0) -> Interval:
    """Returns an instant before the judgment."""
    moment = T0 - timedelta(days=days, seconds=seconds)
    return Interval(moment, moment)


@pytest.mark.parametrize(
    ("state", "invites", "last", "route", "code"),
    [
        ("INVITED", 1, ago(13.9), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 0, ago(13.9), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, ago(14, -1), WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, ago(14), DIRECT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, None, WAIT, Code.NOTICE_OUTDATED),
        ("INVITED", 1, Interval(T0 - 20 * DAY, T0 - DAY), WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, None, WAIT, Code.NOTICE_OUTDATED),
        ("REMINDED", 2, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("REMINDED", 0, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("INVITED", 2, ago(14), NONE, Code.REPERM_EXHAUSTED),
        (" Lapsed ", 0, None, NONE, Code.REPERM_EXHAUSTED),
        ("LAPSED", 1, ago(1), NONE, Code.REPERM_EXHAUSTED),
        ("", 2, ago(20), NONE, Code.REPERM_EXHAUSTED),
        ("", 2, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("", 1, ago(1), WAIT, Code.NOTICE_OUTDATED),
        ("", 1, ago(14), DIRECT, Code.NOTICE_OUTDATED),
        ("", 0, ago(1), DIRECT, Code.NOTICE_OUTDATED),
        ("", 0, None, DIRECT, Code.NOTICE_OUTDATED),
        ("n/a", 3, ago(14), NONE, Code.REPERM_EXHAUSTED),
        ("something", 1, ago(1), DIRECT, Code.NOTICE_OUTDATED),
    ],
)
def test_rules_1_and_2_invitations(
    state: str, invites: int, last: Interval | None, route: Route, code: Code
) -> None:
    """Fourteen days of waiting after each of two messages, then silence ends the asking."""
    decision = decide(row(**OLD_NOTICE), history=asked(state, invites, last))
    assert (decision.route, decision.code) == (route, code)
    assert (Code.REPERM_PENDING in decision.also) is (route is WAIT)
    if code is Code.REPERM_EXHAUSTED:
        assert decision.also == (Code.NOTICE_OUTDATED,)


def test_limits_are_the_policys() -> None:
    """A company may ask less often and wait longer."""
    strict = ruled(asking=AskLimits(invitations=1, wait=timedelta(days=30)))
    held = row(**OLD_NOTICE)
    assert decide(held, policy=strict, history=asked("INVITED", 1, ago(29))).route is WAIT
    assert decide(held, policy=strict, history=asked("INVITED", 1, ago(30))).route is NONE
    assert decide(held, policy=strict, history=asked("INVITED", 0, ago(30))).route is NONE
    lenient = ruled(asking=AskLimits(invitations=3))
    assert decide(held, policy=lenient, history=asked("REMINDED", 0, ago(30))).route is DIRECT


def test_declined_is_not_exhausted() -> None:
    """Who said no after two messages refused; nothing is said about silence."""
    decision = decide(row(**OLD_NOTICE), history=asked("DECLINED", 2, ago(30)))
    assert decision.codes == (Code.CONSENT_REFUSED, Code.NOTICE_OUTDATED)
    back = History(asking=Asking("DECLINED", 2, ago(300), at("2026-01-01")))
    returned = decide(row(**OLD_NOTICE), history=back)
    assert (returned.codes, returned.route) == ((Code.NOTICE_OUTDATED,), DIRECT)


@pytest.mark.parametrize(
    ("count", "invited", "route"),
    [
        ("", "", DIRECT),
        (1, "2026-11-20", WAIT),
        ("1", "", WAIT),
        ("", "2026-11-20T10:00:00Z", WAIT),
        ("", "garbage", WAIT),
        ("1", "2026-10-01", DIRECT),
        ("2", "2026-10-01", NONE),
        ("999", "2026-10-01", NONE),
        ("1000", "2026-10-01", NONE),
        ("-2", "", WAIT),
        ("٢", "2026-10-01", NONE),
        (2.0, "2026-10-01", NONE),
        ("9" * 5000, "2026-10-01", NONE),
        ("0001", "2026-10-01", DIRECT),
        ("000", "", DIRECT),
        ("0", "", DIRECT),
        ("", "2026-10-01", DIRECT),
        ("", "2026-11-09T00:00:01", WAIT),
        ("x", "", WAIT),
        ("x", "2026-10-01", DIRECT),
        (".0", "", WAIT),
    ],
)
def test_invitations_counted_by_act_on(count: Cell, invited: Cell, route: Route) -> None:
    """Mapped columns count as well; an unreadable date of asking is a wait without end."""
    held = row(**OLD_NOTICE, reperm_count=count, reperm_invited_at=invited)
    assert decide(held).route is route


def test_more_invitations_and_the_later_date_count() -> None:
    """Ledger and columns, in any row of the person, are combined."""
    old, new = "2026-10-01T00:00:00Z", "2026-11-20T00:00:00Z"
    held = row(**OLD_NOTICE, reperm_count=1, reperm_invited_at=old)
    assert decide(held, history=asked("INVITED", 1, at(new))).route is WAIT
    assert decide(held, history=asked("INVITED", 2, at(old))).route is NONE
    newer = silent(reperm_count=1, reperm_invited_at=new)
    for rows in ((held, newer), (newer, held)):
        assert decide(*rows).route is WAIT
    unread = silent(reperm_invited_at="soon")
    for rows in ((held, unread), (unread, held), (unread, newer), (newer, unread)):
        assert decide(*rows).route is WAIT
    kin = silent(email="ann.lee+x@contoso.example", reperm_count=2, reperm_invited_at=old)
    assert decide(row(**OLD_NOTICE), kin).route is DIRECT


def test_invitation_in_a_column_leaves_the_state_of_the_ledger() -> None:
    """A lapsed person stays lapsed."""
    held = row(**OLD_NOTICE, reperm_count=1, reperm_invited_at="2026-11-20")
    assert decide(held, history=asked("LAPSED")).route is NONE
