"""Stand-ins for the providers of messages: HTTP servers on this machine that check, answer and fail as they do.

    with Slack(token="...") as slack:
        slack.then(Trouble(status=429, headers={"Retry-After": "7"}))
        ...                                   # speak to slack.url
        assert slack.taken[0].json["channel"] == "C1"

Each runs in a thread of its own, so a daemon in any process or loop can speak to it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What goes wrong with one request, before or after it was taken."""

    status: int = 0
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False
    """Nothing is answered until `release()`."""
    drip: bool = False
    """A first byte of the answer, and nothing more until `release()`."""
    reset: bool = False
    """It is taken, and the connection breaks before the answer."""
    flood: int = 0
    """So many bytes of answer."""


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    trouble: Trouble = Trouble()
    method: str = "POST"
    peer: str = ""
    """Whose connection it came by."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


HELD, DRIP, RESET = Trouble(hold=True), Trouble(drip=True), Trouble(reset=True)


def _peer(request: web.Request) -> object:
    return request.transport.get_extra_info("peername") if request.transport else ""


class Provider:
    """A server with a list of what it has `seen`, and of what it has `taken` over."""

    def __init__(self, ssl: SSLContext | None = None) -> None:
        self._ssl = ssl
        self.url = ""
        self.seen: list[Seen] = []
        self.taken: list[Seen] = []
        self.troubles: deque[Trouble] = deque()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # --- what tests do -----------------------------------------------------------------------------------------

    def then(self, *troubles: Trouble) -> None:
        """The next requests meet these, one each."""
        self.troubles.extend(troubles)

    def release(self) -> None:
        """Whatever is held or drips goes on."""
        self._loop.call_soon_threadsafe(self._free.set)

    def wait_seen(self, count: int, timeout: float = 20.0) -> None:
        """Until so many requests have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.seen) >= count, timeout), f"{len(self.seen)} of {count} came"

    async def until_seen(self, count: int) -> None:
        await asyncio.to_thread(self.wait_seen, count)

    # --- what a provider is ------------------------------------------------------------------------------------

    async def answer(self, seen: Seen) -> web.StreamResponse:
        """The provider's own way; what it accepts goes to `take`."""
        raise NotImplementedError

    def take(self, seen: Seen) -> int:
        """It is taken over; its number from 1 on."""
        self.taken.append(seen)
        return len(self.taken)

    # --- the machinery -----------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        trouble = self.troubles.popleft() if self.troubles else Trouble()
        seen = Seen(
            request.path_qs, request.headers.copy(), body, trouble, request.method, str(_peer(request))
        )  # fmt: skip
        with self._came:
            self.seen.append(seen)
            self._came.notify_all()
        if trouble.hold:
            await self._free.wait()
        if trouble.status:
            body = trouble.body if isinstance(trouble.body, str) else json.dumps(trouble.body)
            return web.Response(status=trouble.status, text=body, headers=trouble.headers)
        if trouble.drip or trouble.flood:
            return await self._slowly(request, trouble)
        given = await self.answer(seen)
        if trouble.reset and request.transport is not None:
            request.transport.abort()
        return given

    async def _slowly(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        given = web.StreamResponse()
        given.content_length = max(trouble.flood, 1_000)
        await given.prepare(request)
        try:
            if trouble.drip:
                await given.write(b"{")
                await self._free.wait()
            for _ in range(0, given.content_length or 0, 1_000):
                await given.write(b" " * 1_000)
        except (ConnectionError, RuntimeError):  # whoever asked has had enough
            pass
        return given

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._free = asyncio.Event()
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._ssl)
        await site.start()
        assert site._server is not None
        scheme = "https" if self._ssl else "http"
        self.url = f"{scheme}://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]

    async def _close(self) -> None:
        self._free.set()
        for connection in self._runner.server.connections if self._ssl and self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()  # TLS would wait for a farewell
        await self._runner.cleanup()
        await self._loop.shutdown_asyncgens()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
