"""The door in front of aiohttp: one protocol that answers webhooks itself and hands everything else on.

A web framework is most of what a small webhook costs, and this is the one request that comes by the thousand. What
is answered here is a POST to a source in the plainest form of HTTP/1.1; a connection that says anything else goes to
aiohttp for good, which serves the same checks (`Intake`) and every other address. So this file need not know HTTP:
when in doubt it steps aside. It also lets go of connections that take too long to say what they want.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import Any

import structlog

from siems.daemon.http.door import Door
from siems.daemon.http.middleware import BODY_SECONDS, PROBLEM, document, next_request_id, stopping
from siems.daemon.http.plain import MAX_HEAD, Head, read_head
from siems.domain.integration import origin
from siems.errors import Overloaded, SiemsError, UsageError
from siems.services.ingest import accept
from siems.sources import Tool
from siems.storage.lanes import Job

log = structlog.get_logger()

HEAD_SECONDS = 10.0
IDLE_SECONDS = 75.0
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Front(asyncio.Protocol):
    """One connection: it is waiting for a request, or a request of it is being stored, or aiohttp has it."""

    __slots__ = (
        "_address",
        "_beyond",
        "_data",
        "_door",
        "_full",
        "_missing",
        "_parts",
        "_since",
        "_state",
        "_taking",
        "_transport",
        "_whole",
        "begun",
        "busy",
        "closing",
    )  # fmt: skip

    def __init__(self, door: Door) -> None:
        self._door = door
        self._data = b""
        self._beyond: Any = None
        self._transport: Any = None
        self._address = ""
        self._since = time.monotonic()
        self._state = HEAD_SECONDS
        self._whole = 0
        self._missing = 0
        self._parts: list[bytes] = []
        self.busy = False
        self.begun = False
        self.closing = False
        self._taking = False
        self._full = False

    # --- the transport's side ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""
        self._door.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.connections.discard(self)
        if self._beyond is not None:
            self._beyond.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._beyond is not None:
            self._beyond.data_received(data)
            return
        if self._whole:  # a body on its way: its parts are joined once
            self._parts.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data, self._whole = b"".join(self._parts), 0
            self._parts.clear()
        if self._data:
            data = self._data + data
            if len(data) > self._door.largest + MAX_HEAD:  # more requests at once than anybody waits for
                self._transport.abort()
                return
        elif not self.busy:
            self._began()
        self._data = data
        if not self.busy:
            self._next()

    def eof_received(self) -> bool | None:
        if self._beyond is not None:
            found: bool | None = self._beyond.eof_received()
            return found
        self.closing = True
        return self.busy  # who has asked may close its side and wait for the answer

    def pause_writing(self) -> None:
        """Who does not read its answers is not listened to."""
        if self._beyond is not None:
            self._beyond.pause_writing()
            return
        self._full = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._beyond is not None:
            self._beyond.resume_writing()
            return
        self._full = False
        self._transport.resume_reading()
        if self._data and not self.busy:
            self._next()

    # --- how long it may take ----------------------------------------------------------------------------------

    def _began(self) -> None:
        """A request begins: its head has to come in time."""
        self._since, self._state = time.monotonic(), HEAD_SECONDS

    def overdue(self, now: float) -> bool:
        """Whether this connection holds a place and says nothing."""
        return not self.busy and self._beyond is None and now - self._since > self._state

    def abort(self) -> None:
        self._transport.abort()

    # --- how it ends -------------------------------------------------------------------------------------------

    @property
    def unanswered(self) -> bool:
        """Whether a request is being stored, or has come in part."""
        return self._beyond is None and (self.busy or bool(self._whole or self._data))

    def drain(self) -> None:
        """The daemon stops: this connection ends, after the request that has begun."""
        self.begun = self.unanswered
        if not self.begun:
            self.close()

    def close(self) -> None:
        """End it; who has asked for something gets an answer first."""
        if self._beyond is not None:
            return
        if self.unanswered and not self.busy and not self._transport.is_closing():
            self._data, self._whole = b"", 0
            self.set_exception(stopping())
        self._transport.close()

    # --- a request ---------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Take requests until one is being stored, or what has come is no whole one. A refusal is answered at once:
        a loop, since many may wait behind each other."""
        if self._taking:
            return
        self._taking = True
        try:
            left = -1
            while self._data and len(self._data) != left and self._may_go_on():
                left = len(self._data)
                self._one()
        finally:
            self._taking = False

    def _may_go_on(self) -> bool:
        return not self.busy and not self._full and self._beyond is None and not self._transport.is_closing()

    def _one(self) -> None:
        """The request that the bytes begin with, if it is whole; step aside when it is not a plain webhook."""
        data = self._data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if not data[:1].isalpha():  # no HTTP at all; aiohttp says so
                self._step_aside()
            elif len(data) > MAX_HEAD:
                self.closing, self._data = True, b""
                body, _ = document(UsageError("the head of this request is larger than siems reads"))
                self._answer(431, PROBLEM, "", body)
            return
        head = read_head(data, end, self._door.largest)
        tool = None if head is None else self._door.tool(head.source)
        if head is None or tool is None:
            self._step_aside()
            return
        whole = end + 4 + head.length
        if len(data) < whole:
            self._whole, self._missing, self._state = whole, whole - len(data), BODY_SECONDS
            self._parts, self._data = [data], b""
            return
        self._data = data[whole:]
        self.closing = head.closes
        self._take(tool, head, data[end + 4 : whole])

    def _step_aside(self) -> None:
        """aiohttp serves this connection from here on, beginning with the bytes that are there."""
        if self._door.draining:  # it has begun to close, and would not be waited for
            self.set_exception(stopping())
            return
        self._beyond = self._door.server()
        self._beyond.connection_made(self._transport)
        data, self._data = self._data, b""
        self._beyond.data_received(data)

    def _take(self, tool: Tool, head: Head, body: bytes) -> None:
        door = self._door
        runtime = door.runtime
        door.traffic.comes(tool.name)
        address = origin(self._address, head.headers.getall("X-Forwarded-For", []), door.proxies)
        try:
            if runtime.draining and not self.begun:
                raise stopping()
            self.begun = False
            incoming = runtime.intake.admit(tool, head.key, head.headers, body, address)
            self.busy = True
            job = Job(
                accept, (incoming,), (incoming.company_id,), True, incoming.key, size=len(body), loop=door.loop,
                future=self,
            )  # fmt: skip
            try:
                runtime.database.writer.put(job)
            except Overloaded as full:
                runtime.intake.overloaded(incoming, address, full)
                raise
        except Exception as error:
            self.set_exception(error)

    # --- what the writer tells: the part of a future that it uses -----------------------------------------------

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return bool(self._transport.is_closing())

    def set_result(self, said: bytes) -> None:
        """It is on disk."""
        self._door.traffic.stored(said)
        self._answer(202, "application/json", "", said)

    def set_exception(self, error: BaseException) -> None:
        """It was refused."""
        if not isinstance(error, SiemsError):
            log.error("request.failed", method="POST", path="/api/webhooks", exc_info=error)
            error = SiemsError("something went wrong inside siems", hint="siems daemon logs")
        body, headers = document(error)
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._answer(error.status, PROBLEM, more, body)

    def _answer(self, status: int, kind: str, more: str, body: bytes) -> None:
        closing = self.closing or self._door.draining
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Server: siems\r\nX-Request-Id: {next_request_id()}\r\nX-Server-Time: {self._door.stamp()}\r\n"
            f"{more}{'Connection: close' if closing else 'Connection: keep-alive'}\r\n\r\n"
        )
        self._transport.write(head.encode("latin-1", "replace") + body)
        self.busy = False
        now = time.monotonic()
        self._door.traffic.answered(status, now - self._since)
        if closing:
            self._transport.close()
            return
        self._since, self._state = now, IDLE_SECONDS
        if self._data:
            self._began()
            self._next()
