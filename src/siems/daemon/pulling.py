"""Queues as a source: each is emptied by one daemon, and a message is deleted only after its alert is on disk.

A daemon that dies in between finds the message again; its id makes it the same delivery, which is stored once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from siems.clock import Clock
from siems.clouds import Message
from siems.clouds.aws import QueueReader
from siems.config import Aws
from siems.daemon.intake import Intake
from siems.daemon.keyring import Entry
from siems.errors import ReplayMismatch, SiemsError, Unavailable
from siems.services import pulls
from siems.services.ingest import Incoming, accept
from siems.sources import SOURCES, Read, Tool
from siems.sources.hearing import hear, unknown_body
from siems.storage.database import Database
from siems.vocabulary import MSP

log = structlog.get_logger()
A = TypeVar("A")

LONG_POLL = 5
"""Seconds that a question waits for a message: as long as a daemon may take to stop, and half a million requests a
month."""
LEASE = timedelta(seconds=60)
ASK_FOR_LEASE = 15.0
TELL_EVERY = 60.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
UNREADABLE_AFTER = 5
FINISH_SECONDS = 10.0


async def aside(fn: Callable[..., A], *args: Any) -> A:
    """The same on a thread of its own, which holds up neither other work nor the end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[A] = loop.create_future()

    def settle(set_: Callable[[Any], None], value: Any) -> None:
        if not done.done():
            set_(value)

    def work() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = done.set_result, fn(*args)
        except BaseException as why:
            outcome = done.set_exception, why
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name="siems-queue", daemon=True).start()
    return await done


class Pulls:
    """All queues of this daemon, each with a task of its own."""

    def __init__(self, database: Database, intake: Intake, clock: Clock, settings: Aws) -> None:
        self.database = database
        self.intake = intake
        self.clock = clock
        self.settings = settings
        self.holder = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._running: dict[str, tuple[Puller, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def follow(self, queues: dict[str, Entry]) -> None:
        """Begin with new queues, and let go of those that were revoked or changed."""
        for name, (puller, task) in list(self._running.items()):
            entry = queues.get(name)
            if entry is None or entry.particulars != puller.entry.particulars:
                del self._running[name]
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
            else:
                puller.entry = entry
        for name, entry in queues.items():
            if name not in self._running:
                puller = Puller(self, entry)
                self._running[name] = puller, asyncio.get_running_loop().create_task(puller.run())

    async def stop(self) -> None:
        """Ask no queue any more; what was taken is stored and deleted."""
        running, self._running = self._running, {}
        for puller, task in running.values():
            puller.stopping = True
            if puller.waiting:
                task.cancel()
        tasks = [task for _, task in running.values()] + list(self._ending)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=FINISH_SECONDS)
            for task in late:
                task.cancel()
        for puller, _ in running.values():
            with contextlib.suppress(SiemsError):
                await puller.release()


class Puller:
    """One queue."""

    def __init__(self, all_: Pulls, entry: Entry) -> None:
        queue = entry.particulars.queue
        assert queue is not None
        self.entry = entry
        self.waiting = True
        """Nothing is under way: it may be ended at once."""
        self.stopping = False
        self._all = all_
        self._tool: Tool = SOURCES.get(queue.source)
        self._reader = QueueReader(all_.settings, queue)
        self._held_until = 0.0
        self._told_at: float | None = None
        self._failures = 0

    async def run(self) -> None:
        """For ever: ask, store, delete."""
        while not self.stopping:
            try:
                pause = await self._round()
            except SiemsError as why:
                pause = await self._failed(why)
            except Exception as bug:
                log.exception("queue.failed", integration=self.entry.integration_id)
                pause = await self._failed(SiemsError(f"something went wrong inside siems: {bug!r}"))
            self.waiting = True
            if not self.stopping:
                await asyncio.sleep(pause)

    async def _round(self) -> float:
        """One look at the queue; for how long to wait before the next."""
        until = self.entry.until
        if (until is not None and self._all.clock.now().timestamp() >= until) or not await self._hold():
            return ASK_FOR_LEASE
        self.waiting = False  # a question that is cut off takes a message with it, which is hidden for a minute
        messages = await aside(self._reader.receive, LONG_POLL)
        taken = await asyncio.gather(*(self._take(message) for message in messages))
        receipts = [receipt for receipt in taken if receipt]
        if receipts:
            left = await aside(self._reader.delete, receipts)
            if left:
                log.warning("queue.not_deleted", integration=self.entry.integration_id, messages=left)
        await self._looked(len(receipts))
        return 0.0 if len(receipts) == len(messages) else FIRST_WAIT

    # --- a message ---------------------------------------------------------------------------------------------

    async def _take(self, message: Message) -> str:
        """Its receipt once it is on disk; "" for one that comes again."""
        try:
            return await self._store(message, hear(self._tool, message.body, {}, self._all.clock.now()))
        except Unavailable as why:
            log.warning("queue.put_off", integration=self.entry.integration_id, why=why.message)
        except Exception as why:
            said = why.message if isinstance(why, SiemsError) else repr(why)
            log.warning("queue.unreadable", integration=self.entry.integration_id, why=said, tries=message.tries)
            if message.tries >= UNREADABLE_AFTER:
                return await self._give_up(message, said)
        return ""

    async def _give_up(self, message: Message, why: str) -> str:
        """What could not be read again and again becomes an alert that shows it."""
        body = message.body if message.body.strip() else b"(nothing)"
        reading = unknown_body(self._tool, body, {}, f"read {message.tries} times: {why}")
        try:
            return await self._store(message, Read((reading,)))
        except SiemsError as again:
            log.error("queue.given_up", integration=self.entry.integration_id, id=message.id, why=again.message)
            return ""

    async def _store(self, message: Message, read: Read) -> str:
        incoming: Incoming = self._all.intake.pulled(self.entry, self._tool, message.body, read, message.id)
        with contextlib.suppress(ReplayMismatch):  # it is on disk, as it was read then
            await self._all.database.write(
                accept, incoming, companies=(incoming.company_id,), ingest=True, delivery=incoming.key,
                size=len(message.body),
            )  # fmt: skip
        return message.receipt

    # --- whose turn it is, and how it goes ---------------------------------------------------------------------

    async def _hold(self) -> bool:
        """Whether it is this daemon's queue; only where several share a database is there a question."""
        if not self._all.database.dialect.shared or time.monotonic() < self._held_until:
            return True
        if not await self._write(pulls.hold, self._all.holder, LEASE):
            return False
        self._held_until = time.monotonic() + LEASE.total_seconds() / 2
        return True

    async def release(self) -> None:
        if self._held_until:
            await self._write(pulls.release, self._all.holder)

    async def _looked(self, received: int) -> None:
        """Written down when there is news, and once a minute."""
        now = time.monotonic()
        if received or self._failures or self._told_at is None or now - self._told_at >= TELL_EVERY:
            await self._write(pulls.looked, received)
            self._told_at, self._failures = now, 0

    async def _failed(self, why: SiemsError) -> float:
        """Longer and longer, and never all queues at the same moment."""
        self._failures += 1
        log.warning("queue.failing", integration=self.entry.integration_id, why=why.message, times=self._failures)
        with contextlib.suppress(SiemsError):
            await self._write(pulls.failed, why.message, why.hint)
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures, 20))
        return random.uniform(longest / 2, longest)  # noqa: S311

    async def _write(self, verb: Callable[..., A], *args: Any) -> A:
        entry = self.entry
        companies = tuple(sorted({entry.company_id, MSP}))
        return await self._all.database.write(
            verb, entry.integration_id, entry.company_id, *args, companies=companies
        )  # fmt: skip
