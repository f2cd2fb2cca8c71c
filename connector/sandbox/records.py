"""Single records of a marketing list: read, look up, score, write."""

import json
from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import NO_CONTACT, NO_LIST, millis, ok, refused
from connector.sandbox.headings import AS_EVENT, EVENTS, SCORE, USAGES
from connector.sandbox.keys import WORLD
from connector.sandbox.tables import Table

BAD_COLUMN: Final = ("10010", "Invalid Column Specified")
"""The code is a text here (developer.act-on.com, record writes)."""
VERBS: Final = {"optout": ("oo", "OPTOUT"), "hardbounce": ("hb", "BOUNCE"),
                "spamcomplaint": ("sp", "SPAM")}  # fmt: skip


def _table(request: web.Request) -> Table | None:
    return request.app[WORLD].tables.get(request.match_info["id"])


async def lookup(request: web.Request) -> web.Response:
    """``GET /api/1/list/lookup/{id}?email=``: the first record; an empty object for none."""
    table = _table(request)
    if table is None:
        return refused(*NO_LIST)
    found = table.find(request.query.get("email", ""))
    if not found:
        return ok({})
    cells = table.cells(found[0])
    shown = {heading: cells.get(heading, "") for heading in table.headings}
    return ok({"contactID": table.record(found[0]), **shown, ".tz": ""})


async def record(request: web.Request) -> web.Response:
    """``GET /api/1/list/{id}/record/{recid}``: a bare array that does not fit the headings."""
    table = _table(request)
    if table is None:
        return refused(*NO_LIST)
    index = table.index_in(request.match_info["record"])
    if index is None:
        return refused(*NO_CONTACT)
    at = table.modified(index)
    return ok([*table.row(index, table.headings), f"{at:%Y-%m-%d %H:%M:%S} UTC"])


async def facts(request: web.Request) -> web.Response:
    """``GET /api/1/list/{id}/record/{recid}/facts``: the score is a number here."""
    world, table = request.app[WORLD], _table(request)
    if table is None:
        return refused(*NO_LIST)
    index = table.index_in(request.match_info["record"])
    if index is None:
        return refused(*NO_CONTACT)
    cells = table.cells(index)
    email = cells[table.email].strip().lower()
    acts = [
        {"Verb": verb, "Bin": kind, "What": entry.origin, "WhenMillis": millis(entry.at),
         "InScoreRange": False, "id": name, "idType": "list", "Responses": []}
        for name, (verb, kind) in VERBS.items()
        for entry in world.feed(name)
        if entry.email.lower() == email
    ]  # fmt: skip
    score = _number(cells.get(AS_EVENT[SCORE] if table.id == EVENTS else SCORE, ""))
    activity = {
        "score": score, "ScorePeriod": "all time", "HasScoreSheet": True, "HasBehaviorScore": True,
        "HasProfileScore": False, "ScoreDetails": [], "entries": [], "EntryMonthsAvailable": [],
        "firstInbound": "13 Days Ago", "lastInbound": "Today",
    }  # fmt: skip
    return ok({"activity": activity, "activitylist": acts})


def _number(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        return 0
    return int(score) if score.is_integer() else score


async def upsert(request: web.Request) -> web.Response:
    """``PUT /api/1/list/{id}/record?email=``: the first record with the address, or a new one."""
    world, table = request.app[WORLD], _table(request)
    if table is None:
        return refused(*NO_LIST)
    cells = await _cells(request, table)
    if cells is None:
        return refused(*BAD_COLUMN)
    email = request.query.get("email", "")
    if "@" not in email:
        return refused(*NO_CONTACT)
    found = table.find(email)
    if found:
        table.change(found[0], cells, world.clock.now())
    index = found[0] if found else table.add({table.email: email, **cells}, world.clock.now())
    said = "Record updated" if found else "Record inserted"
    record_id = table.record(index)
    return ok({"status": "success", "message": said, "id": record_id, "contact_id": record_id})


async def update(request: web.Request) -> web.Response:
    """``PUT /api/1/list/{id}/record/{recid}``: columns that are left out stay."""
    table = _table(request)
    if table is None:
        return refused(*NO_LIST)
    index = table.index_in(request.match_info["record"])
    if index is None:
        return refused(*NO_CONTACT)
    cells = await _cells(request, table)
    if cells is None:
        return refused(*BAD_COLUMN)
    table.change(index, cells, request.app[WORLD].clock.now())
    return ok({"status": "success", "message": "Record updated"})


async def _cells(request: web.Request, table: Table) -> dict[str, str] | None:
    """Reads a JSON object by heading or system usage; None if it names an unknown column."""
    try:
        body: Any = await request.json()
    except json.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    cells = {_heading(str(name), table): str(value) for name, value in body.items()}
    return cells if set(cells) <= set(table.headings) else None


def _heading(name: str, table: Table) -> str:
    return next((h for h in table.headings if h in USAGES.get(name, ())), name)


ROUTES: Final = [
    web.get("/api/1/list/lookup/{id}", lookup),
    web.put("/api/1/list/{id}/record", upsert),
    web.get("/api/1/list/{id}/record/{record}", record),
    web.put("/api/1/list/{id}/record/{record}", update),
    web.get("/api/1/list/{id}/record/{record}/facts", facts),
]
