"""One run on its way over its hosts: which begin, which steps they take, when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import Connection, select

from siems.clock import Clock
from siems.daemon.run_hearing import Hearing, secrets_in, unheard
from siems.domain.asking import asks as asks_at
from siems.domain.asking import begins_at, called, steps_of
from siems.domain.rollout import next_hosts
from siems.domain.run import PAUSED, HostState, Run, RunHost, RunState
from siems.domain.runbook import Phase, Shell, Step
from siems.domain.runbook_values import environment
from siems.errors import SiemsError, Unavailable
from siems.executors import TOGETHER, Ended, Executor, Host, Outcome, Output, Script
from siems.services import run_work
from siems.services.run_access import access
from siems.services.run_work import Job
from siems.services.runs import values_of
from siems.storage import tables as t
from siems.storage.database import Database
from siems.storage.repositories.assets import asset_from
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
        self._heard = Hearing(clock, job.hosts, job.attempts)
        self._values = values_of(job.run, vault)
        self._scripts = 0
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
        hosts = self._heard.hosts.values()
        if self._state is RunState.RUNNING and any(host.state in PAUSED or called(host) for host in hosts):
            await self._let_go(run_work.park)
        else:
            self._close()
            await self._let_go(run_work.finish)

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
        groups: dict[tuple[str, str, int, int], list[str]] = {}
        places: dict[tuple[str, str, int], int] = {}
        for host in next_hosts(list(self._heard.hosts.values()), self.run.plan):
            kind = (host.executor, host.platform.value, begins_at(host))
            place = places[kind] = places.get(kind, -1) + 1
            groups.setdefault((*kind, place // TOGETHER.get(host.executor, 1)), []).append(host.name)
        for (_, _, first, _), names in groups.items():
            for name in names:
                since = self._heard.hosts[name].started_at or self._clock.now()
                self._heard.set(name, state=HostState.RUNNING, started_at=since, exit_code=None, detail="")
            task = asyncio.get_running_loop().create_task(self._group(names, first))
            task.add_done_callback(lambda _: self._news.set())
            self._groups.add(task)

    async def _end_groups(self) -> None:
        groups, self._groups = self._groups, set()
        for task in groups:
            task.cancel()
        await asyncio.gather(*groups, return_exceptions=True)

    # --- some hosts --------------------------------------------------------------------------------------------

    async def _group(self, names: list[str], first: int) -> None:
        """All steps from the first on, on some hosts that are alike."""
        try:
            await self._steps_of(names, first)
        except asyncio.CancelledError:
            late = self.run.detail == run_work.TOO_LONG
            why = self.run.detail or self._stopped or "stopped"
            self._fail(names, HostState.TIMED_OUT if late else HostState.CANCELLED, why, asks=bool(self._stopped))
            raise
        except SiemsError as why_not:
            self._fail(names, HostState.UNREACHABLE, why_not.message)
        except Exception as bug:
            log.exception("runs.group_failed", run=self.run.ref)
            self._fail(names, HostState.FAILED, f"siems made a mistake: {type(bug).__name__}: {bug}")
        else:
            self._heard.end(names, HostState.SUCCEEDED, "")

    def _fail(self, names: Iterable[str], state: HostState, why: str, *, asks: bool = True) -> None:
        """They go no further; those whose step asks when it fails ask."""
        for name in names:
            if asks and self._asks(self._heard.hosts[name]):
                self._heard.ask([name], why)
            self._heard.end([name], state, why)

    def _asks(self, host: RunHost) -> bool:
        return asks_at(self.run, host.platform, host.step)

    async def _steps_of(self, names: list[str], first: int) -> None:
        alike = self._heard.hosts[names[0]]
        executor = self._opened(alike.executor)
        reached = await self._reached(executor, names)
        end = self._time() + self.run.runbook.timeout.total_seconds()
        for number, (phase, step) in enumerate(steps_of(self.run, alike.platform), 1):
            hosts = [reached[name] for name in names if self._heard.hosts[name].state is HostState.RUNNING]
            if hosts and number >= first:
                left = timedelta(seconds=max(1.0, end - self._time()))
                await self._step(executor, number, phase, step, hosts, min(left, step.timeout or left))

    async def _reached(self, executor: Executor, names: list[str]) -> dict[str, Host]:
        """How they are reached now, secrets in clear: held here and nowhere else."""
        hosts = [self._heard.hosts[name] for name in names]
        found = await self._database.peek(_hosts, self.run.company_id, hosts, self._vault)
        gone = [name for name in names if name not in found]
        self._heard.end(gone, HostState.UNREACHABLE, "it is no asset of this company any more")
        secret = [self._values[p.name] for p in self.run.runbook.parameters if p.secret and self._values.get(p.name)]
        for host in found.values():
            self._heard.secrets[host.name] = secrets_in(dict(host.access), secret)
            try:
                executor.check(host)
            except SiemsError as why:
                self._fail([host.name], HostState.UNREACHABLE, why.message)
        return found

    async def _step(
        self, executor: Executor, number: int, phase: Phase, step: Step, hosts: Sequence[Host], timeout: timedelta
    ) -> None:  # fmt: skip
        for host in hosts:
            self._heard.begin_step(host.name, number, phase, step)
        platform = hosts[0].platform
        self._scripts += 1  # a step that is tried again is another script
        script = Script(
            key=f"{self.run.ref}:{number}:{self.run.lease_token[:8]}:{self._scripts}", shell=Shell.of(platform),
            text=step.run[platform], values=environment(self._values), timeout=timeout,
        )  # fmt: skip
        ended: set[str] = set()

        def heard(what: Output | Outcome) -> None:
            if isinstance(what, Output):
                self._heard.hear(what, number)
            elif what.host not in ended:
                ended.add(what.host)
                self._end_step(what, number, phase)
            self._news.set()

        self._news.set()
        try:
            await executor.run(script, hosts, heard)
        finally:
            for host in hosts:
                if host.name not in ended:
                    self._end_step(unheard(host.name, going=self._going()), number, phase)

    def _end_step(self, outcome: Outcome, number: int, phase: Phase) -> None:
        """One that was cancelled asks only where it was stopped with the daemon: nobody has decided that."""
        asks = self._asks(self._heard.hosts[outcome.host]) and (
            outcome.ended is not Ended.CANCELLED or bool(self._stopped)
        )
        self._heard.end_step(outcome, number, phase, asks=asks)

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
            self._known(await self._database.peek(run_work.looked, self.run.id))

    def _known(self, found: Job | None) -> None:
        if found is None or found.run.lease_token != self.run.lease_token:
            self._state = RunState.FAILED  # somebody has written it off: it is not ours to go on with
            return
        self._state = found.run.state
        self.run = replace(self.run, detail=found.run.detail)
        self._heard.take_answers(found.hosts)

    def _close(self) -> None:
        """What has not ended never will."""
        why = self._stopped or (self.run.detail if self._state is not RunState.RUNNING else "too many have failed")
        late = self.run.detail == run_work.TOO_LONG
        waiting = [h.name for h in self._heard.hosts.values() if h.state is HostState.WAITING and not called(h)]
        self._heard.end(waiting, HostState.SKIPPED, f"its turn did not come: {why}")
        self._heard.close(HostState.TIMED_OUT if late else HostState.CANCELLED, why)

    async def _let_go(self, verb: Callable[..., Run | None]) -> None:
        """It has ended, or waits for people."""
        for _ in range(TRIES):
            news = self._heard.take()
            try:
                await self._database.write(
                    verb, self.run.id, self.run.lease_token, news, self._stopped,
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
