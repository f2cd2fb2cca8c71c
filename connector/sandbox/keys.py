"""Where the application keeps its parts."""

from contextvars import ContextVar
from typing import Any, Final

from aiohttp import web

from connector.sandbox.faults import Fault
from connector.sandbox.limits import Gate
from connector.sandbox.world import World

WORLD: Final = web.AppKey("world", World)
GATE: Final = web.AppKey("gate", Gate)
FAULTS: Final = web.AppKey("faults", list[Fault])
LOG: Final = web.AppKey("log", list[dict[str, Any]])
ACCOUNT: Final = "12345"
_MARKS: ContextVar[set[str]] = ContextVar("marks")


def start_call() -> set[str]:
    """Begins a call: nothing goes wrong with it yet. Calls of one connection share a task."""
    marks: set[str] = set()
    _MARKS.set(marks)
    return marks


def marks() -> set[str]:
    """Returns the faults that strike the current call, and ``forbidden`` if it is one."""
    return _MARKS.get()
