"""A daemon on a socket and a line before it that is slow, drips or stands still; time passes only when told to."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from scripted import ScriptedClient

HEARTBEAT = 4.0


class Daemon:
    """Answers what the console asks for out of a scripted client; the stream says what a test has it say."""

    def __init__(self, scripted: ScriptedClient) -> None:
        self.scripted = scripted
        self.streams: list[asyncio.StreamWriter] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.opened = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            url = urlsplit(head.split()[1])
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path.endswith("/events"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                self.opened += 1
                self.streams.append(writer)
                self._tell(writer, {"type": "hello", "cursor": "1", "heartbeat": HEARTBEAT})
                return
            body = json.dumps(self._answer(url.path.removeprefix("/api/v1/").split("/"), asked)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    def _answer(self, path: list[str], asked: dict[str, str]) -> object:
        match [unquote(word) for word in path]:
            case ["me"]:
                return self.scripted.me()
            case ["summary"]:
                return self.scripted.summary()
            case ["incidents"]:
                return self.scripted.incidents(asked.get("query", ""))
            case ["incidents", ref]:
                return self.scripted.incident(ref)
            case ["incidents", ref, "timeline"]:
                return {"items": self.scripted.timeline(ref)}
            case ["incidents", ref, "alerts"]:
                return {"items": self.scripted.incident_alerts(ref)}
        return {"items": []}

    def say(self, event: dict[str, object] | None) -> None:
        """To everybody who listens; None is a heartbeat."""
        for writer in self.streams:
            self._tell(writer, event)

    def _tell(self, writer: asyncio.StreamWriter, event: dict[str, object] | None) -> None:
        text = b": ping\n\n" if event is None else b"data: " + json.dumps(event).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(text), text))


@dataclass
class Line:
    """What is on its way: each piece is let through at its time, all connections share the line."""

    delay: float = 0.0
    rate: float = float("inf")
    still: bool = False
    now: float = 0.0
    free_at: float = 0.0
    passed: int = 0
    pieces: deque[tuple[float, bytes, asyncio.StreamWriter]] = field(default_factory=deque)

    def put(self, data: bytes, to: asyncio.StreamWriter) -> None:
        step = max(1, min(len(data), int(min(self.rate, 1e6) / 4)))
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            self.free_at = max(self.free_at, self.now) + len(piece) / self.rate
            self.pieces.append((self.free_at + self.delay, piece, to))

    def pass_on(self) -> None:
        """What has arrived by now."""
        while self.pieces and not self.still and self.pieces[0][0] <= self.now:
            _, piece, to = self.pieces.popleft()
            self.passed += len(piece)
            to.write(piece)

    async def pump(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                self.put(data, to)
                self.pass_on()
        while self.pieces and any(found is to for _, _, found in self.pieces):
            await asyncio.sleep(0.005)
        to.close()


@asynccontextmanager
async def line_to(daemon: Daemon) -> AsyncIterator[tuple[str, Line, Line]]:
    """(its URL, the way there, the way back)."""
    there, back = Line(), Line()
    tasks: set[asyncio.Task[None]] = set()
    ends: list[asyncio.StreamWriter] = []

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far, near = await asyncio.open_connection("127.0.0.1", behind.sockets[0].getsockname()[1])
        ends.extend((near, writer))
        for job in (there.pump(reader, near), back.pump(far, writer)):
            tasks.add(asyncio.create_task(job))

    behind = await asyncio.start_server(daemon.serve, "127.0.0.1", 0)
    before = await asyncio.start_server(joined, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{before.sockets[0].getsockname()[1]}", there, back
    finally:
        before.close()  # nobody comes in any more
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ends += daemon.writers
        for writer in ends:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in ends), return_exceptions=True)
        behind.close()


async def until(found: Callable[[], bool], what: str) -> None:
    for _ in range(2_000):
        if found():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"not so: {what}")
