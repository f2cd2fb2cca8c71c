"""When something happened, as an interval, and every comparison failing closed.

Source: rule 1.4 "Timestamps". A date without a zone can lie anywhere between the eastern and the
western end of the world, so it is an interval; *provably later* needs the whole of it.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from connector.consent.values import EMPTY_WORDS, normal, text_of
from connector.model import Cell, Interval

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
EAST: Final = timedelta(hours=14)
WEST: Final = timedelta(hours=12)
DAY: Final = timedelta(days=1)
TOLERANCE: Final = timedelta(minutes=5)
"""How far ahead a timestamp may be before it is *in the future* (clocks differ)."""


_PLAIN: Final = "0000-00-00T00:00:00Z"
_DIGITS: Final = str.maketrans("123456789", "000000000")
"""The form nearly every stamp has; read directly, because it is read a million times."""


class Unreadable:
    """The type of a timestamp that says something which cannot be read."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Names the one value."""
        return "UNREADABLE"


UNREADABLE: Final = Unreadable()
When = Interval | Unreadable | None
"""An interval, something unreadable, or missing."""

_SENTINELS: Final = frozenset(
    {"0000-00-00", "0001-01-01", "1970-01-01", "1900-01-00", "1900-01-01"}
    | {"1899-12-30", "1899-12-31"}
)
"""What systems write where they have no date."""
_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[t ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r" ?(z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?)?"
)
_EPOCH: Final = re.compile(r"[0-9]{10}(?:[0-9]{3})?")


def point(instant: datetime) -> Interval:
    """Returns the interval that is one instant."""
    return Interval(instant, instant)


def when(cell: Cell) -> When:
    """Reads a timestamp cell; texts with an offset and Unix stamps are points.

    Ten digits are seconds, thirteen milliseconds. A text without a zone is -14 h ... +12 h, a day
    alone D-14 h ... D+36 h. Slash dates, serial numbers and impossible dates are UNREADABLE.
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, Interval):
        return cell
    if isinstance(cell, str) and len(cell) == len(_PLAIN) and cell.translate(_DIGITS) == _PLAIN:
        return _plain(cell)
    text = normal(cell if isinstance(cell, str) else text_of(cell))
    if text in EMPTY_WORDS or text == "0":
        return None
    match = _ISO.fullmatch(text)
    if match:
        return None if match[1] in _SENTINELS else _iso(match)
    if _EPOCH.fullmatch(text):
        instant = datetime.fromtimestamp(int(text[:10]), UTC)
        if instant.date().isoformat() in _SENTINELS:
            return None
        return point(instant + timedelta(milliseconds=int(text[10:] or 0)))
    return UNREADABLE


def _plain(text: str) -> When:
    if text[:10] in _SENTINELS:
        return None
    try:
        return point(datetime.fromisoformat(text))
    except ValueError:
        return UNREADABLE


def _iso(match: re.Match[str]) -> When:
    date, hour, minute, second, fraction, zone = match.groups()
    try:
        day = datetime.fromisoformat(date)
        if hour is None:
            return Interval(_shift(day, -EAST), _shift(day, DAY + WEST))
        local = day.replace(
            hour=int(hour),
            minute=int(minute),
            second=int(second or 0),
            microsecond=int((fraction or "0").ljust(6, "0")[:6]),
        )
        if zone is None:
            return Interval(_shift(local, -EAST), _shift(local, WEST))
        return point(_shift(local, -_offset(zone)))
    except ValueError:
        return UNREADABLE


def _offset(zone: str) -> timedelta:
    if zone == "z":
        return timedelta()
    minutes = int(zone[-2:]) if len(zone) > len("+00") else 0
    size = timedelta(hours=int(zone[1:3]), minutes=minutes)
    if size > EAST or minutes >= timedelta(hours=1) / timedelta(minutes=1):
        raise ValueError(zone)
    return -size if zone[0] == "-" else size


def _shift(naive: datetime, by: timedelta) -> datetime:
    return after(naive.replace(tzinfo=UTC), by)


def after(instant: datetime, by: timedelta) -> datetime:
    """Adds a span, staying inside the calendar at its two ends."""
    try:
        return instant + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def months_after(instant: datetime, months: int) -> datetime:
    """Adds calendar months, clamped to the month's end and to the calendar's."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    if year > LAST.year:
        return LAST
    month += 1
    day = instant.day
    if day > 28:  # noqa: PLR2004  # every month has this many days
        day = min(day, calendar.monthrange(year, month)[1])
    return instant.replace(year=year, month=month, day=day)


def provably_later(a: When, b: When) -> bool:
    """Says whether the whole of ``a`` lies after the whole of ``b``; False if either is unknown."""
    return isinstance(a, Interval) and isinstance(b, Interval) and a.earliest > b.latest


def in_future(a: Interval, now: datetime) -> bool:
    """Says whether even the earliest instant of ``a`` is more than five minutes ahead."""
    return a.earliest > after(now, TOLERANCE)


def past(a: When, now: datetime) -> Interval | None:
    """Returns ``a`` if it is readable and not in the future: only then does it prove anything."""
    return a if isinstance(a, Interval) and not in_future(a, now) else None
