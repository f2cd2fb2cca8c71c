"""Answers of Act-On as JSON: checked for errors that hide under status 200, described by shape."""

from typing import Any

import requests

from connector.errors import ActOnError, SourceError
from connector.transport import Call, Transport, fault_in, request_id


def ask(transport: Transport, call: Call) -> Any:
    """Returns the JSON that a call is answered with; raises ActOnError or SourceError.

    Errors under status 200 are known of Act-On (``isSuccess: false``, ``errors``, ``errorCode``).
    """
    answer = transport.send(call)
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
        raise SourceError(
            f"{call.name} answered {answer.status_code} without JSON ({kind})",
            hint="is base_url Act-On's API, or a proxy's page?",
        ) from None
    if isinstance(body, dict) and _is_error(body):
        fault = fault_in(answer.text)
        raise ActOnError(
            f"Act-On: {call.name} answered {answer.status_code} with an error:"
            f" {fault.code} {fault.text}".rstrip(": "),
            status=answer.status_code,
            code=fault.code,
            request_id=request_id(answer),
        )
    return body


def _is_error(body: dict[str, Any]) -> bool:
    return body.get("isSuccess") is False or bool(body.get("errors")) or bool(body.get("errorCode"))


def shape_of(value: object) -> str:
    """Describes JSON by its keys and types, never by its values.

    Keys that are no plain words may be personal data themselves and are masked.
    """
    if isinstance(value, dict):
        said = {(k if k.replace("_", "").isalnum() else "***"): v for k, v in value.items()}
        return "{" + ", ".join(f"{key}: {shape_of(said[key])}" for key in sorted(said)) + "}"
    if isinstance(value, list):
        return f"[{shape_of(value[0])}]" if value else "[]"
    return type(value).__name__
