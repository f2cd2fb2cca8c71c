"""Marketing lists, by either of two roads.

The whole list as CSV is one call and the default: a change stamp may not move when only a score
does, so everything is read each time. JSON pages of a thousand are for accounts whose CSV export
cannot be read (another encoding or quoting); a list that is edited meanwhile may move between
pages, which is found out and read again.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import quote

from connector.acton.answers import ask, shape_of
from connector.acton.pages import PAGE, Page, by_offset
from connector.acton.spool import BrokenOff, Spool, doubt_about, whole
from connector.acton.table import table_in
from connector.acton.wire import Source, needed, places, reader
from connector.errors import SourceError
from connector.model import Row
from connector.transport import Call, Transport

CONTACT_ID: Final = "_contact_id_"


def read_list(transport: Transport, source: Source, *, pages: bool = False) -> Iterator[Row]:
    """Yields every row of a list once, when all of it was read; raises SourceError."""
    road = _by_pages if pages else _by_csv
    read = reader(source, needed(source))
    for key, cells in whole(source.id, partial(road, transport, source)):
        yield read(cells, key)


def headings_of_list(transport: Transport, list_id: str) -> list[str]:
    """Returns the headings of a list, the record id's pseudo-heading left out."""
    return [h for h in _page(transport, list_id, 0, 1)[0] if h != CONTACT_ID]


def _by_csv(transport: Transport, source: Source, spool: Spool) -> str:
    """Fills the spool with the mapped cells of each line; other columns are not kept anywhere."""
    call = Call(
        "GET",
        f"/api/1/list/{quote(source.id)}",
        params={"responseformat": "CSV"},
        repeatable=True,
        stream=True,
        accept="text/csv",
    )
    with transport.send(call) as answer:
        table = table_in(answer)
        headings = next(table)
        if not headings:
            raise BrokenOff("it has no line of headings")
        at = places(source, headings)
        picked = [at[heading] for heading in needed(source)]
        # an export without record ids is not documented; a line's number then tells rows apart
        id_at = headings.index(CONTACT_ID) if CONTACT_ID in headings else None
        for number, cells in enumerate(table, 1):
            key = str(number) if id_at is None else cells[id_at]
            spool.add(key, [cells[place] for place in picked])
    return doubt_about(spool, -1)


def _by_pages(transport: Transport, source: Source, spool: Spool) -> str:
    first: list[str] = []
    total = -1

    def fetch(offset: int) -> Page:
        headings, rows, count = _page(transport, source.id, offset, PAGE)
        if first and headings != first:
            raise BrokenOff("its headings changed between pages")
        first[:] = headings
        if any(len(row) != len(headings) for row in rows):
            raise BrokenOff("a row does not fit its headings")
        return Page(rows, count)

    for page in by_offset(fetch):
        at = places(source, first)
        picked = [at[heading] for heading in needed(source)]
        if CONTACT_ID not in first:
            raise SourceError(f"{source.id} comes without {CONTACT_ID}", hint="read it as CSV")
        id_at = first.index(CONTACT_ID)
        for row in page.rows:
            spool.add(str(row[id_at]), [row[place] for place in picked])
        total = page.total
    return doubt_about(spool, total)


def _page(
    transport: Transport, list_id: str, offset: int, count: int
) -> tuple[list[str], list[list[str]], int]:
    """Returns headings, rows and Act-On's count of one page."""
    call = Call(
        "GET",
        f"/api/1/list/{quote(list_id)}",
        params={"count": count, "offset": offset},
        repeatable=True,
    )
    body = ask(transport, call)
    headings, rows = (
        (body.get("headers"), body.get("data")) if isinstance(body, dict) else (None, None)
    )
    if not isinstance(headings, list) or not isinstance(rows, list):
        raise SourceError(f"a page of {list_id} has an unknown shape: {shape_of(body)}")
    total = body.get("totalCount")
    return [str(h) for h in headings], rows, total if isinstance(total, int) else -1
