"""Act-On's rows read by column map: headings to fields, dates by their declared format.

Pure. A mapped heading that vanished or stands twice is an error that names it: nothing is ever
guessed, and no row is read under a wrong heading.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from connector.consent.times import point, when
from connector.consent.values import Truth, negative_truth, truth
from connector.errors import SourceError
from connector.model import Cell, Interval, Row

CONTACT_ID: Final = "_contact_id_"
BLANKS: Final = frozenset({"", "0", "0000-00-00"})
FIELD_BYTES: Final = 1_000_000
"""A longer field is a broken quote, not a value (Act-On's own limit is 20,000 characters)."""


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

    Not having refused is no consent: a plain no there is EMPTY.
    """
    match negative_truth(cell):
        case Truth.YES:
            return "withdrawn" if truth(cell) is Truth.WITHDRAWN else "no"
        case Truth.AMBIGUOUS:
            return cell
        case _:
            return ""


def dated(column: Column, cell: str) -> Cell:
    """Reads a date by the column's declared format and zone; what does not fit is unreadable.

    A day alone is that local day from midnight to midnight.
    """
    text = cell.strip()
    if text in BLANKS or when(text) is None:
        return ""
    try:
        read = datetime.strptime(text, column.date_format or "")  # noqa: DTZ007  # zone comes next
    except ValueError:
        return f"unreadable: {text}"
    has_time = any(code in (column.date_format or "") for code in ("%H", "%I", "%T", "%X", "%c"))
    if read.tzinfo is not None:
        return point(read.astimezone(UTC)) if has_time else _day(read.astimezone(UTC))
    if column.time_zone is None:
        loose = when(read.isoformat(sep=" ") if has_time else read.date().isoformat())
        return loose if isinstance(loose, Interval) else f"unreadable: {text}"
    local = read.replace(tzinfo=ZoneInfo(column.time_zone))
    return point(local.astimezone(UTC)) if has_time else _day(local)


def _day(midnight: datetime) -> Interval:
    last = midnight + timedelta(days=1) - timedelta(microseconds=1)
    return Interval(midnight.astimezone(UTC), last.astimezone(UTC))


def zoned(column: Column, cell: str) -> Cell:
    """Reads an ISO text without an offset in the column's declared zone."""
    if not isinstance(when(cell), Interval):
        return cell
    try:
        read = datetime.fromisoformat(cell.strip())
    except ValueError:
        return cell
    if read.tzinfo is not None or column.time_zone is None:
        return cell
    local = read.replace(tzinfo=ZoneInfo(column.time_zone))
    date_only = len(cell.strip()) == len("2026-01-01")
    return _day(local) if date_only else point(local.astimezone(UTC))


def _reading(column: Column) -> Callable[[str], Cell]:
    if column.negative:
        return turned
    if column.date_format is not None:
        return lambda cell: dated(column, cell)
    if column.time_zone is not None:
        return lambda cell: zoned(column, cell)
    return str


def places(source: Source, headings: Sequence[str]) -> dict[str, int]:
    """Returns where each mapped heading stands; raises SourceError naming all that do not."""
    wanted = [column.heading for column in source.columns]
    if source.origin:
        wanted.append(source.origin)
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
        (name, at[column.heading], _reading(column))
        for column in source.columns
        for name in (column.field, *column.also)
    ]
    origin = at.get(source.origin)

    def read(cells: Sequence[str], contact_id: str) -> Row:
        found = {name: convert(cells[place]) for name, place, convert in reading}
        return Row(source.id if origin is None else cells[origin], contact_id, found)

    return read


def csv_rows(source: Source, lines: Iterable[str]) -> Iterator[Row]:
    """Reads a whole list as CSV; raises SourceError for a broken line or a body cut short.

    The first line holds the headings; a byte-order mark before it is tolerated.
    """
    csv.field_size_limit(FIELD_BYTES)
    table = csv.reader(lines, strict=True)
    try:
        headings = next(table, [])
        if headings:
            headings[0] = headings[0].removeprefix("\ufeff")
        read = reader(source, headings)
        id_at = headings.index(CONTACT_ID) if CONTACT_ID in headings else None
        for cells in table:
            if len(cells) != len(headings):
                raise SourceError(
                    f"{source.id}: line {table.line_num} has {len(cells)} cells, not"
                    f" {len(headings)}: the list was cut short or its quoting is broken"
                )
            yield read(cells, cells[id_at] if id_at is not None else str(table.line_num))
    except csv.Error as error:
        raise SourceError(f"{source.id}: line {table.line_num} is no CSV: {error}") from error
