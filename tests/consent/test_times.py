"""When something happened: every form of a timestamp, its interval, and comparisons that
fail closed (rule 1.4)."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.consent.times import (
    DAY,
    EAST,
    FIRST,
    LAST,
    TOLERANCE,
    UNREADABLE,
    WEST,
    after,
    in_future,
    months_after,
    past,
    point,
    provably_later,
    when,
)
from connector.model import Cell, Interval

HOUR = timedelta(hours=1)


def utc(year: int, month: int, day: int, *clock: int) -> datetime:
    """Returns an instant."""
    return datetime(year, month, day, *clock, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-03-10T09:30:00Z", utc(2026, 3, 10, 9, 30)),
        ("2026-03-10T09:30:00z", utc(2026, 3, 10, 9, 30)),
        ("2026-03-10T09:30 +02", utc(2026, 3, 10, 7, 30)),
        ("2026-03-10t09:30z", utc(2026, 3, 10, 9, 30)),
        (" 2026-03-10 09:30:15 Z ", utc(2026, 3, 10, 9, 30, 15)),
        ("2026-03-10T09:30:00.25Z", utc(2026, 3, 10, 9, 30, 0, 250_000)),
        ("2026-03-10T09:30:00,123456789Z", utc(2026, 3, 10, 9, 30, 0, 123_456)),
        ("2026-03-10T09:30:00+02:00", utc(2026, 3, 10, 7, 30)),
        ("2026-03-10T09:30:00+0200", utc(2026, 3, 10, 7, 30)),
        ("2026-03-10T09:30:00+02", utc(2026, 3, 10, 7, 30)),
        ("2026-03-10T09:30:00-05:30", utc(2026, 3, 10, 15, 0)),
        ("2026-03-10T09:30:00+14:00", utc(2026, 3, 9, 19, 30)),
        ("2026-03-10T09:30:00-14:00", utc(2026, 3, 10, 23, 30)),
        ("2026-03-10T00:59:00+00:59", utc(2026, 3, 10)),
        ("2024-02-29T00:00:00Z", utc(2024, 2, 29)),
        ("1772530205", utc(2026, 3, 3, 9, 30, 5)),
        (1772530200, utc(2026, 3, 3, 9, 30)),
        ("1772530200123", utc(2026, 3, 3, 9, 30, 0, 123_000)),
        (1772530200123, utc(2026, 3, 3, 9, 30, 0, 123_000)),
        ("1970-01-02T00:00:00Z", utc(1970, 1, 2)),
        ("9999-12-31T23:59:59Z", utc(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_stamps_with_a_zone_are_points(cell: Cell, instant: datetime) -> None:
    """An offset, a Z, ten digits or thirteen say exactly when."""
    assert when(cell) == point(instant)


def test_stamp_without_a_zone_may_lie_anywhere_on_earth() -> None:
    """From fourteen hours before to twelve hours after what is written."""
    assert when("2026-03-10T09:30:00") == Interval(
        utc(2026, 3, 9, 19, 30), utc(2026, 3, 10, 21, 30)
    )
    assert when("2026-03-10 09:30") == when("2026-03-10T09:30:00")
    assert timedelta(hours=14) == EAST
    assert timedelta(hours=12) == WEST


def test_date_alone_is_a_day_anywhere_on_earth() -> None:
    """D-14 h to D+36 h."""
    assert when("2026-03-10") == Interval(utc(2026, 3, 9, 10), utc(2026, 3, 11, 12))


def test_ends_of_the_calendar_are_not_left() -> None:
    """The last and the first day are clamped instead of failing."""
    assert when("9999-12-31") == Interval(utc(9999, 12, 30, 10), LAST)
    assert when("9999-12-31T23:59:59") == Interval(utc(9999, 12, 31, 9, 59, 59), LAST)
    assert when("9999-12-31T23:59:59-14:00") == point(LAST)
    assert when("0001-01-02T00:00:00+14:00") == point(utc(1, 1, 1, 10))
    assert when("0001-01-02") == Interval(utc(1, 1, 1, 10), utc(1, 1, 3, 12))


def test_interval_of_a_declared_format_stays() -> None:
    """A column with a declared date format arrives as an interval."""
    declared = Interval(utc(2025, 12, 31), utc(2026, 1, 1))
    assert when(declared) is declared


@pytest.mark.parametrize(
    "day",
    [
        *("0000-00-00", "0001-01-01", "1970-01-01", "1900-01-00", "1900-01-01", "1899-12-30"),
        "1899-12-31",
    ],
)
def test_sentinels_are_missing_with_any_time(day: str) -> None:
    """What systems write where they have no date is no date."""
    for text in (day, f"{day}T00:00:00Z", f"{day} 12:30:00", f"{day}T23:00:00+05:00"):
        assert when(text) is None, text


@pytest.mark.parametrize(
    "cell",
    [None, "", " ", "n/a", "unknown", "0", 0, "-", "0000000000", "0000000000000", "0000086399"],
)
def test_empty_dates_are_missing(cell: Cell) -> None:
    """Empty words, zero and the day on which Unix time begins are missing."""
    assert when(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        *("31/12/2025", "12/31/2025", "2025/12/31", "45000", 45_000, 45_000.5, "45000.5", True),
        *("2026-02-30", "2026-13-01", "2026-00-10", "2026-02-30T10:00:00Z", "2025-02-29"),
        *("2026-03-10T24:00:00Z", "2026-03-10T09:60:00Z", "2026-03-10T09:30:60Z"),
        *("2026-03-10T25:00:00", "2026-03-10T09:30:00+14:01", "2026-03-10T09:30:00-15:00"),
        *("2026-W11-2T09:30:00Z", "2026-03-10T09:30:00+01:75"),
        *("2026-03-10T09:30:00+01:60", "2026-03-10T09:30:00+0", "2026-03-10T9:30:00Z"),
        *("2026-03-10T", "2026-03-10Z", "20260310", "10 March 2026", "177253020", "17725302001"),
        *("2026-03-10T09:30:00.Z", "1772530200.5", "-1772530200", "x", "maybe", "-1"),
    ],
)
def test_everything_else_is_unreadable(cell: Cell) -> None:
    """Slash dates, serial numbers, impossible dates and offsets beyond 14 h are not guessed."""
    assert when(cell) is UNREADABLE
    assert repr(when(cell)) == "UNREADABLE"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (utc(2026, 3, 10, 9, 30), 24, utc(2028, 3, 10, 9, 30)),
        (utc(2026, 1, 31), 1, utc(2026, 2, 28)),
        (utc(2024, 1, 31), 1, utc(2024, 2, 29)),
        (utc(2024, 2, 29), 24, utc(2026, 2, 28)),
        (utc(2024, 2, 29), 48, utc(2028, 2, 29)),
        (utc(2026, 1, 29), 1, utc(2026, 2, 28)),
        (utc(2026, 1, 28), 1, utc(2026, 2, 28)),
        (utc(2026, 11, 30), 1, utc(2026, 12, 30)),
        (utc(2026, 12, 31), 1, utc(2027, 1, 31)),
        (utc(2026, 12, 15), 12, utc(2027, 12, 15)),
        (utc(2026, 5, 31), 6, utc(2026, 11, 30)),
        (utc(9999, 11, 30), 1, utc(9999, 12, 30)),
        (utc(9999, 12, 1), 1, LAST),
        (utc(9998, 12, 31), 24, LAST),
    ],
)
def test_months_are_calendar_months(start: datetime, months: int, end: datetime) -> None:
    """Months clamp to the month's end, and years to the calendar's."""
    assert months_after(start, months) == end


def test_spans_stay_inside_the_calendar() -> None:
    """Adding to the last instant or taking from the first changes nothing."""
    assert after(LAST, DAY) == LAST
    assert after(FIRST, -DAY) == FIRST
    assert after(utc(2026, 3, 10), DAY) == utc(2026, 3, 11)
    assert after(utc(2026, 3, 10), -HOUR) == utc(2026, 3, 9, 23)


def test_provably_later_needs_the_whole_interval() -> None:
    """Touching or overlapping intervals, the unreadable and the missing prove no order."""
    a, b = utc(2026, 3, 10), utc(2026, 3, 11)
    assert provably_later(point(b), point(a))
    assert not provably_later(point(a), point(b))
    assert not provably_later(point(a), point(a))
    assert not provably_later(Interval(a, b), point(a))
    assert not provably_later(Interval(a, b), Interval(a, b))
    assert provably_later(point(b), Interval(a - DAY, b - timedelta(microseconds=1)))
    for nothing in (None, UNREADABLE):
        assert not provably_later(point(b), nothing)
        assert not provably_later(nothing, point(a))


def test_future_begins_after_five_minutes() -> None:
    """Clocks differ: even the earliest instant must be more than five minutes ahead."""
    now = utc(2026, 11, 23, 12)
    assert timedelta(minutes=5) == TOLERANCE
    assert not in_future(point(now + TOLERANCE), now)
    assert in_future(point(now + TOLERANCE + timedelta(microseconds=1)), now)
    assert not in_future(Interval(now, LAST), now)
    assert not in_future(point(LAST), LAST)


def test_only_what_is_readable_and_past_proves_anything() -> None:
    """The future and the unreadable prove nothing; the last five minutes ahead count as past."""
    now = utc(2026, 11, 23, 12)
    assert past(point(now), now) == point(now)
    assert past(point(now + TOLERANCE), now) == point(now + TOLERANCE)
    assert past(point(now + DAY), now) is None
    assert past(UNREADABLE, now) is None
    assert past(None, now) is None
