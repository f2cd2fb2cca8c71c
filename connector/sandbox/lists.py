"""Marketing lists as they are read: account, list of lists, download, programmes."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import (
    NO_LIST,
    PAGE_MAX,
    csv_stream,
    instant,
    millis,
    number,
    ok,
    page_start,
    refused,
)
from connector.sandbox.headings import EVENTS, FORMS, TAGS
from connector.sandbox.keys import ACCOUNT, WORLD, marks
from connector.sandbox.tables import Table

NAMES: Final = {FORMS: "Inbound forms", EVENTS: "Events and imports", TAGS: "Consent gate"}
MOVED_BEYOND: Final = 5
DATE_COLUMNS: Final = ("__created_date", "__modified_date")
BOTH_GIVEN: Final = (10000, "fields cannot be combined with datequalifiers")
"""The number of this refusal is not documented."""
FILTERS: Final = {"modafter": False, "createdafter": True}
PROGRAMS: Final = (
    {"id": "a-0001", "name": "Hot leads to Sales", "type": "AUTOMATED"},
    {"id": "a-0002", "name": "Copy behaviour score", "type": "LIST_MAINT"},
)


async def account(_: web.Request) -> web.Response:
    """``GET /api/1/account``."""
    return ok(
        {
            "account_id": int(ACCOUNT), "cname": "demo.acme.example", "user_name": "API",
            "user_email": "api@acme.example", "account_name": "ACME demo",
            "user_type": "Marketing", "isAdmin": True, "login": "api@acme.example",
            "time_zone": "Europe/London",
        }
    )  # fmt: skip


async def listing(request: web.Request) -> web.Response:
    """``GET /api/1/list``; other listing types are empty here."""
    world = request.app[WORLD]
    wanted = request.query.get("listingtype", "contact_list").lower() == "contact_list"
    found = [_shown(t, millis(world.clock.now())) for t in world.tables.values() if wanted]
    offset, count = number(request, "offset", 0), min(number(request, "count", PAGE_MAX), PAGE_MAX)
    page = found[offset : offset + count]
    return ok({"offset": offset, "count": len(page), "totalCount": len(found), "result": page})


def _shown(table: Table, at: int) -> dict[str, Any]:
    return {
        "id": table.id, "name": NAMES[table.id], "folderName": "Default Folder",
        "sourceId": table.id, "baseId": table.id, "description": "", "sourceSize": str(len(table)),
        "sourceName": NAMES[table.id], "tsLastModified": at, "tsLastCounted": at, "tsSource": at,
        "bIsSingleton": False, "bIsList": True, "bIsSforce": False, "bIsMSDyn": False,
    }  # fmt: skip


async def download(request: web.Request) -> web.StreamResponse:
    """``GET /api/1/list/{id}``: the whole list as CSV, or JSON pages; filters in milliseconds."""
    table = request.app[WORLD].tables.get(request.match_info["id"])
    if table is None:
        return refused(*NO_LIST)
    dated = request.query.get("datequalifiers", "").lower() == "true"
    named = [name.strip() for name in request.query.get("fields", "").split(";") if name.strip()]
    if dated and named:
        return refused(*BOTH_GIVEN)
    headings = tuple(h for h in table.headings if not named or h in named)
    if request.query.get("responseformat", "JSON").upper() == "CSV":
        return await csv_stream(request, table, headings)
    return _page(request, table, headings, dated=dated)


def _page(
    request: web.Request, table: Table, headings: tuple[str, ...], *, dated: bool
) -> web.Response:
    count = min(number(request, "count", PAGE_MAX), PAGE_MAX)
    offset = number(request, "offset", 0)
    start = page_start(offset, count)
    indices, total = _chosen(request, table, start, start + count)
    rows = [table.row(index, headings) for index in indices]
    if dated:
        for row, index in zip(rows, indices, strict=True):
            row += [str(millis(table.created(index))), str(millis(table.modified(index)))]
    shown = ["_contact_id_", *headings, *(DATE_COLUMNS if dated else ())]
    if "move_row" in marks() and offset + count < len(table):
        table.moves.to_front(min(offset + count + MOVED_BEYOND, len(table) - 1))
    return ok(
        {
            "listId": table.id, "offset": offset, "count": len(rows), "totalCount": total,
            "emailColumn": shown.index(table.email) if table.email in shown else -1,
            "headers": shown, "data": rows,
        }
    )  # fmt: skip


def _chosen(request: web.Request, table: Table, start: int, stop: int) -> tuple[Sequence[int], int]:
    """Returns the rows of a page and how many there are, after the filters by change stamp."""
    given = [name for name in FILTERS if name in request.query]
    if not given:
        return list(table.indices(start, stop)), len(table)
    since = instant(number(request, given[0], 0) // 1000)
    found = list(table.changed_since(since, created=FILTERS[given[0]]))
    return list(islice(found, start, stop)), len(found)


async def programs(request: web.Request) -> web.Response:
    """``GET /api/1/program``; the shape of its answer is not documented."""
    wanted = request.query.get("type", "").upper()
    found = [program for program in PROGRAMS if wanted in {"", program["type"]}]
    return ok({"offset": 0, "count": len(found), "totalCount": len(found), "result": found})


ROUTES: Final = [
    web.get("/api/1/account", account),
    web.get("/api/1/program", programs),
    web.get("/api/1/list", listing),
    web.get("/api/1/list/{id}", download),
]
