"""Pages by element offset, as ``/api/1`` has them, walked so that nothing can slip through.

Each page begins with the last row of the page before. Where it does not, rows moved between the
two calls, and a row may have slid to where nobody looks any more: the reading is begun again.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from connector.acton.spool import BrokenOff

PAGE: Final = 1000
"""The largest page of ``/api/1`` (developer.act-on.com)."""
_CAPS: Final = 50
_OLD_CAP: Final = 255
"""A page of the oldest documents."""


class Page(NamedTuple):
    """The rows of one page, and Act-On's count of all rows; -1 where it gives none."""

    rows: list[Any]
    total: int = -1


def by_offset(fetch: Callable[[int], Page]) -> Iterator[Page]:
    """Yields pages without the row they share with the one before; raises BrokenOff.

    Ends on a short page. A page that is short by a round number may have been cut by the server,
    and is followed by another look.
    """
    offset = 0
    last: Page | None = None
    while True:
        page = fetch(offset)
        rows = page.rows
        if last is not None:
            if page.total != last.total:
                raise BrokenOff(f"the count went from {last.total} to {page.total} between pages")
            if not rows or rows[0] != last.rows[-1]:
                raise BrokenOff("rows moved between pages")
        yield page if last is None else Page(rows[1:], page.total)
        if len(rows) < (1 if last is None else 2) or not _may_go_on(len(rows)):
            return
        last = page
        offset += len(rows) - 1


def _may_go_on(size: int) -> bool:
    return size >= PAGE or size % _CAPS == 0 or size == _OLD_CAP
