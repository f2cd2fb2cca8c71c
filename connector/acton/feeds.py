"""Suppressions: who opted out, complained or bounced, account-wide and by category.

Each feed is read whole before an entry of it counts. A time filter that may silently return
nothing is never trusted to be complete: ``since`` may only add (docs/acton-api-notes.md).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from connector.acton.answers import ask, shape_of
from connector.acton.pages import PAGE, Page, by_offset
from connector.acton.spool import Spool, whole
from connector.consent.times import point
from connector.errors import SourceError
from connector.model import Feed, Interval, Suppression
from connector.transport import Call, Transport

OVERLAP: Final = timedelta(minutes=15)
"""Bounds of time filters are not documented, so windows overlap and are filtered here."""
PATHS: Final = {
    Feed.OPTOUT: "/api/1/list/optout",
    Feed.HARDBOUNCE: "/api/1/list/hardbounce",
    Feed.SPAM: "/api/1/list/spamcomplaint",
}
CATEGORY_PATH: Final = "/api/1/subscription/optout"
_FIRST_MILLIS: Final = 10**11
"""Stamps below are in seconds: in milliseconds they would lie in 1973."""


def categories_of(transport: Transport) -> tuple[str, ...]:
    """Returns the names of all subscription categories; raises SourceError if unreadable."""
    body = ask(transport, Call("GET", "/api/1/subscription/category", repeatable=True))
    names = [c.get("name") for c in body if isinstance(c, dict)] if isinstance(body, list) else []
    if not isinstance(body, list) or len(names) < len(body) or not all(names):
        raise SourceError(f"the subscription categories have an unknown shape: {shape_of(body)}")
    return tuple(str(name) for name in names)


def read_feed(
    transport: Transport, feed: Feed, *, category: str = "", since: datetime | None = None
) -> Iterator[Suppression]:
    """Yields every entry of one feed, or those since an instant less the overlap.

    An entry without a readable address is yielded with an empty one, for the caller to count; one
    without a readable instant stands undated, and passes every ``since``.
    """
    name = f"the {feed} list" + (f" of category {category!r}" if category else "")
    query: dict[str, str | int] = {"category": category} if category else {}
    oldest = None if since is None else since - OVERLAP
    if oldest is not None and not category:
        # in seconds: if Act-On expects milliseconds, this returns too much and never too little
        query["createdafter"] = int(oldest.timestamp())
    path = CATEGORY_PATH if category else PATHS[feed]
    for _, entry in whole(name, partial(_read, transport, path, query, name)):
        found = _entry(feed, entry, category)
        if oldest is None or found.at is None or found.at.latest >= oldest:
            yield found


def _read(
    transport: Transport, path: str, query: dict[str, str | int], name: str, spool: Spool
) -> str:
    def fetch(offset: int) -> Page:
        call = Call("GET", path, params={**query, "count": PAGE, "offset": offset}, repeatable=True)
        body = ask(transport, call)
        entries = body.get("result") if isinstance(body, dict) else None
        if not isinstance(entries, list):
            raise SourceError(f"{name} has an unknown shape: {shape_of(body)}")
        # the count is documented as -1 here and "should not be used"
        return Page(entries)

    place = 0
    for page in by_offset(fetch):
        for entry in page.rows:
            spool.add(str(place), entry)
            place += 1
    return ""


def _entry(feed: Feed, entry: Any, category: str) -> Suppression:
    if not isinstance(entry, dict):
        return Suppression(feed, "", None, category)
    email = entry.get("email")
    at = _instant(entry.get("timestamp"))
    return Suppression(feed, email if isinstance(email, str) else "", at, category)


def _instant(stamp: object) -> Interval | None:
    if isinstance(stamp, str) and stamp.strip().isdecimal():
        stamp = int(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or stamp <= 0:
        return None
    seconds = stamp / 1000 if stamp >= _FIRST_MILLIS else stamp
    try:
        return point(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError, ValueError):
        return None
