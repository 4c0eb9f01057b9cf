"""What the worker writes down: a run claimed with a lease, how it goes, how it ended; and what became of a lost one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from siems.domain.asking import asking, asks, called, closed
from siems.domain.deadlines import DueKind
from siems.domain.events import RunAsked, RunMoved, RunWent
from siems.domain.permissions import SYSTEM
from siems.domain.rollout import goes_on, longest, verdict
from siems.domain.run import LEASE, PAUSED, HostState, Run, RunHost, RunState, RunTurn
from siems.domain.runbook import Phase
from siems.services.pausing import is_paused
from siems.storage.repositories.deadlines import Due
from siems.storage.repositories.runs import Piece, StepRow, attempts_of, find, hosts_of
from siems.storage.unit_of_work import UnitOfWork

TOO_LONG = "it took longer than it may"
LOST = "unknown: the daemon that ran this is gone, and what it did since is not known"


@dataclass(frozen=True, slots=True)
class Job:
    """A run that this daemon has begun, and its hosts as the database has them."""

    run: Run
    hosts: tuple[RunHost, ...]
    attempts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """How often each step was begun before, where it goes on after an answer."""


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
    hosts, again = tuple(uow.runs.hosts(number)), before.started_at is not None
    run = replace(
        before, state=RunState.RUNNING, started_at=before.started_at or uow.now, lease_owner=owner[:80],
        lease_token=os.urandom(16).hex(), lease_until=uow.now + LEASE,
    )  # fmt: skip
    uow.runs.put(run)
    if not again:  # while it asks, its time goes on
        end = uow.now + longest(len(hosts), run.plan, run.runbook.timeout)
        uow.deadlines.set(run.ref, DueKind.RUN_TIMEOUT.value, end, company_id=run.company_id)
    uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, uow.now + LEASE, company_id=run.company_id)
    turn = RunTurn.RESUMED if again else RunTurn.STARTED
    uow.emit(RunMoved(run=run, turn=turn, actor=SYSTEM, hosts=hosts))
    return Job(run, hosts, attempts_of(uow.connection, number))


def report(uow: UnitOfWork, number: int, token: str, news: News) -> Job | None:
    """Write down how it goes and hold on to it; None where it is not ours any more: then all has to stop."""
    before = _ours(uow, number, token)
    if before is None:
        return None
    run = replace(before, lease_until=uow.now + LEASE, output_bytes=max(before.output_bytes, news.output_bytes))
    _write(uow, run, news)
    uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, uow.now + LEASE, company_id=run.company_id)
    return Job(run, tuple(uow.runs.hosts(number)))


def looked(connection: Connection, number: int) -> Job | None:
    """A run as the database has it."""
    run = find(connection, number)
    return None if run is None else Job(run, tuple(hosts_of(connection, number)))


def _write(uow: UnitOfWork, run: Run, news: News) -> None:
    uow.runs.put(run)
    ask = _put_hosts(uow, run, news.hosts)
    uow.runs.put_steps(run, news.steps)
    uow.runs.print(run, news.pieces)
    steps = tuple((s.host, s.phase, s.name, s.state) for s in news.steps if s.ended_at is not None)
    if news.ended or steps or news.pieces:
        uow.emit(RunWent(run=run, ended=news.ended, steps=steps, printed=bool(news.pieces)))
    if ask:
        uow.emit(RunAsked(run=run, hosts=ask))


def _put_hosts(uow: UnitOfWork, run: Run, hosts: Sequence[RunHost]) -> tuple[RunHost, ...]:
    """Keep them; those that ask something new. What was answered stands: whoever writes may not know of it yet."""
    if not any(host.state in PAUSED for host in hosts):
        uow.runs.put_hosts(run, hosts)
        return ()
    kept, ask = [], []
    known = {host.name: host for host in uow.runs.hosts(run.id)}
    for host in hosts:
        if host.state in PAUSED and known[host.name].asked_at == host.asked_at:
            host = replace(known[host.name], output_bytes=host.output_bytes)
        elif host.state is HostState.ASKING:
            ask.append(host)
        kept.append(host)
    uow.runs.put_hosts(run, kept)
    return tuple(ask)


def park(uow: UnitOfWork, number: int, token: str, news: News, stopped: str = "") -> Run | None:
    """Nothing runs there now and hosts ask: let go of it until somebody answers. It needs no daemon for that."""
    before = _ours(uow, number, token)
    if before is None:
        return None
    if before.state is not RunState.RUNNING:  # it was cancelled, or its time is over
        _write(uow, before, news)
        begun = HostState.TIMED_OUT if before.detail == TOO_LONG else HostState.CANCELLED
        uow.runs.put_hosts(before, closed(uow.runs.hosts(number), begun, before.detail, uow.now))
        return finish(uow, number, token, News(output_bytes=news.output_bytes), stopped)
    free = replace(
        before, lease_owner="", lease_token="", lease_until=None,
        output_bytes=max(before.output_bytes, news.output_bytes),
    )  # fmt: skip
    _write(uow, free, news)
    hosts = tuple(uow.runs.hosts(number))
    run = replace(free, state=RunState.QUEUED if goes_on(hosts, free.plan) else RunState.ASKING)
    uow.runs.put(run)
    uow.deadlines.cancel(run.ref, DueKind.RUN_LEASE.value)
    uow.emit(RunMoved(run=run, turn=RunTurn.PAUSED, actor=SYSTEM, hosts=hosts, reason=stopped))
    return run


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
        ended_at=uow.now, verified=state is RunState.SUCCEEDED and _verifies(uow, before, hosts),
        lease_owner="", lease_token="", lease_until=None, output_bytes=max(before.output_bytes, news.output_bytes),
    )  # fmt: skip
    end(uow, run, hosts)
    return run


def _verifies(uow: UnitOfWork, run: Run, hosts: Sequence[RunHost]) -> bool:
    """Whether its success was looked at on every host, and not only that nothing failed.

    A host that a person has sent on past a verify that said no is not well because of that.
    """
    asked = Phase.VERIFY in run.plan.phases
    if not asked or not all(run.runbook.steps(Phase.VERIFY, host.platform) for host in hosts):
        return False
    wanted = (run.id, Phase.VERIFY.value, HostState.SUCCEEDED.value)
    statement = uow.dialect.marks(
        "SELECT 1 FROM run_step s WHERE run_id = ? AND phase = ? AND state <> ? AND NOT EXISTS (SELECT 1 FROM run_step"
        " l WHERE l.run_id = s.run_id AND l.host = s.host AND l.number = s.number AND l.attempt > s.attempt) LIMIT 1"
    )
    return uow.connection.exec_driver_sql(statement, wanted).first() is None


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
    """It should have ended by now: it is stopped, or ended where it only waits for an answer."""
    run = uow.runs.find(int(due.object.removeprefix("RUN-")))
    if run is None or run.state.over:
        return
    if run.state is not RunState.RUNNING and run.state is not RunState.CANCELLING:
        give_up(uow, run)
    elif run.state is RunState.RUNNING:
        after = replace(run, state=RunState.CANCELLING, detail=TOO_LONG)
        uow.runs.put(after)
        uow.emit(RunMoved(run=after, turn=RunTurn.CANCELLING, actor=SYSTEM, reason=TOO_LONG))


def give_up(uow: UnitOfWork, run: Run) -> None:
    """Nobody has answered in time."""
    hosts = closed(uow.runs.hosts(run.id), HostState.TIMED_OUT, "nobody has answered in time", uow.now)
    uow.runs.put_hosts(run, hosts)
    every = uow.runs.hosts(run.id)
    state, told = verdict(every, cancelled=False)
    end(uow, replace(run, state=state, detail=f"{told}; {TOO_LONG}", ended_at=uow.now), every)


def lost(uow: UnitOfWork, due: Due) -> None:
    """Nobody holds on to it any more. It is never begun again by itself: nobody knows how far it came.

    Hosts that ask go on asking, and those whose step asks when it fails ask now.
    """
    run = uow.runs.find(int(due.object.removeprefix("RUN-")))
    if run is None or run.lease_until is None or run.state.over:
        return
    if run.lease_until > uow.now:
        uow.deadlines.set(run.ref, DueKind.RUN_LEASE.value, run.lease_until, company_id=run.company_id)
        return
    hosts = []
    for host in uow.runs.hosts(run.id):
        begun = host.state is HostState.RUNNING or called(host)
        if begun and run.state is RunState.RUNNING and asks(run, host.platform, host.step):
            hosts.append(asking(host, f"how it ended is not known; {host.detail}".rstrip("; "), uow.now))
        elif host.state in PAUSED and run.state is RunState.RUNNING:
            hosts.append(host)
        elif host.state in PAUSED:
            hosts.append(replace(host, state=HostState.CANCELLED, ended_at=uow.now))
        elif begun:
            hosts.append(replace(host, state=HostState.UNKNOWN, ended_at=uow.now, detail="how it ended is not known"))
        elif host.state is HostState.WAITING:
            hosts.append(replace(host, state=HostState.SKIPPED, detail="its turn did not come"))
        else:
            hosts.append(host)
    uow.runs.put_hosts(run, hosts)
    if any(host.state in PAUSED for host in hosts):
        free = replace(run, state=RunState.ASKING, lease_owner="", lease_token="", lease_until=None)
        uow.runs.put(free)
        uow.emit(RunAsked(run=free, hosts=tuple(h for h in hosts if h.asked_at == uow.now)))
        uow.emit(RunMoved(run=free, turn=RunTurn.PAUSED, actor=SYSTEM, hosts=tuple(hosts), reason=LOST))
        return
    after = replace(
        run, state=RunState.FAILED, detail=LOST, ended_at=uow.now, lease_owner="", lease_token="", lease_until=None
    )
    end(uow, after, hosts)
