"""The HTTP server: on loopback only, with limits, tokens, faults and a log of every call."""

import asyncio
import ipaddress
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from connector.sandbox import contacts, lists
from connector.sandbox.answers import cut_off, gateway, ok, truncated
from connector.sandbox.clock import SimulatedClock
from connector.sandbox.faults import Fault
from connector.sandbox.keys import GATE, WORLD
from connector.sandbox.limits import TOO_MANY, Gate
from connector.sandbox.people import START
from connector.sandbox.world import World

FAULTS: Final = web.AppKey("faults", list[Fault])
LOG: Final = web.AppKey("log", list[dict[str, Any]])
UPLOAD_BYTES: Final = 400 * 2**20
"""Act-On takes files up to 400 MB."""
CONTROL: Final = "/_sandbox/"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Writes down every call but those that control the sandbox; never a value of a query."""
    if request.path.startswith(CONTROL):
        return await handler(request)
    line: dict[str, Any] = {
        "method": request.method, "path": request.path, "query": sorted(request.query),
        "content_type": request.content_type, "status": 0,
    }  # fmt: skip
    request.app[LOG].append(line)
    answer = await handler(request)
    line["status"] = answer.status
    return answer


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Applies faults, limits and tokens."""
    if request.path.startswith(CONTROL):
        return await handler(request)
    struck = [fault for fault in request.app[FAULTS] if fault.strikes(request.path)]
    for fault in struck:
        request[fault.kind] = True
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
    if request.get("drop"):
        cut_off(request)
        return gateway(502, "Bad Gateway")
    gate, now = request.app[GATE], request.app[WORLD].clock.now()
    for status in (429, 500, 502):
        if request.get(str(status)):
            return gateway(status, "Too Many Requests" if status == TOO_MANY[0] else "Error")
    if not gate.admit(now):
        return web.json_response(TOO_MANY[1], status=TOO_MANY[0])
    if request.path != "/token":
        bearer = request.headers.get("Authorization", "")
        if request.get("expire_token"):
            gate.kill(bearer)
        if not gate.knows(bearer, now):
            return gateway(401, "Unauthorized")
    answer = await handler(request)
    if request.get("truncate") and isinstance(answer, web.Response):
        return await truncated(request, answer)
    return answer


async def token(request: web.Request) -> web.Response:
    """``POST /token``."""
    status, body = request.app[GATE].grant(await request.post(), request.app[WORLD].clock.now())
    return web.json_response(body, status=status)


async def now(request: web.Request) -> web.Response:
    """Tells the simulated time."""
    return ok({"now": request.app[WORLD].clock.now().isoformat()})


async def advance(request: web.Request) -> web.Response:
    """Moves time on; people act meanwhile."""
    body = await request.json()
    span = timedelta(**{unit: float(n) for unit, n in body.items()})
    return ok({"now": request.app[WORLD].advance(span).isoformat()})


async def act(request: web.Request) -> web.Response:
    """Lets one person do something now: ``{"do": "optout", "email": ...}``."""
    body = await request.json()
    try:
        request.app[WORLD].act(body["do"], body["email"])
    except KeyError as error:
        return web.json_response({"unknown": str(error)}, status=400)
    return ok({"done": True})


async def set_faults(request: web.Request) -> web.Response:
    """Replaces the fault plan."""
    request.app[FAULTS][:] = [Fault(**fault) for fault in await request.json()]
    return ok({"faults": len(request.app[FAULTS])})


async def log(request: web.Request) -> web.Response:
    """Shows every call since the log was cleared."""
    return ok(request.app[LOG])


async def clear_log(request: web.Request) -> web.Response:
    """Empties the log."""
    request.app[LOG].clear()
    return ok({})


async def calls(request: web.Request) -> web.Response:
    """Counts calls by method and path."""
    lines = request.app[LOG]
    by_path = Counter(f"{line['method']} {line['path']}" for line in lines)
    return ok({"total": len(lines), "by_path": by_path})


async def drop_column(request: web.Request) -> web.Response:
    """Takes a column out of a list, as a customer may."""
    body = await request.json()
    headings = request.app[WORLD].headings
    headings[body["list"]] = tuple(h for h in headings[body["list"]] if h != body["heading"])
    return ok({})


async def drop_list(request: web.Request) -> web.Response:
    """Deletes a list."""
    request.app[WORLD].headings.pop((await request.json())["list"], None)
    return ok({})


async def tags(request: web.Request) -> web.Response:
    """Shows what stands in the tag list, by address."""
    return ok(request.app[WORLD].owned)


def application(world: World, gate: Gate) -> web.Application:
    """Returns the server application."""
    app = web.Application(middlewares=[logged, guarded], client_max_size=UPLOAD_BYTES)
    app[WORLD], app[GATE], app[FAULTS], app[LOG] = world, gate, [], []
    app[lists.JOBS] = {}
    control: Iterable[web.RouteDef] = [
        web.get(f"{CONTROL}now", now),
        web.post(f"{CONTROL}advance", advance),
        web.post(f"{CONTROL}act", act),
        web.post(f"{CONTROL}faults", set_faults),
        web.get(f"{CONTROL}log", log),
        web.post(f"{CONTROL}log/clear", clear_log),
        web.get(f"{CONTROL}calls", calls),
        web.post(f"{CONTROL}drop_column", drop_column),
        web.post(f"{CONTROL}drop_list", drop_list),
        web.get(f"{CONTROL}tags", tags),
    ]
    app.add_routes([web.post("/token", token), *lists.ROUTES, *contacts.ROUTES, *control])
    return app


class Server:
    """A running sandbox in a thread of its own; a context manager."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the sandbox serves loopback addresses only")
        self.app = app
        self.world = app[WORLD]
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        bound = self._run(self._start(host, port))
        self.url = f"http://{host if ':' not in host else f'[{host}]'}:{bound}"

    async def _start(self, host: str, port: int) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        """Stops serving."""
        if self._thread.is_alive():
            self._run(self._runner.cleanup())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
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
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    contacts: int = 1000,
    seed: int = 1,
    limits: tuple[int, int, int] = (5, 30_000, 5),
    start: datetime = START,
) -> Server:
    """Starts a sandbox; ``limits`` are calls a second, calls a day, authentications an hour."""
    world = World(contacts, seed, SimulatedClock(start))
    return Server(application(world, Gate(*limits)), host, port)
