"""The live stream: committed events to everybody who listens, resumable by cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import msgspec

from siems.domain.permissions import Actor
from siems.errors import CursorGone
from siems.storage.database import Database
from siems.storage.repositories.stream import (
    Published,
    events_after,
    read_cursor,
    stream_bounds,
    write_cursor,
)
from siems.vocabulary import Role

QUEUE_LIMIT = 5_000
HEARTBEAT_SECONDS = 4.0
"""So that who listens can tell within ten seconds that nothing comes any more; it costs 15 bytes each time."""
HIDDEN_FROM_CLIENTS = (
    "notice.", "session.", "user.", "integration.", "silence.", "delivery.", "page.", "incident.escalated",
    "incident.chain_ended", "incident.still_on_it", "incident.ack_timed_out", "incident.nobody_paged",
    "incident.steps_skipped", "message.", "contact.", "notify_", "oncall.", "override.", "swap.", "handoff.",
    "schedule.", "shift.", "ticket", "template.", "policy.", "escalation.", "deadline", "gap.", "heartbeat.",
    "incident.insight", "advice.", "incident.watched", "incident.unwatched", "run", "standing", "self_heal",
    "host_login", "cloud_account.", "correlation.", "parent.", "report.",
)  # fmt: skip


class Subscriber:
    """One listener: what it may see, and what waits for it."""

    def __init__(self, actor: Actor, types: tuple[str, ...]) -> None:
        self.actor = actor
        self.types = types
        self.queue: asyncio.Queue[Published | None] = asyncio.Queue()
        self.lost = False
        self._after = 0

    def begin(self, after: int) -> None:
        """This listener begins behind a cursor: what is heard of late was told, or was before its time."""
        self._after, waiting, self.queue = after, self.queue, asyncio.Queue()
        while not waiting.empty():
            event = waiting.get_nowait()
            if event is None or event.cursor > after:
                self.queue.put_nowait(event)

    def wants(self, event: Published) -> bool:
        """Whether this listener may see the event and asked for its kind."""
        if not self.actor.sees(event.company_id):
            return False
        if event.type.startswith("parent.") and self.actor.role is not Role.ADMIN:
            return False
        if event.type == "notice.created" and self.actor.id not in event.data.get("users", ()):
            return False
        if self.actor.role is Role.CLIENT and event.type.startswith(HIDDEN_FROM_CLIENTS):
            return False
        return not self.types or event.type.startswith(self.types)

    def offer(self, event: Published) -> None:
        """Too slow a listener is cut off: it resumes by its cursor."""
        if self.lost or event.cursor <= self._after:
            return
        if self.queue.qsize() >= QUEUE_LIMIT:
            self.lost = True
            self.queue.put_nowait(None)
        elif self.wants(event):
            self.queue.put_nowait(event)


class Hub:
    """Hands committed events on, in the order of their commits."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: set[Subscriber] = set()
        self._last = 0
        self._catching_up = asyncio.Lock()

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    async def start(self) -> None:
        _, self._last = await self._database.peek(stream_bounds)

    def publish(self, events: Iterable[Published]) -> None:
        """Events of this process, straight after their commit."""
        for event in events:
            if event.cursor > self._last:
                self._last = event.cursor
                for subscriber in self._subscribers:
                    subscriber.offer(event)

    async def catch_up(self) -> None:
        """Where several daemons write: read on from the database, so that the order is that of the commits."""
        async with self._catching_up:
            while True:
                events = await self._database.peek(events_after, self._last)
                self.publish(events)
                if not events:
                    return

    def close(self) -> None:
        """Let every listener go."""
        for subscriber in self._subscribers:
            subscriber.lost = True
            subscriber.queue.put_nowait(None)

    async def follow(
        self, actor: Actor, *, cursor: str, types: tuple[str, ...], now: datetime
    ) -> AsyncIterator[dict[str, Any] | None]:
        """Events after a cursor (or from now on) for one reader; None is a heartbeat. Ends when it falls behind.

        Raises CursorGone and InvalidField before the first event.
        """
        subscriber = Subscriber(actor, types)
        self._subscribers.add(subscriber)
        try:
            last = self._last
            if cursor:
                last = await self._start_of(cursor)
            elif self._database.dialect.shared:  # what is committed but not yet heard of was before now, too
                _, newest = await self._database.peek(stream_bounds)
                last = max(last, newest)
            subscriber.begin(last)
            yield {"type": "hello", "cursor": write_cursor(last), "at": now, "heartbeat": HEARTBEAT_SECONDS}
            if cursor:
                async for event in self._backlog(last, self._last):
                    last = event.cursor
                    if subscriber.wants(event):
                        yield shown(event, actor)
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        queued = await subscriber.queue.get()
                except TimeoutError:
                    yield None
                    continue
                if queued is None:
                    return
                if queued.cursor > last:
                    last = queued.cursor
                    yield shown(queued, actor)
        finally:
            self._subscribers.discard(subscriber)

    async def _start_of(self, cursor: str) -> int:
        start = read_cursor(cursor)
        oldest, newest = await self._database.peek(stream_bounds)
        if start > newest or start + 1 < (oldest or newest + 1):
            raise CursorGone(
                "the stream does not reach back to this cursor", hint="load what there is, then follow from now"
            )
        return start

    async def _backlog(self, start: int, end: int) -> AsyncIterator[Published]:
        while start < end:
            events = await self._database.peek(events_after, start)
            for event in events:
                if event.cursor > end:
                    return
                yield event
            if not events:
                return
            start = events[-1].cursor


INTERNAL = frozenset(["users", "assignee", "escalation_level", "rule", "reason", "cause", "actor", "suppressed_by"])
"""What clients are not told of an event."""


def shown(event: Published, actor: Actor) -> dict[str, Any]:
    """An event as it is sent to this reader."""
    hidden = INTERNAL if actor.role is Role.CLIENT else ("users",)
    return {
        "cursor": write_cursor(event.cursor), "at": event.at, "type": event.type, "company_id": event.company_id,
        "object": event.object, "data": {k: v for k, v in event.data.items() if k not in hidden},
    }  # fmt: skip


def encode(event: dict[str, Any]) -> bytes:
    return msgspec.json.encode(event)
