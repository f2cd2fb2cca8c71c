"""What all answers have in common: error envelopes, numbers in queries, streamed CSV."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from connector.sandbox.keys import marks
from connector.sandbox.tables import Table

NO_LIST: Final = (10004, "Invalid or missing list")
NO_CONTACT: Final = (10008, "Invalid contact")
NO_JOB: Final = (10017, "Invalid or expired Job Id")
CHUNK_ROWS: Final = 1000
PAGE_MAX: Final = 1000
LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
REASONS: Final = {
    401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway",
}  # fmt: skip


def ok(body: Any) -> web.Response:
    """Answers 200 with JSON."""
    return web.json_response(body)


def refused(code: int | str, message: str) -> web.Response:
    """Answers 400 with Act-On's error envelope; which calls write the code as text differs."""
    return web.json_response({"errorCode": code, "message": message}, status=400)


def empty(status: int) -> web.Response:
    """Answers as Act-On Contacts does: an error without a body, as plain text."""
    return web.Response(status=status, content_type="text/plain")


def gateway(status: int, more: str = "") -> web.Response:
    """Answers as the API gateway does, before Act-On has seen the call."""
    body = {
        "httpCode": str(status), "httpMessage": REASONS.get(status, "Error"),
        "moreInformation": more,
    }  # fmt: skip
    return web.json_response(body, status=status, headers={"x-request-id": "sandbox-0001"})


def number(request: web.Request, name: str, default: int) -> int:
    """Reads a whole number of 0 or more from the query."""
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default


def instant(stamp: int) -> datetime:
    """Reads Unix seconds; a stamp far beyond any date is the last instant there is."""
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, ValueError, OSError):
        return LATEST


def millis(at: datetime) -> int:
    """Returns a Unix stamp in milliseconds."""
    return int(at.timestamp() * 1000)


def page_start(start: int, size: int) -> int:
    """Returns where a page starts; a fault may send the page before it once more."""
    return max(0, start - size) if "duplicate_page" in marks() else start


async def csv_stream(
    request: web.Request, table: Table, headings: tuple[str, ...]
) -> web.StreamResponse:
    """Streams a whole list as CSV; a truncating fault breaks off in the middle of a line."""
    answer = web.StreamResponse(headers={"Content-Type": "text/csv; charset=UTF-8"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    lines = [",".join(("_contact_id_", *headings))]
    sent = 0
    for line in table.lines(headings):
        lines.append(line)
        if len(lines) >= CHUNK_ROWS:
            sent += len(lines)
            await answer.write(_joined(lines))
            lines = []
            if "truncate" in marks() and sent > len(table) // 2:
                break
    last = _joined(lines)
    if "truncate" in marks():
        await answer.write(last[: len(last) // 2] or b"l-")
        hang_up(request)
        return answer
    await answer.write(last)
    await answer.write_eof()
    return answer


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def cut_off(request: web.Request) -> web.Response:
    """Drops the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def hang_up(request: web.Request) -> None:
    """Closes the connection after what was written, though more was announced."""
    if request.transport is not None:
        request.transport.close()


async def truncated(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Announces the whole length and sends half of the body."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    answer = web.StreamResponse(status=whole.status)
    answer.content_type = whole.content_type
    answer.content_length = len(body)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    hang_up(request)
    return answer
