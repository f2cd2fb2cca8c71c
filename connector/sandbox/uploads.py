"""Uploads into a list: taken at once, merged by a job, rejected rows in a file of their own."""

import json
from typing import Final

from aiohttp import web

from connector.sandbox.answers import NO_JOB, NO_LIST, ok, refused
from connector.sandbox.headings import EMAIL
from connector.sandbox.keys import WORLD
from connector.sandbox.merging import STAGES, Job, Refused, read_upload
from connector.sandbox.people import quoted

FIRST_JOB: Final = 1_000_001


async def form_and_file(request: web.Request) -> tuple[dict[str, str], bytes | None]:
    """Reads a multipart form: its texts, and the content of ``file``."""
    form = await request.post()
    file = form.get("file")
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    return texts, file.file.read() if isinstance(file, web.FileField) else None


async def merge(request: web.Request) -> web.Response:
    """``PUT /api/1/list/{id}``: merge upload; the answer does not mean that it is merged."""
    world = request.app[WORLD]
    table = world.tables.get(request.match_info["id"])
    form, file = await form_and_file(request)
    if table is None:
        return refused(*NO_LIST)
    try:
        upload = read_upload(form, file, table)
    except Refused as error:
        return refused(error.code, error.message)
    job = Job(str(FIRST_JOB + len(world.jobs)), table, upload, world.clock.now())
    world.jobs[job.id] = job
    return ok({"status": "success", "message": "Upload completed", "jobId": job.id})


async def job_status(request: web.Request) -> web.Response:
    """``GET /api/1/list/{job}/status``: pending, running, done."""
    world = request.app[WORLD]
    job = world.jobs.get(request.match_info["job"])
    if job is None:
        return refused(*NO_JOB)
    job.polls += 1
    now = world.clock.now()
    if job.due(now):
        job.merge(now)
    if not job.details:
        return ok({"status": STAGES[job.stage(now)]})
    if job.rejects:
        lines = [quoted([heading for _, heading in job.upload.columns]), *map(quoted, job.rejects)]
        world.rejected[job.details["rejectedRecordsUrl"]] = "".join(f"{x}\r\n" for x in lines)
    return ok({"status": "success", "jobDetails": json.dumps(job.details), "details": job.details})


async def rejected(request: web.Request) -> web.Response:
    """``GET /api/1/list/rejectedUploadRecords?filename=``: the rejected rows as CSV."""
    text = request.app[WORLD].rejected.get(request.query.get("filename", ""))
    if text is None:
        return web.json_response({}, status=400)
    return web.Response(text=text, content_type="text/csv")


def keep_rejected(request: web.Request, emails: list[str]) -> str:
    """Keeps rejected addresses of an opt-out upload; returns the file's name."""
    world = request.app[WORLD]
    name = f"bad_optout_records_{len(world.rejected) + 1}.csv"
    world.rejected[name] = "".join(f"{quoted([email])}\r\n" for email in (EMAIL, *emails))
    return name


ROUTES: Final = [
    web.get("/api/1/list/rejectedUploadRecords", rejected),
    web.get("/api/1/list/{job}/status", job_status),
    web.put("/api/1/list/{id}", merge),
]
