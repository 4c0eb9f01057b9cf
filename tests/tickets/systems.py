"""Jira Cloud, Jira Server and ServiceNow on this machine: they keep tickets, ask for tokens, throttle, fail, hang, and
hang up after they have accepted. People can be let work in them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

USER, SECRET = "siems@msp.example", "a-secret-token"
Now = Callable[[], datetime]


@dataclass
class Comment:
    id: str
    at: datetime
    author: str
    text: str
    public: bool


@dataclass
class Issue:
    id: str
    key: str
    fields: dict[str, Any]
    status: str
    updated: datetime
    comments: list[Comment] = field(default_factory=list)
    history: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass
class Trouble:
    """What happens to one request. `after`: it is done, and then this."""

    status: int = 0
    retry_after: str = ""
    hang: bool = False
    hang_up: bool = False
    after: bool = False
    method: str = ""
    path: str = ""

    def fits(self, request: web.Request) -> bool:
        return self.method in ("", request.method) and self.path in request.path


class System:
    """One server in a thread of its own. `troubles` are met by the next requests that they fit, in order."""

    def __init__(self, now: Now | None = None) -> None:
        self.now: Now = now or (lambda: datetime.now(UTC))
        self.issues: dict[str, Issue] = {}
        self.requests: list[tuple[str, str]] = []
        self.refused = 0
        self.troubles: list[Trouble] = []
        self.url = ""
        self.secret = SECRET
        self._numbers = iter(range(10_001, 1 << 30))
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # --- the server --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._door])
        self.routes(app.router)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if not self.lets_in(request.headers.get("Authorization", "")):
            self.refused += 1
            return web.json_response({"message": "not authenticated"}, status=401)
        trouble = next((t for t in self.troubles if t.fits(request)), None)
        if trouble is not None:
            self.troubles.remove(trouble)
            if not trouble.after:
                await self._befall(trouble, request)
                return self._failure(trouble)
        response = await handler(request)
        if trouble is not None:
            await self._befall(trouble, request)
            if trouble.status:
                return self._failure(trouble)
        return response

    async def _befall(self, trouble: Trouble, request: web.Request) -> None:
        if trouble.hang:
            await asyncio.Event().wait()
        if trouble.hang_up:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError

    def _failure(self, trouble: Trouble) -> web.Response:
        headers = {"Retry-After": trouble.retry_after} if trouble.retry_after else {}
        return web.json_response({"errorMessages": ["overloaded"]}, status=trouble.status, headers=headers)

    def lets_in(self, said: str) -> bool:
        return said == "Basic " + base64.b64encode(f"{USER}:{self.secret}".encode()).decode()

    # --- people ------------------------------------------------------------------------------------------------

    @property
    def only(self) -> Issue:
        assert len(self.issues) == 1, list(self.issues)
        return next(iter(self.issues.values()))

    def move(self, status: str, by: str = "maria", issue: Issue | None = None) -> None:
        """Somebody gives a ticket another state."""
        found = issue or self.only
        found.history.append((self.now(), by, found.status, status))
        found.status, found.updated = status, self.now()
        found.fields["sys_updated_by"] = by

    def write(self, text: str, by: str = "maria", issue: Issue | None = None, *, public: bool = False) -> Comment:
        """Somebody writes a comment."""
        found = issue or self.only
        comment = Comment(str(next(self._numbers)), self.now(), by, text, public)
        found.comments.append(comment)
        found.updated = self.now()
        found.fields["sys_updated_by"] = by
        return comment

    def texts(self, issue: Issue | None = None) -> list[str]:
        return [comment.text for comment in (issue or self.only).comments]

    def count(self, method: str, path: str) -> int:
        return sum(m == method and re.search(path, p) is not None for m, p in self.requests)


@contextlib.contextmanager
def running(system: System) -> Iterator[Any]:
    """A system that listens, for as long as a test needs it."""
    system.start()
    try:
        yield system
    finally:
        system.stop()
