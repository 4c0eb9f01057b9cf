"""Runs are begun here: claimed with a lease, walked over their hosts, stopped when they are not ours any more."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket

import structlog

from siems import config, places
from siems.clock import Clock
from siems.config import Settings
from siems.daemon.run_walk import Walk
from siems.daemon.tending import Tending
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
        self.jobs = Tending[Walk]("runs", self.begin, self._turn)

    def wake(self) -> None:
        """Something may have been asked for, or cancelled."""
        for walk in self.jobs.under_way:
            walk.look()
        self.jobs.wake()

    async def _turn(self) -> float:
        await self.begin()
        return SHARED_SLEEP if self._database.dialect.shared else LONGEST_SLEEP

    async def begin(self) -> int:
        """Begin what waits and has room; how many."""
        begun = 0
        for number, company in await self._database.peek(queued, AT_ONCE):
            if self.jobs.stopping or len(self.jobs.under_way) >= AT_ONCE:
                break
            job = await self._database.write(run_work.claim, number, self._owner, companies=(company,))
            if job is None:
                continue
            begun += 1
            walk = Walk(self._database, self._clock, self._vault, self.executors.get, job)
            self.jobs.go(walk.go(), walk)
        return begun

    async def stop(self) -> None:
        """Begin nothing more, stop what runs, and say so."""
        for walk in self.jobs.under_way:
            walk.stop("the daemon was stopped")
        await self.jobs.stop(STOP_SECONDS)
        await self.executors.close()
