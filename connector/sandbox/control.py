"""Controls of the sandbox itself, under ``/_sandbox/``: time, faults, acts, and what was called.

They need no token, count against no limit and are not logged.
"""

from collections import Counter
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from aiohttp import web

from connector.sandbox import behaviour
from connector.sandbox.answers import number, ok
from connector.sandbox.faults import Fault
from connector.sandbox.headings import ACCOUNT_FEEDS, CATEGORIES, EVENTS, FORMS, TAGS, UNIFIED
from connector.sandbox.keys import FAULTS, LOG, WORLD
from connector.sandbox.world import World

CONTROL: Final = "/_sandbox/"
UNITS: Final = frozenset({"days", "hours", "minutes", "seconds"})
PEOPLE: Final = 100


async def now(request: web.Request) -> web.Response:
    """Tells the simulated time."""
    return ok({"now": request.app[WORLD].clock.now().isoformat()})


async def advance(request: web.Request) -> web.Response:
    """Moves time on by days, hours, minutes and seconds; people act meanwhile."""
    body = await request.json()
    if not set(body) <= UNITS:
        return _unknown(f"one of {', '.join(sorted(UNITS))} was expected")
    span = timedelta(**{unit: float(count) for unit, count in body.items()})
    if span < timedelta():
        return _unknown("time does not go back")
    return ok({"now": behaviour.advance(request.app[WORLD], span).isoformat()})


def _unknown(what: str) -> web.Response:
    return web.json_response({"unknown": what}, status=400)


async def act(request: web.Request) -> web.Response:
    """Lets one person do something now: ``{"do": "opt_out", "email": ...}``."""
    body = await request.json()
    world = request.app[WORLD]
    try:
        behaviour.act(world, body["do"], body["email"], body, world.clock.now())
    except KeyError as error:
        return _unknown(str(error.args[0]))
    return ok({"done": True, "now": world.clock.now().isoformat()})


async def set_faults(request: web.Request) -> web.Response:
    """Replaces the fault plan."""
    try:
        plan = [Fault(**fault) for fault in await request.json()]
    except (TypeError, ValueError) as error:
        return _unknown(str(error))
    request.app[FAULTS][:] = plan
    return ok({"faults": len(plan)})


async def log(request: web.Request) -> web.Response:
    """Shows every call since the log was cleared."""
    return ok(request.app[LOG])


async def clear_log(request: web.Request) -> web.Response:
    """Empties the log."""
    request.app[LOG].clear()
    return ok({})


async def calls(request: web.Request) -> web.Response:
    """Counts calls by method and path."""
    lines = request.app[LOG]
    by_path = Counter(f"{line['method']} {line['path']}" for line in lines)
    return ok({"total": len(lines), "by_path": by_path})


async def drop_column(request: web.Request) -> web.Response:
    """Takes a column out of a list, as a customer may; of Act-On Contacts by its own id."""
    body, world = await request.json(), request.app[WORLD]
    if body["list"] in {UNIFIED, FORMS}:
        world.contact_headings = tuple(h for h in world.contact_headings if h != body["heading"])
    if body["list"] in world.tables:
        table = world.tables[body["list"]]
        table.headings = tuple(h for h in table.headings if h != body["heading"])
    return ok({})


async def drop_list(request: web.Request) -> web.Response:
    """Deletes a list."""
    request.app[WORLD].tables.pop((await request.json())["list"], None)
    return ok({})


async def tags(request: web.Request) -> web.Response:
    """Shows what stands in the tag list, by address in small letters."""
    table = request.app[WORLD].tables.get(TAGS)
    return ok({} if table is None else table.rows_by_address())


async def people(request: web.Request) -> web.Response:
    """Tells who is who: filter by ``email``, ``situation``, ``min_score``, ``listed``."""
    world = request.app[WORLD]
    email = request.query.get("email")
    if email is not None:
        named = set(world.people.numbers_in(email))
        named = {n for n in named if world.people.contact(n).email.lower() == email.lower()}
        numbers = iter(sorted(named))
    else:
        numbers = iter(range(number(request, "offset", 0), world.size))
    found = (person for n in numbers if _wanted(request, person := _truth(world, n)))
    return ok(list(islice(found, number(request, "count", PEOPLE))))


def _wanted(request: web.Request, person: dict[str, Any]) -> bool:
    query = request.query
    return (
        query.get("situation", person["situation"]) == person["situation"]
        and ("min_score" not in query or person["score"] >= float(query["min_score"]))
        and ("listed" not in query or query["listed"] in person["listed"])
    )


def _truth(world: World, member: int) -> dict[str, Any]:
    """Returns what is true of one person; the situation is the one in the form list."""
    born = world.people.contact(member)
    rows = {}
    for name in (FORMS, EVENTS):
        table = world.tables.get(name)
        index = None if table is None else table.index_of(member)
        if table is not None and index is not None:
            rows[name] = table.cells(index)
    heading = {FORMS: "Lead Score", EVENTS: "Score"}
    scores = [behaviour.points(cells[heading[name]]) for name, cells in rows.items()]
    feeds = (*ACCOUNT_FEEDS, *CATEGORIES)
    return {
        "number": member, "email": born.email, "situation": born.mould.situation,
        "score": max(scores, default=0), "rows": rows,
        "listed": [f for f in feeds if born.email and world.is_listed(f, born.email)],
    }  # fmt: skip


ROUTES: Final = [
    web.get(f"{CONTROL}now", now),
    web.post(f"{CONTROL}advance", advance),
    web.post(f"{CONTROL}act", act),
    web.post(f"{CONTROL}faults", set_faults),
    web.get(f"{CONTROL}log", log),
    web.post(f"{CONTROL}log/clear", clear_log),
    web.get(f"{CONTROL}calls", calls),
    web.post(f"{CONTROL}drop_column", drop_column),
    web.post(f"{CONTROL}drop_list", drop_list),
    web.get(f"{CONTROL}tags", tags),
    web.get(f"{CONTROL}people", people),
]
