"""What an answer means: one table from status to verdict, and every known error envelope read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote

import requests
from urllib3.exceptions import NewConnectionError

from connector.errors import ActOnError, ConnectorError, QuotaExhausted
from connector.transport.call import Call

FORBIDDEN: Final = 403
UNAVAILABLE: Final = 503
_ADDRESS: Final = re.compile(r"[^\s\"'<>()\[\],;:/]+@[^\s\"'<>()\[\],;:/]+")
_QUOTA_WORDS: Final = re.compile(r"limit|quota|throttl", re.IGNORECASE)
_THROTTLE_CODES: Final = frozenset({"900800", "900802", "900803", "900804"})
"""Codes of the gateway in front of Act-On's older host, whatever status comes with them."""
_REQUEST_IDS: Final = ("x-request-id", "x-global-transaction-id")
_LONGEST_TEXT: Final = 200


class Verdict(StrEnum):
    """What an answer means for sending the call again."""

    DONE = "done"
    NOTHING_DONE = "nothing done"
    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    UNKNOWN = "unknown"
    REFUSED = "refused"


VERDICTS: Final[Mapping[int, Verdict]] = {
    401: Verdict.UNAUTHORISED,
    408: Verdict.UNKNOWN,
    429: Verdict.THROTTLED,
    500: Verdict.UNKNOWN,
    502: Verdict.UNKNOWN,
    503: Verdict.THROTTLED,
    504: Verdict.UNKNOWN,
}
"""Status to verdict; 2xx is DONE, a 403 that speaks of a quota THROTTLED, the rest REFUSED."""


class Fault(NamedTuple):
    """An error as the body tells it, whichever envelope it came in."""

    code: str = ""
    text: str = ""


_NO_FAULT: Final = Fault()


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed for good; holds no address and no secret. ``status`` 0 is no answer."""

    call: str
    verdict: Verdict
    status: int = 0
    fault: Fault = _NO_FAULT
    request_id: str = ""
    retry_after_s: float = 0.0

    def __str__(self) -> str:
        """Says what happened in one line."""
        what = f"answered {self.status}" if self.status else "got no answer"
        said = " ".join(filter(None, [self.fault.code, self.fault.text]))
        ids = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.call} {what}{': ' if said else ''}{said}{ids}"


def as_acton_error(failure: Failure) -> ConnectorError:
    """Returns the error for a failed call to Act-On."""
    if failure.verdict is Verdict.THROTTLED and failure.status != UNAVAILABLE:
        return QuotaExhausted(
            f"Act-On takes no more calls: {failure}",
            hint="its daily quota is shared with other integrations; the next run continues",
        )
    return ActOnError(
        f"Act-On: {failure}",
        status=failure.status,
        code=failure.fault.code,
        request_id=failure.request_id,
        hint="" if failure.status else "check network, proxy and CA bundle, then run again",
    )


def verdict_on(error: requests.RequestException) -> Verdict:
    """Says whether a call may have reached the server."""
    if isinstance(error, requests.exceptions.SSLError):
        return Verdict.REFUSED
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Verdict.NOTHING_DONE
    lost = requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError
    garbled = requests.exceptions.ContentDecodingError
    return Verdict.UNKNOWN if isinstance(error, lost | garbled) else Verdict.REFUSED


def failure_of(call: Call, response: requests.Response, now: datetime) -> Failure:
    """Reads what a refusing answer says; reads the body if it was not read yet."""
    try:
        body = response.text
    except requests.RequestException:
        body = ""  # the status alone decides; the body of an error only explains it
    fault = fault_in(body)
    verdict = VERDICTS.get(response.status_code, Verdict.REFUSED)
    quota = response.status_code == FORBIDDEN and _QUOTA_WORDS.search(body)
    if quota or fault.code in _THROTTLE_CODES:
        verdict = Verdict.THROTTLED
    return Failure(
        call.name,
        verdict,
        status=response.status_code,
        fault=fault,
        request_id=request_id(response),
        retry_after_s=_retry_after(response.headers.get("Retry-After", ""), now),
    )


def request_id(response: requests.Response) -> str:
    """Returns the gateway's ids of a request, which support asks for."""
    return " ".join(filter(None, (response.headers.get(name) for name in _REQUEST_IDS)))


def _retry_after(value: str, now: datetime) -> float:
    """Reads the header, in seconds or as an HTTP date; 0 when absent or unreadable."""
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def fault_in(body: str) -> Fault:
    """Reads an error body in any of the known envelopes, or as text; masks addresses.

    Numeric ``{errorCode, message}``, gateway ``{httpCode, httpMessage, moreInformation}``, OAuth
    ``{error, error_description}``, ``{errors: [...]}`` or ``{errorMessage, statusCode}``, Spring
    ``{errorId, ...}``, and the older gateway's ``{fault: {code, message}}``.
    """
    try:
        parsed = json.loads(body)
    except ValueError:
        return Fault("", "" if body.lstrip().startswith("<") else _masked(body))
    found = parsed.get("fault", parsed) if isinstance(parsed, dict) else {}
    if not isinstance(found, dict):
        return Fault("", _masked(str(found)))
    errors = found.get("errors")
    listed = "; ".join(map(str, errors)) if isinstance(errors, list) else ""
    code = _first(found, "errorCode", "code", "httpCode", "error", "errorId", "statusCode")
    text = _first(
        found, "message", "error_description", "moreInformation", "httpMessage", "errorMessage"
    )
    return Fault(_masked(code), _masked(text or listed))


def _first(found: Mapping[str, object], *keys: str) -> str:
    values = (found.get(key) for key in keys)
    return next((str(v) for v in values if isinstance(v, str | int) and v != ""), "")


def _masked(text: str) -> str:
    return _ADDRESS.sub("***", " ".join(unquote(text).split()))[:_LONGEST_TEXT]
