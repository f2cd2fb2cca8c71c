"""Act-On Contacts, ``/ucl/v2/{account}``: schema, pages of contacts, contacts by address or id."""

from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import empty, instant, number, ok, page_start
from connector.sandbox.headings import FORM_HEADINGS, FORMS, ORIGIN
from connector.sandbox.keys import ACCOUNT, WORLD, marks
from connector.sandbox.world import World, contact_id

STANDARD: Final = {
    "E-mail Address": ("EMAIL", "email", "EMAIL"),
    "First Name": ("FIRST_NAME", "firstName", "TEXT"),
    "Last Name": ("LAST_NAME", "lastName", "TEXT"),
    "Company": ("COMPANY", "company", "TEXT"),
    "Job Title": ("TITLE", "title", "TEXT"),
    "Phone": ("BUSINESS_PHONE", "businessPhone", "TEXT"),
    "Country": ("BUSINESS_COUNTRY", "businessCountry", "TEXT"),
    "Birth Date": ("DATE_OF_BIRTH", "dateOfBirth", "DATE"),
    "Lead Score": ("ACTON_PRIMARY_SCORE", "actonPrimaryScore", "SCORE"),
}
"""Standard field mapping, key and type by name."""
FIRST_INDEX: Final = 6
INDEX_STEP: Final = 3
PAGE: Final = 50
DUPLICATES: Final = 2
PAGE_LIMIT: Final = 1000
"""The largest page is not documented; a larger one is refused here, never cut silently."""
MOVED_BEYOND: Final = 5
BASE: Final = f"/ucl/v2/{ACCOUNT}"


def columns_of(world: World) -> list[tuple[int, str]]:
    """Returns (column index, name) of what is left; the indexes have gaps, as in real accounts."""
    names = enumerate((*FORM_HEADINGS, ORIGIN))
    left = world.contact_headings
    return [(FIRST_INDEX + place * INDEX_STEP, name) for place, name in names if name in left]


async def schema(request: web.Request) -> web.Response:
    """``GET /schema/``."""
    columns = []
    for index, name in columns_of(request.app[WORLD]):
        mapping, _, kind = STANDARD.get(name, (None, "", "TEXT"))
        columns.append(
            {"fieldId": 1000 + index, "columnIndex": index, "name": name, "type": kind,
             "standardFieldMapping": mapping, "required": mapping == "EMAIL", "readonly": False,
             "hidden": False}
        )  # fmt: skip
    return ok({"accountId": ACCOUNT, "columns": columns})


def shown(world: World, row: tuple[str, int], columns: list[tuple[int, str]]) -> dict[str, Any]:
    """Returns one contact; custom fields are keyed by column index, as text."""
    origin, index = row
    cells = world.contact_cells(origin, index)
    table = world.tables[origin]
    contact: dict[str, Any] = {
        "id": contact_id(origin, index), "legacyRecordId": table.record(index),
        "objectType": "Lead" if origin == FORMS else "Contact",
        "createdDate": f"{table.created(index):%b %d %Y %H:%M} Europe/London",
        "updatedDate": f"{table.modified(index):%b %d %Y %H:%M} Europe/London",
    }  # fmt: skip
    custom: dict[str, str] = {}
    for place, name in columns:
        cell = origin if name == ORIGIN else cells.get(name, "")
        if name in STANDARD:
            contact[STANDARD[name][1]] = cell
        else:
            custom[str(place)] = cell
    return {**contact, "customFields": custom}


async def contacts(request: web.Request) -> web.Response:
    """``GET /contact/``."""
    return _answer(request, columns_of(request.app[WORLD]))


async def by_fields(request: web.Request) -> web.Response:
    """``POST /contact/byFields``: only the named fields, in any case."""
    named = {str(name).lower() for name in await request.json()}
    columns = [c for c in columns_of(request.app[WORLD]) if c[1].lower() in named]
    return _answer(request, columns)


def _answer(request: web.Request, columns: list[tuple[int, str]]) -> web.Response:
    world = request.app[WORLD]
    page, size = number(request, "page", 0), number(request, "pageSize", PAGE)
    if not 0 < size <= PAGE_LIMIT:
        return web.json_response({}, status=400)
    start = page_start(page * size, size)
    rows, total = _chosen(request, start, start + size)
    if "move_row" in marks() and (page + 1) * size < total:
        world.contact_moves.to_front(min((page + 1) * size + MOVED_BEYOND, total - 1))
    return paged([shown(world, row, columns) for row in rows], page, size, total)


def paged(data: list[dict[str, Any]], page: int, size: int, total: int) -> web.Response:
    """Answers one page of contacts."""
    more = (page + 1) * size < total
    return ok({"data": data, "hasNextPage": more, "count": size, "totalCount": total})


def _chosen(request: web.Request, start: int, stop: int) -> tuple[list[tuple[str, int]], int]:
    """Returns rows and their number, after the filters, which are in seconds here."""
    world = request.app[WORLD]
    given = [name for name in ("updatedAfter", "createdAfter") if name in request.query]
    if not given:
        return list(world.contacts(start, stop)), world.contact_count()
    since = instant(number(request, given[0], 0))
    created = given[0] == "createdAfter"
    found = world.contacts_since(since, created=created)
    return found[start:stop], len(found)


async def by_email(request: web.Request) -> web.Response:
    """``GET /contact/email/{email}``: a list, because an address is not unique."""
    return _some(request, request.app[WORLD].rows_of(request.match_info["email"]))


async def by_id(request: web.Request) -> web.Response:
    """``GET /contact/id/{id}``."""
    world = request.app[WORLD]
    row = world.contact_in(request.match_info["contact"])
    return empty(404) if row is None else ok(shown(world, row, columns_of(world)))


def _some(request: web.Request, rows: list[tuple[str, int]]) -> web.Response:
    world, page = request.app[WORLD], number(request, "page", 0)
    size = number(request, "pageSize", DUPLICATES)
    columns = columns_of(world)
    found = [shown(world, row, columns) for row in rows[page * size : (page + 1) * size]]
    return paged(found, page, size, len(rows))


ROUTES: Final = [
    web.get(f"{BASE}/schema/", schema),
    web.get(f"{BASE}/contact/", contacts),
    web.post(f"{BASE}/contact/byFields", by_fields),
    web.get(f"{BASE}/contact/email/{{email}}", by_email),
    web.get(f"{BASE}/contact/id/{{contact}}", by_id),
]
