"""Act-On's rows read by column map: headings to fields, dates by their declared format.

Pure. A mapped heading that vanished or stands twice is an error that names it: nothing is ever
guessed, and no row is read under a wrong heading.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from connector.consent.times import when
from connector.consent.values import Truth, negative_truth, truth
from connector.errors import SourceError
from connector.model import Cell, Interval, Row

TURNED: Final = frozenset({"consent_email", "consent_phone", "tracking_consent"})
"""Fields whose column may say the opposite of consent; in ``do_not_contact`` a yes forbids."""
_YEAR: Final = "YyGcxs"
_DAY: Final = "djuwcxs"
_CLOCK: Final = "HIXcs"
"""Letters of ``strptime`` that tell the year, the day, the time of day."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is read. ``also`` names further fields that its label covers."""

    field: str
    heading: str
    negative: bool = False
    date_format: str | None = None
    time_zone: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One list, or Act-On Contacts; ``origin`` is the heading that names a contact's list."""

    kind: Literal["marketing_list", "contacts"]
    id: str
    columns: tuple[Column, ...]
    origin: str = ""


def turned(cell: str) -> str:
    """Returns what a *do not contact me by this channel* cell says of consent.

    Not having refused is no consent: a plain no there is EMPTY. A word of agreement, which says
    nothing clear in such a column, never comes out as one.
    """
    match negative_truth(cell):
        case Truth.YES:
            return "withdrawn" if truth(cell) is Truth.WITHDRAWN else "no"
        case Truth.AMBIGUOUS:
            return cell if truth(cell) is Truth.AMBIGUOUS else f"unclear: {cell}"
        case _:
            return ""


@lru_cache(maxsize=65_536)
def dated(column: Column, cell: str) -> Cell:
    """Reads a date by the column's declared format and zone; what does not fit is unreadable.

    A day alone is that local day from midnight to midnight; without a zone it lies anywhere in
    the world. A format that leaves the year or the day open tells no instant.
    """
    text = cell.strip()
    form = column.date_format or ""
    if when(text) is None:
        return ""
    if not _names(form, _YEAR) or not _names(form, _DAY):
        return f"unreadable: {text}"
    try:
        read = datetime.strptime(text, form)  # noqa: DTZ007  # zone comes next
        iso = read.replace(tzinfo=None).isoformat(sep=" ")
        if when(iso[:10]) is None:
            return ""  # a sentinel: what systems write where they have no date
        clock = _names(form, _CLOCK)
        if read.tzinfo is None and column.time_zone is None:
            loose = when(iso if clock else iso[:10])
            return loose if isinstance(loose, Interval) else f"unreadable: {text}"
        zone = read.tzinfo or ZoneInfo(column.time_zone or "UTC")
        return _moment(read, zone) if clock else _day(read, zone)
    except (ValueError, OverflowError):
        return f"unreadable: {text}"


def _names(form: str, codes: str) -> bool:
    return any(f"%{code}" in form for code in codes)


def _moment(read: datetime, zone: tzinfo) -> Interval:
    """Returns the instant of a local time; both where the clocks went back over it."""
    first, second = (read.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return Interval(min(first, second), max(first, second))


def _day(read: datetime, zone: tzinfo) -> Interval:
    midnight = read.replace(tzinfo=zone)
    last = midnight + timedelta(days=1) - timedelta(microseconds=1)
    return Interval(midnight.astimezone(UTC), last.astimezone(UTC))


@lru_cache(maxsize=65_536)
def zoned(column: Column, cell: str) -> Cell:
    """Reads an ISO text without an offset in the column's declared zone."""
    text = cell.strip()
    if text[4:5] != "-" or not isinstance(when(cell), Interval):
        return cell  # a stamp in seconds has its zone
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None or column.time_zone is None:
            return cell
        zone = ZoneInfo(column.time_zone)
        return _day(read, zone) if len(text) == len("2026-01-01") else _moment(read, zone)
    except (ValueError, OverflowError):
        return cell


def _reading(column: Column, field: str) -> Callable[[str], Cell]:
    """Returns how a column is read for one of its fields; only a consent can be turned round."""
    if column.negative and field in TURNED:
        return turned
    if column.date_format is not None:
        return lambda cell: dated(column, cell)
    if column.time_zone is not None:
        return lambda cell: zoned(column, cell)
    return str


def needed(source: Source) -> tuple[str, ...]:
    """Returns the headings that a source maps, each once; all else is dropped while reading."""
    origin = [source.origin] if source.origin else []
    return tuple(dict.fromkeys([*(column.heading for column in source.columns), *origin]))


def places(source: Source, headings: Sequence[str]) -> dict[str, int]:
    """Returns where each mapped heading stands; raises SourceError naming all that do not."""
    wanted = needed(source)
    counts = {heading: headings.count(heading) for heading in wanted}
    vanished = [heading for heading, count in counts.items() if count == 0]
    doubled = [heading for heading, count in counts.items() if count > 1]
    if vanished or doubled:
        said = [f"no column {heading!r}" for heading in vanished]
        said += [f"column {heading!r} twice" for heading in doubled]
        raise SourceError(
            f"{source.id} has {', '.join(said)}",
            hint="was it renamed? correct [source.columns] in connector.toml, then run 'doctor'",
        )
    return {heading: headings.index(heading) for heading in wanted}


def reader(source: Source, headings: Sequence[str]) -> Callable[[Sequence[str], str], Row]:
    """Returns a function from the cells of one line, and its record id, to a row."""
    at = places(source, headings)
    reading = [
        (name, at[column.heading], _reading(column, name))
        for column in source.columns
        for name in (column.field, *column.also)
    ]
    origin = at.get(source.origin) if source.origin else None

    def read(cells: Sequence[str], contact_id: str) -> Row:
        found = {name: convert(cells[place]) for name, place, convert in reading}
        listed = "" if origin is None else cells[origin].strip()
        return Row(listed or source.id, contact_id, found)

    return read
