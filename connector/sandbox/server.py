"""The HTTP server: on loopback only, with limits, tokens, faults and a log of every call."""

import asyncio
import ipaddress
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import web

from connector.sandbox import contacts, control, lists, records, segments, suppressions, uploads
from connector.sandbox.answers import cut_off, empty, gateway, truncated
from connector.sandbox.clock import SimulatedClock
from connector.sandbox.control import CONTROL
from connector.sandbox.keys import FAULTS, GATE, LOG, WORLD, marks, start_call
from connector.sandbox.limits import Gate, Limits
from connector.sandbox.people import START, Population
from connector.sandbox.world import World

UPLOAD_BYTES: Final = 400 * 2**20
"""Act-On takes files up to 400 MB."""
STARTED_S: Final = 30
REFUSALS: Final = (429, 500, 502)
Done = TypeVar("Done")
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROUTES: Final = (
    # The order matters: a list id would match the name of an account list.
    *suppressions.ROUTES, *uploads.ROUTES, *records.ROUTES, *lists.ROUTES, *contacts.ROUTES,
    *segments.ROUTES, *control.ROUTES,
)  # fmt: skip


@web.middleware
async def logged(request: web.Request, handler: Answering) -> web.StreamResponse:
    """Writes down every call but those that control the sandbox; never a value of a query."""
    if request.path.startswith(CONTROL):
        return await handler(request)
    line: dict[str, Any] = {
        "method": request.method, "path": request.path, "query": sorted(request.query),
        "content_type": request.content_type, "status": 0, "forbidden": False,
    }  # fmt: skip
    request.app[LOG].append(line)
    struck = start_call()
    answer = await handler(request)
    line["forbidden"] = "forbidden" in struck
    line["status"] = 0 if "drop" in struck else answer.status
    return answer


@web.middleware
async def guarded(request: web.Request, handler: Answering) -> web.StreamResponse:
    """Applies faults, then limits, then tokens, as a gateway does."""
    world = request.app[WORLD]
    world.settle()
    if request.path.startswith(CONTROL):
        return await handler(request)
    for fault in [f for f in request.app[FAULTS] if f.strikes(request.method, request.path)]:
        marks().add(fault.kind)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    if "drop" in marks():
        return cut_off(request)
    refusal = _refusal(request, request.app[GATE], world.clock.now())
    if refusal is not None:
        return refusal
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        return gateway(error.status)
    if "truncate" in marks() and isinstance(answer, web.Response):
        return await truncated(request, answer)
    return answer


def _refusal(request: web.Request, gate: Gate, now: datetime) -> web.Response | None:
    for status in REFUSALS:
        if str(status) in marks():
            return gateway(status)
    if not gate.admit(now):
        return gateway(429, "Rate Limit exceeded")
    if request.path == "/token":
        return None
    bearer = request.headers.get("Authorization", "")
    if "expire_token" in marks():
        gate.kill(bearer)
    if not gate.knows(bearer, now):
        return gateway(401)
    if request.path.startswith("/ucl/") and not request.path.startswith(f"{contacts.BASE}/"):
        return empty(403)
    return None


async def token(request: web.Request) -> web.Response:
    """``POST /token``, form-encoded."""
    status, body = request.app[GATE].grant(await request.post(), request.app[WORLD].clock.now())
    return web.json_response(body, status=status)


def application(world: World, gate: Gate) -> web.Application:
    """Returns the server application."""
    app = web.Application(middlewares=[logged, guarded], client_max_size=UPLOAD_BYTES)
    app[WORLD], app[GATE], app[FAULTS], app[LOG] = world, gate, [], []
    app.add_routes([web.post("/token", token), *ROUTES])
    return app


class Server:
    """A running sandbox in a thread of its own; a context manager."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self.app, self.world = app, app[WORLD]
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            bound = self._run(self._start(host, port))
        except OSError:
            self.close()
            raise
        self.url = f"http://{host if ':' not in host else f'[{host}]'}:{bound}"

    async def _start(self, host: str, port: int) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    def _run(self, work: Coroutine[Any, Any, Done]) -> Done:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTED_S)

    def close(self) -> None:
        """Stops serving; a second call does nothing."""
        if self._thread.is_alive():
            self._run(self._runner.cleanup())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        """Returns the running server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops it."""
        self.close()


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    contacts: int = 1000,
    seed: int = 1,
    *,
    limits: Limits | tuple[int, int, int] = Limits(),  # noqa: B008  # an immutable value
    start: datetime = START,
    tick: Callable[[], float] = time.monotonic,
) -> Server:
    """Starts a sandbox with ``contacts`` people; raises ValueError for a host that is not loopback.

    ``limits`` are calls a second, calls a day and authentications an hour; ``start`` is aware,
    and simulated time goes on from there with ``tick`` (elapsed seconds) and with each advance.
    """
    if host == "localhost":
        host = "127.0.0.1"
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError("the sandbox serves loopback addresses only")
    world = World(Population(contacts, seed, start), SimulatedClock(start, tick), seed)
    return Server(application(world, Gate(*limits)), host, port)


def run_forever(
    on_ready: Callable[[Server], None],
    stop: threading.Event,
    *,
    port: int = 0,
    contacts: int = 1000,
    seed: int = 1,
    limits: Limits | tuple[int, int, int] = Limits(),  # noqa: B008  # an immutable value
) -> None:
    """Serves until ``stop`` is set; ``on_ready`` gets the running server."""
    with serve(port=port, contacts=contacts, seed=seed, limits=limits) as server:
        on_ready(server)
        stop.wait()
