"""What all answers have in common: error envelopes, numbers in queries, streamed CSV."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

NO_LIST: Final = (10004, "Invalid or missing list")
CHUNK_ROWS: Final = 500
PAGE_MAX: Final = 1000


def ok(body: Any) -> web.Response:
    """Answers 200 with JSON."""
    return web.json_response(body)


def refused(code: int, message: str, status: int = 400) -> web.Response:
    """Answers with Act-On's numeric error envelope."""
    return web.json_response({"errorCode": code, "message": message}, status=status)


def gateway(status: int, message: str) -> web.Response:
    """Answers as the API gateway does."""
    body = {"httpCode": str(status), "httpMessage": message, "moreInformation": ""}
    return web.json_response(body, status=status, headers={"x-request-id": "sandbox-0001"})


def number(request: web.Request, name: str, default: int) -> int:
    """Reads a whole number from the query."""
    text = request.query.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else default


async def csv_stream(
    request: web.Request, headings: Iterable[str], rows: Iterable[list[str]]
) -> web.StreamResponse:
    """Streams a whole list as CSV; a truncating fault breaks the body off."""
    answer = web.StreamResponse(headers={"Content-Type": "text/csv; charset=UTF-8"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(headings)
    for count, row in enumerate(rows, 1):
        writer.writerow(row)
        if count % CHUNK_ROWS == 0:
            await answer.write(buffer.getvalue().encode())
            buffer.seek(0)
            buffer.truncate()
            if request.get("truncate"):
                break
    if request.get("truncate"):
        await answer.write(buffer.getvalue()[: len(buffer.getvalue()) // 2].encode())
        cut_off(request)
        return answer
    await answer.write(buffer.getvalue().encode())
    await answer.write_eof()
    return answer


def cut_off(request: web.Request) -> None:
    """Closes the connection without an end."""
    if request.transport is not None:
        request.transport.abort()


async def truncated(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Announces the whole length and sends half of the body."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    answer = web.StreamResponse(status=whole.status)
    answer.content_type = whole.content_type
    answer.content_length = len(body)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    cut_off(request)
    return answer


def spec(text: object) -> Any:
    """Reads a JSON part of a multipart form."""
    return json.loads(str(text or "null"))
