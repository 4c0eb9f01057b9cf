"""One run on its way over its hosts: which begin, which steps they take, when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, select

from siems.clock import Clock
from siems.daemon.run_hearing import Hearing, secrets_in, unheard
from siems.domain.rollout import next_hosts
from siems.domain.run import HostState, RunHost, RunState
from siems.domain.runbook import Phase, Shell, Step
from siems.domain.runbook_values import environment
from siems.errors import SiemsError, Unavailable
from siems.executors import TOGETHER, Executor, Host, Outcome, Output, Script
from siems.services import run_work
from siems.services.run_access import access
from siems.services.run_work import Job
from siems.services.runs import values_of
from siems.storage import tables as t
from siems.storage.database import Database
from siems.storage.repositories.assets import asset_from
from siems.storage.repositories.runs import find
from siems.storage.vault import Vault

log = structlog.get_logger()

TELL_SECONDS = 0.25
"""For how long what was heard is gathered before it is written down."""
LOOK_SECONDS = 1.0
HOLD_SECONDS = 8.0
"""How often the lease is renewed while nothing is heard."""
TRIES = 20
Open = Callable[[str], Executor]


class Walk:
    """A run that this daemon has begun."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, opened: Open, job: Job) -> None:
        self._database, self._clock, self._vault, self._opened = database, clock, vault, opened
        self.run = job.run
        self._heard = Hearing(clock, job.hosts)
        self._values = values_of(job.run, vault)
        self._number: dict[str, int] = {}
        self._groups: set[asyncio.Task[None]] = set()
        self._news, self._looks = asyncio.Event(), asyncio.Event()
        self._stopped = ""
        self._state = RunState.RUNNING

    def look(self) -> None:
        """It may have been cancelled."""
        self._looks.set()
        self._news.set()

    def stop(self, why: str) -> None:
        """End it from here."""
        self._stopped = self._stopped or why
        self._news.set()

    # --- the way -----------------------------------------------------------------------------------------------

    async def go(self) -> None:
        """Until every host has ended or never begins."""
        held = asked = self._time()
        try:
            while self._going():
                self._begin()
                if not self._groups:
                    break
                await self._wait()
                now = self._time()
                if self._heard.news or now - held >= HOLD_SECONDS:
                    held = asked = now
                    await self._write()
                elif self._looks.is_set() or now - asked >= LOOK_SECONDS:
                    asked = now
                    await self._ask()
        finally:
            await self._end_groups()
        await self._finish()

    def _going(self) -> bool:
        return self._state is RunState.RUNNING and not self._stopped

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()

    async def _wait(self) -> None:
        """For news, a moment for more of them, or the end of a group."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()
        self._news.clear()
        if self._going() and not any(task.done() for task in self._groups):
            await asyncio.wait(self._groups, timeout=TELL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        self._groups = {task for task in self._groups if not task.done()}

    def _begin(self) -> None:
        """Those whose turn it is: by themselves, or together where their way takes several at once."""
        groups: dict[tuple[str, str, int], list[str]] = {}
        places: dict[tuple[str, str], int] = {}
        for host in next_hosts(list(self._heard.hosts.values()), self.run.plan):
            kind = (host.executor, host.platform.value)
            place = places[kind] = places.get(kind, -1) + 1
            groups.setdefault((*kind, place // TOGETHER.get(host.executor, 1)), []).append(host.name)
        for names in groups.values():
            for name in names:
                self._heard.set(name, state=HostState.RUNNING, started_at=self._clock.now())
            task = asyncio.get_running_loop().create_task(self._group(names))
            task.add_done_callback(lambda _: self._news.set())
            self._groups.add(task)

    async def _end_groups(self) -> None:
        groups, self._groups = self._groups, set()
        for task in groups:
            task.cancel()
        await asyncio.gather(*groups, return_exceptions=True)

    # --- some hosts --------------------------------------------------------------------------------------------

    async def _group(self, names: list[str]) -> None:
        """All steps on some hosts that are alike."""
        try:
            await self._steps_of(names)
        except asyncio.CancelledError:
            late = self.run.detail == run_work.TOO_LONG
            why = self.run.detail or self._stopped or "stopped"
            self._heard.end(names, HostState.TIMED_OUT if late else HostState.CANCELLED, why)
            raise
        except SiemsError as why_not:
            self._heard.end(names, HostState.UNREACHABLE, why_not.message)
        except Exception as bug:
            log.exception("runs.group_failed", run=self.run.ref)
            self._heard.end(names, HostState.FAILED, f"siems made a mistake: {type(bug).__name__}: {bug}")
        else:
            self._heard.end(names, HostState.SUCCEEDED, "")

    async def _steps_of(self, names: list[str]) -> None:
        first = self._heard.hosts[names[0]]
        executor = self._opened(first.executor)
        reached = await self._reached(executor, names)
        end = self._time() + self.run.runbook.timeout.total_seconds()
        for phase in self.run.plan.phases:
            for step in self.run.runbook.steps(phase, first.platform):
                hosts = [reached[name] for name in names if not self._heard.hosts[name].state.over]
                if hosts:
                    left = timedelta(seconds=max(1.0, end - self._time()))
                    await self._step(executor, phase, step, hosts, min(left, step.timeout or left))

    async def _reached(self, executor: Executor, names: list[str]) -> dict[str, Host]:
        """How they are reached now, secrets in clear: held here and nowhere else."""
        hosts = [self._heard.hosts[name] for name in names]
        found = await self._database.peek(_hosts, self.run.company_id, hosts, self._vault)
        self._heard.end(set(names) - set(found), HostState.UNREACHABLE, "it is no asset of this company any more")
        secret = [self._values[p.name] for p in self.run.runbook.parameters if p.secret and self._values.get(p.name)]
        for host in found.values():
            self._heard.secrets[host.name] = secrets_in(dict(host.access), secret)
            try:
                executor.check(host)
            except SiemsError as why:
                self._heard.end([host.name], HostState.UNREACHABLE, why.message)
        return found

    async def _step(
        self, executor: Executor, phase: Phase, step: Step, hosts: Sequence[Host], timeout: timedelta
    ) -> None:  # fmt: skip
        numbers = {}
        for host in hosts:
            number = numbers[host.name] = self._number.get(host.name, 0) + 1
            self._number[host.name] = number
            self._heard.begin_step(host.name, number, phase, step)
        platform = hosts[0].platform
        script = Script(
            key=f"{self.run.ref}:{numbers[hosts[0].name]}:{self.run.lease_token[:8]}", shell=Shell.of(platform),
            text=step.run[platform], values=environment(self._values), timeout=timeout,
        )  # fmt: skip
        ended: set[str] = set()

        def heard(what: Output | Outcome) -> None:
            if isinstance(what, Output):
                self._heard.hear(what, numbers[what.host])
            elif what.host not in ended:
                ended.add(what.host)
                self._heard.end_step(what, numbers[what.host], phase)
            self._news.set()

        self._news.set()
        try:
            await executor.run(script, hosts, heard)
        finally:
            for host in hosts:
                if host.name not in ended:
                    self._heard.end_step(unheard(host.name, going=self._going()), numbers[host.name], phase)

    # --- writing down ------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        self._looks.clear()
        news = self._heard.take()
        try:
            found = await self._database.write(
                run_work.report, self.run.id, self.run.lease_token, news, companies=(self.run.company_id,)
            )
        except Unavailable as why:
            log.warning("runs.not_written", run=self.run.ref, why=why.message)
            self._heard.give_back(news)
            await asyncio.sleep(LOOK_SECONDS)
            return
        self._known(found)

    async def _ask(self) -> None:
        self._looks.clear()
        with contextlib.suppress(Unavailable):
            self._known(await self._database.peek(find, self.run.id))

    def _known(self, found: Any) -> None:
        if found is None or found.lease_token != self.run.lease_token:
            self._state = RunState.FAILED  # somebody has written it off: it is not ours to go on with
            return
        self._state = found.state
        self.run = replace(self.run, detail=found.detail)

    async def _finish(self) -> None:
        why = self._stopped or (self.run.detail if self._state is not RunState.RUNNING else "too many have failed")
        waiting = [name for name, host in self._heard.hosts.items() if host.state is HostState.WAITING]
        self._heard.end(waiting, HostState.SKIPPED, f"its turn did not come: {why}")
        for _ in range(TRIES):
            news = self._heard.take()
            try:
                await self._database.write(
                    run_work.finish, self.run.id, self.run.lease_token, news, self._stopped,
                    companies=(self.run.company_id,),
                )  # fmt: skip
            except Unavailable as ails:
                log.warning("runs.not_written", run=self.run.ref, why=ails.message)
                self._heard.give_back(news)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return


def _hosts(connection: Connection, company_id: str, hosts: Sequence[RunHost], vault: Vault) -> dict[str, Host]:
    """How these hosts are reached, for those that are still there. Raises InvalidField where there is no way."""
    a = t.asset.c
    rows = connection.execute(
        select(t.asset).where(a.company_id == company_id, a.name.in_([host.name for host in hosts]))
    )
    assets = {row.name: asset_from(row) for row in rows}
    found = {}
    for host in hosts:
        asset = assets.get(host.name)
        if asset is not None:
            _, how = access(connection, asset, host.executor, vault)
            found[host.name] = Host(
                name=host.name, platform=host.platform, addresses=asset.addresses, instance_id=asset.instance_id,
                access=how,
            )  # fmt: skip
    return found
