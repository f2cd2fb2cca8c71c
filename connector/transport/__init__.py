"""The one way out: every HTTP call of the house leaves here, and only here is a call repeated."""

from connector.transport.call import (
    Call,
    Clock,
    Patience,
    Quota,
    Renewable,
    SystemClock,
)
from connector.transport.faults import (
    VERDICTS,
    Failure,
    Fault,
    Verdict,
    as_acton_error,
    fault_in,
    request_id,
)
from connector.transport.send import Transport

__all__ = [
    "VERDICTS",
    "Call",
    "Clock",
    "Failure",
    "Fault",
    "Patience",
    "Quota",
    "Renewable",
    "SystemClock",
    "Transport",
    "Verdict",
    "as_acton_error",
    "fault_in",
    "request_id",
]
