"""Act-On Contacts: ``/ucl/v2/{accountId}``."""

from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import number, ok
from connector.sandbox.keys import WORLD
from connector.sandbox.people import FORM_HEADINGS
from connector.sandbox.world import EVENTS, FORMS, World

ORIGIN: Final = "Origin List"
STANDARD: Final = {
    "E-mail Address": ("EMAIL", "email"), "First Name": ("FIRST_NAME", "firstName"),
    "Last Name": ("LAST_NAME", "lastName"), "Company": ("COMPANY", "company"),
    "Job Title": ("TITLE", "title"), "Phone": ("BUSINESS_PHONE", "businessPhone"),
    "Country": ("BUSINESS_COUNTRY", "businessCountry"),
    "Birth Date": ("DATE_OF_BIRTH", "dateOfBirth"),
    "Lead Score": ("ACTON_PRIMARY_SCORE", "actonPrimaryScore"),
}  # fmt: skip
FIRST_INDEX: Final = 6
INDEX_STEP: Final = 3
PAGE_LIMIT: Final = 1000
SEGMENT_IDS: Final = 100


def _columns() -> list[tuple[int, str]]:
    names = [*FORM_HEADINGS, ORIGIN]
    return [(FIRST_INDEX + place * INDEX_STEP, name) for place, name in enumerate(names)]


async def schema(request: web.Request) -> web.Response:
    """``GET /schema/``; column indexes have gaps, as in a real account."""
    dropped = set(FORM_HEADINGS) - set(request.app[WORLD].headings[FORMS])
    columns = [
        {"fieldId": 1000 + index, "columnIndex": index, "name": name,
         "type": "SCORE" if name == "Lead Score" else "TEXT",
         "standardFieldMapping": STANDARD.get(name, (None, ""))[0],
         "required": False, "readonly": False, "hidden": False}
        for index, name in _columns()
        if name not in dropped
    ]  # fmt: skip
    return ok({"accountId": "12345", "columns": columns})


def _record(record_id: str, origin: str, cells: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {"id": record_id, "objectType": "Lead", "createdDate": ""}
    custom = {}
    for index, name in _columns():
        cell = origin if name == ORIGIN else cells.get(name, "")
        if name in STANDARD:
            record[STANDARD[name][1]] = cell
        else:
            custom[str(index)] = cell
    return {**record, "customFields": custom}


async def page(request: web.Request) -> web.Response:
    """``GET /contact/`` and ``POST /contact/byFields``: pages from 0."""
    world = request.app[WORLD]
    size = min(number(request, "pageSize", 50), PAGE_LIMIT)
    start = number(request, "page", 0) * size
    if request.get("duplicate_page"):
        start = max(0, start - size)
    data = [_record(*found) for found in world.contacts(start, start + size)]
    if request.get("move_row"):
        world.moved.append((start + size + 5, 0))
    total = world.length(FORMS) + world.length(EVENTS)
    more = start + size < total
    return ok({"data": data, "hasNextPage": more, "count": size, "totalCount": total})


async def by_email(request: web.Request) -> web.Response:
    """``GET /contact/email/{email}``."""
    wanted = request.match_info["email"].strip().lower()
    world = request.app[WORLD]
    found = [
        _record(*contact)
        for contact in world.contacts(0, world.length(FORMS) + world.length(EVENTS))
        if contact[2].get("E-mail Address", "").strip().lower() == wanted
    ]
    return ok({"data": found, "hasNextPage": False, "count": len(found), "totalCount": len(found)})


async def segments(request: web.Request) -> web.Response:
    """``GET /segment/``."""
    names = sorted(request.app[WORLD].segments)
    return ok({"data": [{"id": name, "name": name, "type": "DIRECT_SELECT"} for name in names]})


async def create_segment(request: web.Request) -> web.Response:
    """``POST /segment/``."""
    world, body = request.app[WORLD], await request.json()
    name = f"g-{len(world.segments) + 1:04x}"
    world.segments[name] = set()
    source = {"id": name, **body}
    return ok(
        {"source": source, "errorMessage": None, "statusCode": 200, "objectId": None,
         "isSuccess": True}
    )  # fmt: skip


async def members(request: web.Request) -> web.Response:
    """``GET``, ``PUT`` and ``DELETE /segment/{id}/contacts``."""
    world, name = request.app[WORLD], request.match_info["id"]
    if name not in world.segments:
        return web.Response(status=404, content_type="text/plain")
    if request.method == "GET":
        found = [{"id": member} for member in sorted(world.segments[name])]
        return ok({"data": found, "hasNextPage": False})
    ids = await request.json()
    if len(ids) > SEGMENT_IDS:
        return web.Response(status=400, content_type="text/plain")
    change = world.segments[name].update if request.method == "PUT" else _remover(world, name)
    change(ids)
    return ok({"isSuccess": True, "statusCode": 200, "errorMessage": None})


def _remover(world: World, name: str) -> Any:
    return world.segments[name].difference_update


_BASE: Final = "/ucl/v2/12345"
ROUTES: Final = [
    web.get(f"{_BASE}/schema/", schema),
    web.get(f"{_BASE}/contact/", page),
    web.post(f"{_BASE}/contact/byFields", page),
    web.get(f"{_BASE}/contact/email/{{email}}", by_email),
    web.get(f"{_BASE}/segment/", segments),
    web.post(f"{_BASE}/segment/", create_segment),
    web.route("*", f"{_BASE}/segment/{{id}}/contacts", members),
]
