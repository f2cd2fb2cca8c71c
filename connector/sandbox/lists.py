"""Marketing lists and suppressions: ``/api/1``."""

import csv
import io
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from connector.sandbox.answers import (
    NO_LIST,
    PAGE_MAX,
    csv_stream,
    number,
    ok,
    refused,
    spec,
)
from connector.sandbox.keys import WORLD
from connector.sandbox.world import ACCOUNT_FEEDS, CATEGORIES, TAGS, Entry, World

JOBS: Final = web.AppKey("jobs", dict[str, dict[str, Any]])
MILLIS: Final = 1000


def millis(at: datetime) -> int:
    """Returns a Unix stamp in milliseconds."""
    return int(at.timestamp() * MILLIS)


async def account(_: web.Request) -> web.Response:
    """``GET /api/1/account``."""
    return ok(
        {
            "account_id": 12345, "cname": "demo.example", "user_name": "API",
            "account_name": "ACME demo", "user_type": "Marketing", "isAdmin": True,
            "time_zone": "Europe/London",
        }
    )  # fmt: skip


async def listing(request: web.Request) -> web.Response:
    """``GET /api/1/list``."""
    world = request.app[WORLD]
    lists = [
        {"id": name, "name": name, "folderName": "Default Folder", "sourceId": name,
         "sourceSize": str(world.length(name)), "bIsList": True, "bIsSforce": False,
         "tsLastModified": millis(world.clock.now())}
        for name in world.headings
    ]  # fmt: skip
    return ok({"offset": 0, "count": len(lists), "totalCount": len(lists), "result": lists})


async def download(request: web.Request) -> web.StreamResponse:
    """``GET /api/1/list/{id}`` as CSV (whole list) or as JSON pages."""
    world, name = request.app[WORLD], request.match_info["id"]
    if name not in world.headings:
        return refused(*NO_LIST)
    headings = ["_contact_id_", *world.headings[name]]
    if request.query.get("responseformat", "").upper() == "CSV":
        return await csv_stream(request, headings, world.rows(name))
    count = min(number(request, "count", PAGE_MAX), PAGE_MAX)
    offset = number(request, "offset", 0)
    if request.get("duplicate_page"):
        offset = max(0, offset - count)
    rows = list(world.rows(name, offset, offset + count))
    email = next((i for i, h in enumerate(headings) if h in {"E-mail Address", "Email"}), -1)
    if request.get("move_row"):
        world.moved.append((offset + count + 5, 0))
    return ok(
        {"listId": name, "offset": offset, "count": len(rows), "totalCount": world.length(name),
         "emailColumn": email, "headers": headings, "data": rows}
    )  # fmt: skip


async def feed(request: web.Request) -> web.Response:
    """``GET /api/1/list/optout`` and its sisters; ``createdafter`` is in seconds."""
    world, name = request.app[WORLD], request.match_info["feed"]
    entries = [
        {"email": e.email, "timestamp": millis(e.at), "origin": "User: API"}
        for e in _since(request, world.feed(name))
    ]
    return _page(request, entries, total=-1)


def _since(request: web.Request, entries: list[Entry]) -> list[Entry]:
    since = datetime.fromtimestamp(min(number(request, "createdafter", 0), 2**35), UTC)
    return [entry for entry in entries if entry.at > since]


def _page(request: web.Request, entries: list[dict[str, Any]], total: int) -> web.Response:
    count = min(number(request, "count", len(entries)), PAGE_MAX)
    offset = number(request, "offset", 0)
    if request.get("duplicate_page"):
        offset = max(0, offset - count)
    page = entries[offset : offset + count]
    return ok({"offset": offset, "count": len(page), "totalCount": total, "result": page})


async def categories(_: web.Request) -> web.Response:
    """``GET /api/1/subscription/category``."""
    return ok(
        [
            {"id": str(i), "name": name, "description": "", "headerid": "1",
             "headername": "All"}
            for i, name in enumerate(CATEGORIES, 1)
        ]
    )  # fmt: skip


async def category_opt_outs(request: web.Request) -> web.Response:
    """``GET /api/1/subscription/optout?category=``."""
    name = request.query.get("category", "")
    if name not in CATEGORIES:
        return refused(10030, "Invalid category", 404)
    entries = [
        {"email": e.email, "timestamp": millis(e.at)}
        for e in _since(request, request.app[WORLD].feed(name))
    ]
    return _page(request, entries, total=len(entries))


async def opt_out(request: web.Request) -> web.Response:
    """``PUT /api/1/list/optout``: a one-column CSV of addresses."""
    form = await request.post()
    upload = form.get("file")
    if not isinstance(upload, web.FileField):
        return refused(10003, "Input file missing")
    emails = [line.strip() for line in upload.file.read().decode().splitlines() if line.strip()]
    world = request.app[WORLD]
    valid = [email for email in emails if "@" in email]
    for email in valid:
        world.act("optout", email)
    bad = len(emails) - len(valid)
    message = f"{bad} invalid or empty records rejected. {len(valid)} valid records processed."
    return ok({"status": "success", "message": message, "emptyRecords": 0, "rejectedRecords": bad})


async def category_opt(request: web.Request) -> web.Response:
    """``PUT /api/1/subscription/optout``: without ``action`` it opts the person **in**."""
    form = await request.post()
    email, name = str(form.get("email", "")), str(form.get("category", ""))
    if not email or name not in CATEGORIES:
        return refused(10030, "Invalid category", 404)
    out = form.get("action") == "optout"
    if out:
        request.app[WORLD].act(name, email)
    what = "OptOut" if out else "OptIn"
    return ok(
        {"status": "success", "message": f"{what} entry added for subscription category : {name}"}
    )


async def merge(request: web.Request) -> web.Response:
    """``PUT /api/1/list/{id}``: merge upload; answered at once, merged by a job."""
    world, form = request.app[WORLD], await request.post()
    upload = form.get("file")
    if not isinstance(upload, web.FileField):
        return refused(10003, "Input file missing")
    merges = spec(form.get("mergespecs"))
    target = merges[0].get("dstListId") if merges else None
    if target not in world.headings or target != request.match_info["id"]:
        return refused(10025, "Invalid or missing merge destination list")
    uploads = spec(form.get("uploadspecs")) or []
    names = [column["columnHeading"] for column in sorted(uploads, key=lambda c: c["columnIndex"])]
    if not set(names) <= set(world.headings[target]):
        return refused(10088, "At least one specified merge column is missing")
    rows = list(csv.reader(io.StringIO(upload.file.read().decode("utf-8-sig"))))
    rows = rows[1:] if form.get("headings", "Y") == "Y" else rows
    details = _merge(world, names, rows, form.get("putEmptyValues") == "Y", merges[0]["mergeMode"])
    jobs = request.app[JOBS]
    job = str(1_000_000 + len(jobs))
    jobs[job] = {"polls": 0, "details": details | {"listId": target}}
    return ok({"status": "success", "message": "Upload completed", "jobId": job})


def _merge(
    world: World, names: list[str], rows: list[list[str]], empties: bool, mode: str
) -> dict[str, Any]:
    counts = {"status": "ok", "appendCount": 0, "updateCount": 0, "failedCount": 0}
    rejected = 0
    if mode == "REPLACE":
        world.owned.clear()
    for row in rows:
        cells = dict(zip(names, row, strict=False))
        key = cells.get("E-mail Address", "").strip().lower()
        if "@" not in key or len(row) != len(names):
            rejected += 1
            continue
        known = world.owned.get(key)
        if known is None and mode == "UPDATE_ONLY":
            rejected += 1
            continue
        counts["appendCount" if known is None else "updateCount"] += 1  # type: ignore[operator]  # counts are ints
        new = {name: cell for name, cell in cells.items() if cell or empties}
        world.owned[key] = (known or {}) | new
    return {**counts, "rejectedCount": rejected}


async def job_status(request: web.Request) -> web.Response:
    """``GET /api/1/list/{job}/status``: pending, running, done."""
    job = request.app[JOBS].get(request.match_info["job"])
    if job is None:
        return refused(10017, "Invalid or expired Job Id")
    job["polls"] += 1
    if job["polls"] == 1:
        return ok({"status": "The job is running"})
    return ok({"status": "success", "jobDetails": "{}", "details": job["details"]})


async def lookup(request: web.Request) -> web.Response:
    """``GET /api/1/list/lookup/{id}?email=``."""
    world, name = request.app[WORLD], request.match_info["id"]
    if name not in world.headings:
        return refused(*NO_LIST)
    wanted = request.query.get("email", "").strip().lower()
    if name == TAGS:
        found = world.owned.get(wanted)
        return ok({} if found is None else {"contactID": f"{TAGS}:0", **found})
    heading = "E-mail Address" if name.endswith("1") else "Email"
    at = world.headings[name].index(heading) + 1
    for row in world.rows(name):
        if row[at].strip().lower() == wanted:
            cells = dict(zip(world.headings[name], row[1:], strict=True))
            return ok({"contactID": row[0], **cells, ".tz": ""})
    return ok({})


async def programs(_: web.Request) -> web.Response:
    """``GET /api/1/program``."""
    return ok({"count": 1, "result": [{"id": "a-0001", "name": "Hot leads to Sales"}]})


async def forbidden(_: web.Request) -> web.Response:
    """Calls that opt people in: they work, as they do at Act-On, and are logged."""
    return ok({"status": "success", "message": "OptIn entry added"})


ROUTES: Final = [
    web.get("/api/1/account", account),
    web.get("/api/1/program", programs),
    web.get("/api/1/list", listing),
    web.put("/api/1/list/optin", forbidden),
    web.put("/api/1/subscription/setcategories", forbidden),
    web.put("/api/1/list/optout", opt_out),
    web.get("/api/1/list/{feed:" + "|".join(ACCOUNT_FEEDS) + "}", feed),
    web.get("/api/1/list/lookup/{id}", lookup),
    web.get("/api/1/list/{job}/status", job_status),
    web.get("/api/1/list/{id}", download),
    web.put("/api/1/list/{id}", merge),
    web.get("/api/1/subscription/category", categories),
    web.get("/api/1/subscription/optout", category_opt_outs),
    web.put("/api/1/subscription/optout", category_opt),
]
