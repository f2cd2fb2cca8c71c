"""Who must not be contacted: account lists, subscription categories, and the traps of writing."""

from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import PAGE_MAX, instant, millis, number, ok, page_start
from connector.sandbox.headings import ACCOUNT_FEEDS, CATEGORIES
from connector.sandbox.keys import WORLD, marks
from connector.sandbox.limits import USERNAME
from connector.sandbox.uploads import form_and_file, keep_rejected
from connector.sandbox.world import Entry

NO_CATEGORY: Final = {"errorCode": 10030, "message": "Invalid subscription category"}
ORIGIN: Final = "User: API via Act-On API"


async def feed(request: web.Request) -> web.Response:
    """``GET /api/1/list/optout`` and its sisters; their total is never told."""
    entries = _since(request, request.app[WORLD].feed(request.match_info["feed"]))
    shown = [
        {"email": e.email, "timestamp": millis(e.at), "origin": e.origin} for e in entries
    ]  # fmt: skip
    return _page(request, shown, total=-1)


def _since(request: web.Request, entries: list[Entry]) -> list[Entry]:
    """Filters by ``createdafter`` and ``createdbefore``, both in seconds."""
    after, before = number(request, "createdafter", 0), number(request, "createdbefore", 2**40)
    return [entry for entry in entries if instant(after) < entry.at < instant(before)]


def _page(request: web.Request, entries: list[dict[str, Any]], total: int) -> web.Response:
    """Answers a page; without ``count`` everything, as an early page of the documents says."""
    count = min(number(request, "count", PAGE_MAX), PAGE_MAX)
    if "count" not in request.query:
        count = max(len(entries), 1)
    offset = number(request, "offset", 0)
    start = page_start(offset, count)
    page = entries[start : start + count]
    return ok({"offset": offset, "count": len(page), "totalCount": total, "result": page})


async def categories(request: web.Request) -> web.Response:
    """``GET /api/1/subscription/category``; with ``email`` those that were opted into."""
    email = request.query.get("email")
    opted_in = request.app[WORLD].opted_in
    shown: list[dict[str, str]] = []
    for place, name in enumerate(CATEGORIES, 1):
        category = {"id": str(place), "name": name, "description": ""}
        if email is None:
            shown.append({**category, "headerid": "1", "headername": "All"})
        elif (name, email.strip().lower()) in opted_in:
            shown.append(category)
    return ok(shown)


async def category_opt_outs(request: web.Request) -> web.Response:
    """``GET /api/1/subscription/optout?category=``: here the total is real."""
    name = request.query.get("category", "")
    if name not in CATEGORIES:
        return web.json_response(NO_CATEGORY, status=404)
    entries = _since(request, request.app[WORLD].feed(name))
    shown = [{"email": e.email, "timestamp": millis(e.at)} for e in entries]
    return _page(request, shown, total=len(shown))


async def opt_out(request: web.Request) -> web.Response:
    """``PUT /api/1/list/optout``: a one-column CSV; success even if some were rejected."""
    world = request.app[WORLD]
    _, file = await form_and_file(request)
    if file is None:
        return web.json_response({"errorCode": 10003, "message": "Input file missing"}, status=400)
    lines = [line.strip().strip('"') for line in file.decode("utf-8-sig").splitlines()]
    emails = [line for line in lines if line]
    # The account's own users cannot be opted out.
    good = [email for email in emails if "@" in email and email.lower() != USERNAME]
    bad = [email for email in emails if email not in good]
    for email in good:
        world.list_on("optout", email, ORIGIN)
    message = f"{len(bad)} invalid or empty records rejected. {len(good)} valid records processed."
    answer = {
        "status": "success", "message": message, "emptyRecords": len(lines) - len(emails),
        "rejectedRecords": len(bad),
    }  # fmt: skip
    return ok(answer | ({"rejectedRecordsUrl": keep_rejected(request, bad)} if bad else {}))


async def opt_in(request: web.Request) -> web.Response:
    """``PUT /api/1/list/optin``: re-subscribes; the connector must never call it."""
    marks().add("forbidden")
    _, file = await form_and_file(request)
    emails = [line.strip() for line in (file or b"").decode("utf-8-sig").splitlines()]
    for email in emails:
        request.app[WORLD].unlist("optout", email)
    return ok({"status": "success", "message": f"{len(emails)} valid records processed."})


async def category_opt(request: web.Request) -> web.Response:
    """``PUT /api/1/subscription/optout``: without ``action`` it opts the person **in**."""
    world, form = request.app[WORLD], await request.post()
    email, name = str(form.get("email", "")), str(form.get("category", ""))
    out = form.get("action") == "optout"
    if not out:
        marks().add("forbidden")
    if name not in CATEGORIES or "@" not in email:
        return web.json_response(NO_CATEGORY, status=404)
    if out:
        world.list_on(name, email, ORIGIN)
    else:
        world.unlist(name, email)
        world.opted_in.add((name, email.strip().lower()))
    said = "OptOut" if out else "OptIn"
    message = f"{said} entry added for subscription category : {name}"
    return ok({"status": "success", "message": message})


async def set_categories(request: web.Request) -> web.Response:
    """``PUT /api/1/subscription/setcategories``: replaces the state; what is not named is out."""
    marks().add("forbidden")
    world, form = request.app[WORLD], await request.post()
    email = str(form.get("email", ""))
    named = [str(name) for name in form.getall("category", [])]
    for name in CATEGORIES:
        if name in named:
            world.unlist(name, email)
        else:
            world.list_on(name, email, ORIGIN)
    message = f"Entry added for subscription categories : [{', '.join(named)}]"
    return ok({"status": "success", "message": message})


ROUTES: Final = [
    web.get("/api/1/list/{feed:" + "|".join(ACCOUNT_FEEDS) + "}", feed),
    web.put("/api/1/list/optout", opt_out),
    web.put("/api/1/list/optin", opt_in),
    web.get("/api/1/subscription/category", categories),
    web.get("/api/1/subscription/optout", category_opt_outs),
    web.put("/api/1/subscription/optout", category_opt),
    web.put("/api/1/subscription/setcategories", set_categories),
]
