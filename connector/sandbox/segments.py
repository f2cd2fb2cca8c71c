"""Direct-select segments of Act-On Contacts: made, filled and emptied by contact id."""

from typing import Final

from aiohttp import web

from connector.sandbox.answers import empty, number, ok
from connector.sandbox.contacts import BASE, PAGE, columns_of, paged, shown
from connector.sandbox.headings import UNIFIED
from connector.sandbox.keys import WORLD
from connector.sandbox.world import Segment

MOST_IDS: Final = 100
"""The only batch of ids that Act-On documents; more are refused here."""
FIRST_SEGMENT: Final = 11


async def segments(request: web.Request) -> web.Response:
    """``GET /segment/``."""
    found = [segment.shown() for segment in request.app[WORLD].segments.values()]
    page, size = number(request, "page", 0), number(request, "pageSize", PAGE)
    return paged(found[page * size : (page + 1) * size], page, size, len(found))


async def create(request: web.Request) -> web.Response:
    """``POST /segment/``: 409 for a name that is taken."""
    world, body = request.app[WORLD], await request.json()
    name, kind = body.get("name"), body.get("type")
    if not name or kind != "DIRECT_SELECT" or body.get("parentId") != UNIFIED:
        return web.json_response({}, status=400)
    if any(segment.name == name for segment in world.segments.values()):
        return empty(409)
    segment = Segment(f"g-{FIRST_SEGMENT + len(world.segments):04x}", str(name), {})
    world.segments[segment.id] = segment
    return _done(segment)


def _done(segment: Segment) -> web.Response:
    result = {"errorMessage": None, "statusCode": 200, "objectId": None, "isSuccess": True}
    return ok({"source": segment.shown(), **result})


async def members(request: web.Request) -> web.Response:
    """``GET /segment/{id}/contacts``."""
    world = request.app[WORLD]
    segment = world.segments.get(request.match_info["id"])
    if segment is None:
        return empty(404)
    page, size = number(request, "page", 0), number(request, "pageSize", PAGE)
    rows = [row for row in map(world.contact_in, segment.members) if row is not None]
    columns = columns_of(world)
    found = [shown(world, row, columns) for row in rows[page * size : (page + 1) * size]]
    return paged(found, page, size, len(rows))


async def change(request: web.Request) -> web.Response:
    """``PUT`` and ``DELETE /segment/{id}/contacts``: a JSON array of contact ids, 100 at most.

    Ids of nobody are passed over without a word.
    """
    world = request.app[WORLD]
    segment = world.segments.get(request.match_info["id"])
    ids = await request.json() if request.can_read_body else None
    if segment is None:
        return empty(404)
    if not isinstance(ids, list) or len(ids) > MOST_IDS:
        return web.json_response({}, status=400)
    known = [str(member) for member in ids if world.contact_in(str(member)) is not None]
    for member in known:
        if request.method == "PUT":
            segment.members[member] = None
        else:
            segment.members.pop(member, None)
    return _done(segment)


ROUTES: Final = [
    web.get(f"{BASE}/segment/", segments),
    web.post(f"{BASE}/segment/", create),
    web.get(f"{BASE}/segment/{{id}}/contacts", members),
    web.put(f"{BASE}/segment/{{id}}/contacts", change),
    web.delete(f"{BASE}/segment/{{id}}/contacts", change),
]
