"""Where the application keeps its parts."""

from typing import Final

from aiohttp import web

from connector.sandbox.limits import Gate
from connector.sandbox.world import World

WORLD: Final = web.AppKey("world", World)
GATE: Final = web.AppKey("gate", Gate)
