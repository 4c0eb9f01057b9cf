"""What the worker writes down: a run claimed with a lease, how it goes, how it ended; and what became of a lost one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from siems.domain.deadlines import DueKind
from siems.domain.events import RunMoved, RunWent
from siems.domain.permissions import SYSTEM
from siems.domain.rollout import longest, verdict
from siems.domain.run import LEASE, HostState, Run, RunHost, RunState, RunTurn
from siems.domain.runbook import Phase
from siems.services.pausing import is_paused
from siems.storage.repositories.deadlines import Due
from siems.storage.repositories.runs import Piece, StepRow
from siems.storage.unit_of_work import UnitOfWork

TOO_LONG = "it took longer than it may"
LOST = "unknown: the daemon that ran this is gone, and what it did since is not known"


@dataclass(frozen=True, slots=True)
class Job:
    """A run that this daemon has begun."""

    run: Run
    hosts: tuple[RunHost, ...]


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since the last time. `ended`: hosts that are over now."""

    hosts: Sequence[RunHost] = ()
    steps: Sequence[StepRow] = ()
    pieces: Sequence[Piece] = ()
    output_bytes: int = 0

    @property
    def ended(self) -> tuple[RunHost, ...]:
        return tuple(host for host in self.hosts if host.state.over)


def claim(uow: UnitOfWork, number: int, owner: str) -> Job | None:
    """The run is ours, and begins; None when it is not to be had."""
    before = None if is_paused(uow.connection) else uow.runs.hold(number)
    if before is None or before.state is not RunState.QUEUED:
        return None
    hosts = tuple(uow.runs.hosts(number))
    run = replace(
        before, state=RunState.RUNNING, started_at=uow.now, lease_owner=owner[:80], lease_token=os.urandom(16).hex(),
        lease_until=uow.now + LEASE,
    )  # fmt: skip
    uow.runs.put(run)
    end = uow.now + longest(len(hosts), run.plan, run.runbook.timeout)
    uow.deadlines.set(run.ref, DueKind.RUN_TIMEOUT.value, end, company_id=run.company_id)
    uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, uow.now + LEASE, company_id=run.company_id)
    uow.emit(RunMoved(run=run, turn=RunTurn.STARTED, actor=SYSTEM, hosts=hosts))
    return Job(run, hosts)


def report(uow: UnitOfWork, number: int, token: str, news: News) -> Run | None:
    """Write down how it goes and hold on to it; None where it is not ours any more: then all has to stop."""
    before = _ours(uow, number, token)
    if before is None:
        return None
    run = replace(before, lease_until=uow.now + LEASE, output_bytes=max(before.output_bytes, news.output_bytes))
    _write(uow, run, news)
    uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, uow.now + LEASE, company_id=run.company_id)
    return run


def _write(uow: UnitOfWork, run: Run, news: News) -> None:
    uow.runs.put(run)
    uow.runs.put_hosts(run, news.hosts)
    uow.runs.put_steps(run, news.steps)
    uow.runs.print(run, news.pieces)
    steps = tuple((s.host, s.phase, s.name, s.state) for s in news.steps if s.ended_at is not None)
    if news.ended or steps or news.pieces:
        uow.emit(RunWent(run=run, ended=news.ended, steps=steps, printed=bool(news.pieces)))


def finish(uow: UnitOfWork, number: int, token: str, news: News, stopped: str = "") -> Run | None:
    """It is over: how, follows from its hosts. `stopped`: why it was stopped from here."""
    before = _ours(uow, number, token)
    if before is None:
        return None
    _write(uow, replace(before, output_bytes=max(before.output_bytes, news.output_bytes)), news)
    hosts = uow.runs.hosts(number)
    cancelled = before.state is RunState.CANCELLING and before.detail != TOO_LONG
    state, told = verdict(hosts, cancelled=cancelled)
    why = before.detail or stopped
    run = replace(
        before, state=state, detail=f"{told}; {why}" if why and state is not RunState.SUCCEEDED else told,
        ended_at=uow.now, verified=state is RunState.SUCCEEDED and _verifies(before, hosts),
        lease_owner="", lease_token="", lease_until=None, output_bytes=max(before.output_bytes, news.output_bytes),
    )  # fmt: skip
    end(uow, run, hosts)
    return run


def _verifies(run: Run, hosts: Sequence[RunHost]) -> bool:
    """Whether its success was looked at on every host, and not only that nothing failed."""
    asked = Phase.VERIFY in run.plan.phases
    return asked and all(run.runbook.steps(Phase.VERIFY, host.platform) for host in hosts)


def end(uow: UnitOfWork, run: Run, hosts: Sequence[RunHost]) -> None:
    """Keep how it ended, and tell."""
    uow.runs.put(run)
    for kind in (DueKind.RUN_TIMEOUT, DueKind.RUN_LEASE):
        uow.deadlines.cancel(run.ref, kind.value)
    uow.emit(RunMoved(run=run, turn=RunTurn.FINISHED, actor=SYSTEM, hosts=tuple(hosts)))


def _ours(uow: UnitOfWork, number: int, token: str) -> Run | None:
    found = uow.runs.find(number)
    return found if found is not None and token and found.lease_token == token else None


# --- by itself -------------------------------------------------------------------------------------------------


def too_long(uow: UnitOfWork, due: Due) -> None:
    """It should have ended by now: it is stopped."""
    run = uow.runs.find(int(due.object.removeprefix("RUN-")))
    if run is not None and run.state is RunState.RUNNING:
        after = replace(run, state=RunState.CANCELLING, detail=TOO_LONG)
        uow.runs.put(after)
        uow.emit(RunMoved(run=after, turn=RunTurn.CANCELLING, actor=SYSTEM, reason=TOO_LONG))


def lost(uow: UnitOfWork, due: Due) -> None:
    """Nobody holds on to it any more. It is never begun again by itself: nobody knows how far it came."""
    run = uow.runs.find(int(due.object.removeprefix("RUN-")))
    if run is None or run.lease_until is None or run.state.over:
        return
    if run.lease_until > uow.now:
        uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, run.lease_until, company_id=run.company_id)
        return
    hosts = []
    for host in uow.runs.hosts(run.id):
        if host.state is HostState.RUNNING:
            hosts.append(replace(host, state=HostState.UNKNOWN, ended_at=uow.now, detail="how it ended is not known"))
        elif host.state is HostState.WAITING:
            hosts.append(replace(host, state=HostState.SKIPPED, detail="its turn did not come"))
        else:
            hosts.append(host)
    uow.runs.put_hosts(run, hosts)
    after = replace(
        run, state=RunState.FAILED, detail=LOST, ended_at=uow.now, lease_owner="", lease_token="", lease_until=None
    )
    end(uow, after, hosts)
