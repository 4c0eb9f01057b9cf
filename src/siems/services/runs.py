"""The verbs of runs: ask for one, approve, reject, cancel, go back; and what happens to a request by itself."""

from __future__ import annotations

import json
from dataclasses import replace

from siems.domain.asking import closed
from siems.domain.deadlines import DueKind
from siems.domain.events import RunMoved
from siems.domain.permissions import SYSTEM, Actor, Permission, missing, require
from siems.domain.run import (
    EXPIRES_AFTER,
    HostState,
    Plan,
    Run,
    RunHost,
    RunState,
    RunTurn,
    answerable,
    may_roll_back,
    require_approver,
)
from siems.domain.runbook import Phase
from siems.errors import Conflict, InvalidField
from siems.services.run_planning import Planned, prepare, shown_values
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import Risk
from siems.wire import RunAnswerAsk, RunAsk

MOST_AT_ONCE = 100
"""So many runs of a company may wait or go on at a time."""


def request(
    uow: UnitOfWork, actor: Actor, company_id: str, incident_id: int | None, ask: RunAsk, vault: Vault, *,
    local: bool, rehearsal: bool = False,
) -> tuple[Run, Planned]:  # fmt: skip
    """Ask for a run: it begins at once where nobody has to approve it. Raises InvalidField, Forbidden, NotFound.

    `rehearsal`: nothing will come of it, so nothing has to be confirmed.
    """
    require(actor, Permission.RUN, company_id, what=company_id)
    planned = prepare(uow, actor, company_id, incident_id, ask, local=local)
    if planned.risk is Risk.HIGH and not rehearsal:
        _confirmed(ask.confirm, company_id, f"{planned.found.runbook.name} is of high risk")
    _room(uow, company_id)
    run = made(uow, actor, company_id, incident_id, planned, ask.reason, vault)
    return run, planned


def made(
    uow: UnitOfWork, actor: Actor, company_id: str, incident_id: int | None, planned: Planned, reason: str,
    vault: Vault | None, *, heals: bool = False,
) -> Run:  # fmt: skip
    """A run of what was planned, told of and kept. Without a vault its values are kept as they are."""
    runbook = planned.found.runbook
    given = json.dumps(dict(planned.values))
    run = Run(
        id=uow.next_number("run"), company_id=company_id, runbook=runbook, origin=planned.found.origin.value,
        risk=planned.risk, plan=planned.plan, given=given if vault is None else vault.seal(given),
        shown=shown_values(runbook, planned.values), incident_id=incident_id, rollback_of=None, heals=heals,
        state=RunState.PENDING if planned.asked else RunState.QUEUED, detail="", reason=reason.strip()[:1_000],
        requested_by=actor.id, requested_at=uow.now, standing=planned.standing.ref if planned.standing else "",
    )  # fmt: skip
    hosts = tuple(target.host for target in planned.targets)
    uow.runs.put(run)
    uow.runs.put_hosts(run, hosts)
    if run.state is RunState.PENDING:
        uow.deadlines.set(run.ref, DueKind.RUN_EXPIRY.value, uow.now + EXPIRES_AFTER, company_id=company_id)
    told = tuple(person.id for person in planned.approvers)
    uow.emit(RunMoved(run=run, turn=RunTurn.REQUESTED, actor=actor, hosts=hosts, told=told, reason=run.reason))
    return run


def _confirmed(given: str, company_id: str, why: str) -> None:
    if given.strip() != company_id:
        raise InvalidField(
            f"{why}: type the id of the company that it is about" if not given else f"{why}, and it is not {given!r}",
            hint=f"--confirm {company_id}",
        )


def _room(uow: UnitOfWork, company_id: str) -> None:
    states = ", ".join(f"'{state.value}'" for state in RunState if not state.over)
    [row] = uow.connection.exec_driver_sql(
        uow.dialect.marks(f"SELECT count(*) FROM run WHERE company_id = ? AND state IN ({states})"),  # noqa: S608
        (company_id,),
    )
    if row[0] >= MOST_AT_ONCE:
        raise Conflict(f"{company_id} has {MOST_AT_ONCE} runs that are not over", hint="siems runbook runs")


# --- answers ---------------------------------------------------------------------------------------------------


def approve(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: RunAnswerAsk) -> tuple[Run, bool]:
    """It may begin: said by somebody else than who asked. Raises Forbidden, Conflict, InvalidField."""
    before = held(uow, actor, company_id, number)
    require_approver(actor, company_id, before.risk, before.requested_by, before.ref)
    if before.answered_by == actor.id and before.state not in (RunState.PENDING, RunState.REJECTED):
        return before, False
    answerable(before, uow.now)
    if before.risk is Risk.HIGH:
        _confirmed(ask.confirm, company_id, f"{before.ref} is of high risk")
    elif ask.confirm and ask.confirm.strip() not in (company_id, before.ref, str(before.id)):
        raise InvalidField(f"this is {before.ref}, not {ask.confirm[:40]!r}", hint=f"--confirm {before.ref}")
    after = replace(before, state=RunState.QUEUED, answered_by=actor.id, answered_at=uow.now)
    _answer(uow, after, RunTurn.APPROVED, actor, ask.reason)
    return after, True


def reject(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: RunAnswerAsk) -> tuple[Run, bool]:
    """It may not begin, and why."""
    before = held(uow, actor, company_id, number)
    require_approver(actor, company_id, before.risk, before.requested_by, before.ref)
    if before.state is RunState.REJECTED:
        return before, False
    answerable(before, uow.now)
    reason = ask.reason.strip()[:1_000]
    if not reason:
        raise InvalidField("whoever asked wants to know why", hint='--reason "not in office hours"')
    after = replace(
        before, state=RunState.REJECTED, answered_by=actor.id, answered_at=uow.now, ended_at=uow.now, detail=reason
    )
    _answer(uow, after, RunTurn.REJECTED, actor, reason)
    return after, True


def _answer(uow: UnitOfWork, run: Run, turn: RunTurn, actor: Actor, reason: str) -> None:
    uow.runs.put(run)
    uow.deadlines.cancel(run.ref, DueKind.RUN_EXPIRY.value)
    uow.emit(RunMoved(run=run, turn=turn, actor=actor, hosts=tuple(uow.runs.hosts(run.id)), reason=reason))


def expire(uow: UnitOfWork, due: Due) -> None:
    """Nobody has answered within the hour."""
    run = uow.runs.find(int(due.object.removeprefix("RUN-")))
    if run is not None and run.state is RunState.PENDING:
        after = replace(run, state=RunState.EXPIRED, ended_at=uow.now, detail="nobody has answered within an hour")
        uow.runs.put(after)
        uow.emit(RunMoved(run=after, turn=RunTurn.EXPIRED, actor=SYSTEM))


# --- stopping and going back -----------------------------------------------------------------------------------


def cancel(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: RunAnswerAsk) -> tuple[Run, bool]:
    """Nothing more begins, and what runs is stopped where the way there allows it."""
    before = held(uow, actor, company_id, number)
    if before.state in (RunState.CANCELLED, RunState.CANCELLING):
        return before, False
    if before.state.over:
        raise Conflict(f"{before.ref} has {before.state.value} already", hint=f"siems runbook status {before.ref}")
    detail = f"cancelled by {actor.name}"
    if before.state is RunState.RUNNING:
        after = replace(before, state=RunState.CANCELLING, detail=detail)
        uow.runs.put(after)
        uow.emit(RunMoved(run=after, turn=RunTurn.CANCELLING, actor=actor, reason=ask.reason))
        return after, True
    after = replace(before, state=RunState.CANCELLED, ended_at=uow.now, detail=detail)
    uow.runs.put(after)
    uow.runs.put_hosts(after, closed(uow.runs.hosts(number), HostState.CANCELLED, detail, uow.now))
    for kind in (DueKind.RUN_EXPIRY, DueKind.RUN_TIMEOUT):
        uow.deadlines.cancel(after.ref, kind.value)
    hosts = tuple(uow.runs.hosts(number))
    uow.emit(RunMoved(run=after, turn=RunTurn.FINISHED, actor=actor, hosts=hosts, reason=ask.reason))
    return after, True


def roll_back(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str) -> Run:
    """Go back on every host where anything may have been changed. What was approved covers this. Raises Conflict."""
    before = held(uow, actor, company_id, number)
    may_roll_back(before)
    known = uow.connection.exec_driver_sql(
        uow.dialect.marks(
            "SELECT id FROM run WHERE rollback_of = ? AND state IN ('queued', 'running', 'asking', 'succeeded')"
        ),
        (number,),
    ).first()
    if known is not None:
        raise Conflict(f"{before.ref} is rolled back by RUN-{known[0]}", hint=f"siems runbook status RUN-{known[0]}")
    hosts = tuple(
        RunHost(name=host.name, position=place, platform=host.platform, executor=host.executor)
        for place, host in enumerate((h for h in uow.runs.hosts(number) if h.changed), 1)
        if before.runbook.steps(Phase.ROLLBACK, host.platform)
    )
    if not hosts:
        raise Conflict(f"{before.ref} has changed nothing on any host", hint=f"siems runbook status {before.ref}")
    plan = Plan(canary=0, parallel=before.plan.parallel, max_failures=len(hosts), phases=(Phase.ROLLBACK,))
    run = replace(
        before, id=uow.next_number("run"), plan=plan, rollback_of=number, state=RunState.QUEUED, detail="",
        reason=reason.strip()[:1_000], requested_by=actor.id, requested_at=uow.now, started_at=None, ended_at=None,
        verified=False, lease_owner="", lease_token="", lease_until=None, output_bytes=0, heals=before.heals,
    )  # fmt: skip
    uow.runs.put(run)
    uow.runs.put_hosts(run, hosts)
    uow.emit(RunMoved(run=run, turn=RunTurn.REQUESTED, actor=actor, hosts=hosts, reason=run.reason))
    return run


def held(uow: UnitOfWork, actor: Actor, company_id: str, number: int) -> Run:
    """A run that this person may do something about. Raises NotFound, Forbidden."""
    require(actor, Permission.RUN, company_id, what=f"RUN-{number}")
    found = uow.runs.find(number)
    if found is None or found.company_id != company_id:
        raise missing(f"RUN-{number}")
    return found


def values_of(run: Run, vault: Vault) -> dict[str, str]:
    """The values of a run, in clear."""
    found: dict[str, str] = json.loads(run.given if run.given.startswith("{") else vault.unseal(run.given))
    return found
