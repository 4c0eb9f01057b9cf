"""Runs are begun here: claimed with a lease, walked over their hosts, stopped when they are not ours any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable

import structlog

from siems import config, places
from siems.clock import Clock
from siems.config import Settings
from siems.daemon.run_walk import Walk
from siems.errors import SiemsError
from siems.executors import Executor, registry
from siems.services import run_work
from siems.storage.database import Database
from siems.storage.repositories.runs import queued
from siems.storage.vault import Vault

log = structlog.get_logger()

AT_ONCE = 16
LONGEST_SLEEP = 30.0
SHARED_SLEEP = 1.0
"""Where other daemons ask for runs too, they are looked for at least this often."""
AILING_SECONDS = 1.0
STOP_SECONDS = 15.0


class Executors:
    """The executors, each opened once for as long as the settings of its file stay as they are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen = _stamp()
        self._opened: dict[str, Executor] = {}

    @property
    def settings(self) -> Settings:
        """Those in force: `siems config set executors...` needs no restart."""
        stamp = _stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                found = config.load()
            except SiemsError as why:
                log.warning("settings.not_read", why=why.message)
            else:
                self._settings = self._settings.model_copy(update={"executors": found.executors})
                self._opened.pop("local", None)
        return self._settings

    @property
    def local(self) -> bool:
        """Whether runs on this machine are allowed."""
        return self.settings.executors.local_enabled

    def get(self, name: str) -> Executor:
        """Raises UsageError naming the key while it is not set up, NotFound."""
        settings = self.settings
        found = self._opened.get(name)
        if found is None:
            found = self._opened[name] = registry.get(name)(settings)
        return found

    async def close(self) -> None:
        for executor in self._opened.values():
            with contextlib.suppress(Exception):
                await executor.close()
        self._opened.clear()


def _stamp() -> tuple[str, int]:
    for file in places.settings_files():
        with contextlib.suppress(OSError):
            return str(file), file.stat().st_mtime_ns
    return "", 0


class Running:
    """What one daemon does about runs."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, settings: Settings) -> None:
        self.executors = Executors(settings)
        self._database = database
        self._clock = clock
        self._vault = vault
        self._owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._walks: dict[asyncio.Task[None], Walk] = {}
        self._awake = asyncio.Event()
        self.stopping = False

    def wake(self) -> None:
        """Something may have been asked for, or cancelled."""
        for walk in self._walks.values():
            walk.look()
        self._awake.set()

    async def run(self) -> None:
        """For ever: begin what waits, sleep until there is more."""
        while not self.stopping:
            self._awake.clear()
            try:
                await self.begin()
                pause = SHARED_SLEEP if self._database.dialect.shared else LONGEST_SLEEP
            except SiemsError as why:
                log.error("runs.failed", why=why.message)
                pause = AILING_SECONDS
            except Exception:
                log.exception("runs.failed")
                pause = AILING_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._awake.wait()

    async def begin(self) -> int:
        """Begin what waits and has room; how many."""
        begun = 0
        for number, company in await self._database.peek(queued, AT_ONCE):
            if self.stopping or len(self._walks) >= AT_ONCE:
                break
            job = await self._database.write(run_work.claim, number, self._owner, companies=(company,))
            if job is None:
                continue
            begun += 1
            walk = Walk(self._database, self._clock, self._vault, self.executors.get, job)
            task = asyncio.get_running_loop().create_task(walk.go())
            self._walks[task] = walk
            task.add_done_callback(self._ended(job.run.ref))
        return begun

    def _ended(self, ref: str) -> Callable[[asyncio.Task[None]], None]:
        def done(task: asyncio.Task[None]) -> None:
            self._walks.pop(task, None)
            if not task.cancelled() and (why := task.exception()) is not None:
                # its lease runs out, and then it is shown as what it is: unknown
                log.error("runs.walk_failed", run=ref, why=repr(why))
            self._awake.set()

        return done

    async def settle(self) -> None:
        """Do all that waits, and what comes of it: for whoever does not want to wait for the loop."""
        while await self.begin() or self._walks:
            await asyncio.gather(*self._walks, return_exceptions=True)

    async def stop(self) -> None:
        """Begin nothing more, stop what runs, and say so."""
        self.stopping = True
        self._awake.set()
        for walk in self._walks.values():
            walk.stop("the daemon was stopped")
        if self._walks:
            _, late = await asyncio.wait(list(self._walks), timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.executors.close()
