"""Reading the body of an answer."""

from typing import Any

from connector.errors import SourceError
from connector.transport import Call, Transport


def json_of(transport: Transport, call: Call) -> Any:
    """Sends a call and returns its JSON; raises SourceError for a body that is none."""
    answer = transport.send(call)
    try:
        return answer.json()
    except ValueError as error:
        raise SourceError(
            f"{call.name} answered {answer.status_code} without JSON",
            hint="is a proxy or a login page in between?",
        ) from error
