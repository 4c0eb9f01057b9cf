"""Who hears of runs: whoever may approve one, whoever asked for it, the incident's story, the record, the stream."""

from __future__ import annotations

from typing import Any

from siems.domain import events as e
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.domain.run import PAUSED, HostState, Run, RunState, RunTurn
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Risk, Severity

GRAVE = {Risk.LOW: Severity.LOW, Risk.MEDIUM: Severity.MEDIUM, Risk.HIGH: Severity.HIGH}
SHOWN = 20


def run_moved(uow: UnitOfWork, event: e.RunMoved) -> None:
    run, turn = event.run, event.turn
    name = f"run.{turn.value}"
    uow.audit.add(
        event.actor, name, run.ref, company_id=run.company_id, reason=event.reason, details=_details(event)
    )  # fmt: skip
    uow.stream.add(name, run.ref, company_id=run.company_id, data=brief_of(run) | {"actor": event.actor.id})
    if run.incident_id is not None:
        data = {"run_id": run.ref, "runbook": run.runbook.name, "state": run.state.value}
        uow.timeline.add(
            run.company_id, run.incident_id, "run", _line(uow, event), actor=event.actor, data=data
        )  # fmt: skip
    _tell(uow, event)


def run_went(uow: UnitOfWork, event: e.RunWent) -> None:
    run = event.run
    for host in event.ended:
        details: dict[str, Any] = {
            "host": host.name, "state": host.state.value, "exit_code": host.exit_code, "detail": host.detail,
        }  # fmt: skip
        uow.audit.add(SYSTEM, "run.host_finished", run.ref, company_id=run.company_id, details=details)
        told = {**brief_of(run), **details, "phase": host.phase}
        uow.stream.add("run.host_finished", run.ref, company_id=run.company_id, data=told)
    for name, phase, step, state in event.steps:
        data = {"run_id": run.ref, "host": name, "phase": phase, "step": step, "state": state}
        uow.stream.add("run.step_finished", run.ref, company_id=run.company_id, data=data)
    if event.printed:  # what it is has to be fetched: of many of these only the last is told
        size = {"run_id": run.ref, "output_bytes": run.output_bytes}
        uow.stream.add("run.output", run.ref, company_id=run.company_id, data=size, coalesce=True)


def brief_of(run: Run) -> dict[str, Any]:
    """What an event tells of its run, enough to update a line without asking."""
    return {
        "run_id": run.ref, "runbook": run.runbook.name, "title": run.title, "state": run.state.value,
        "risk": run.risk.value, "detail": run.detail, "requested_by": run.requested_by,
        "incident_id": None if run.incident_id is None else f"INC-{run.incident_id}",
    }  # fmt: skip


def _details(event: e.RunMoved) -> dict[str, Any]:
    run = event.run
    found: dict[str, Any] = {"runbook": run.runbook.name, "risk": run.risk.value, "state": run.state.value}
    match event.turn:
        case RunTurn.REQUESTED:
            found |= {
                "digest": run.runbook.digest, "origin": run.origin, "values": dict(run.shown),
                "hosts": [[h.name, h.executor] for h in event.hosts], "incident": run.incident_id,
                "standing": run.standing, "rollback_of": run.rollback_of, "asked": list(event.told),
            }  # fmt: skip
        case RunTurn.APPROVED | RunTurn.REJECTED:
            found |= {"digest": run.runbook.digest, "hosts": [h.name for h in event.hosts]}
        case RunTurn.FINISHED:
            found |= {"detail": run.detail, "verified": run.verified}
            found |= {"hosts": [[h.name, h.state.value] for h in event.hosts]}
        case _:
            found |= {"detail": run.detail}
    return found


# --- words -----------------------------------------------------------------------------------------------------


def _line(uow: UnitOfWork, event: e.RunMoved) -> str:
    run, count = event.run, _hosts(len(event.hosts))
    what = f"{run.ref} {run.title}"
    match event.turn:
        case RunTurn.REQUESTED if run.rollback_of is not None:
            return f"{what}: RUN-{run.rollback_of} is rolled back on {count}"
        case RunTurn.REQUESTED if run.state is RunState.PENDING:
            people = ", ".join(_name(uow, user) for user in event.told[:5]) or "nobody who could"
            return f"{what} on {count}: {run.risk.value} risk, waits for approval by {people}"
        case RunTurn.REQUESTED:
            by = f", approved in advance by {run.standing}" if run.standing else ""
            return f"{what} on {count}: {run.risk.value} risk{by}{', by itself' if run.heals else ''}"
        case RunTurn.APPROVED:
            return f"{what}: approved by {event.actor.name}"
        case RunTurn.REJECTED:
            return f"{what}: rejected by {event.actor.name}: {run.detail}"
        case RunTurn.EXPIRED:
            return f"{what}: {run.detail}"
        case RunTurn.STARTED:
            return f"{what}: begins on {count}"
        case RunTurn.PAUSED:
            waiting = [host.name for host in event.hosts if host.state in PAUSED]
            why = f" ({event.reason})" if event.reason else ""
            return f"{what}: waits for an answer for {', '.join(waiting[:SHOWN])}{why}"
        case RunTurn.RESUMED:
            return f"{what}: goes on"
        case RunTurn.CANCELLING:
            return f"{what}: is stopped, {run.detail}"
        case RunTurn.FINISHED:
            verified = ", verified" if run.verified else ""
            bad = [f"{h.name} {h.state.value}: {h.detail}" for h in event.hosts if h.state is not HostState.SUCCEEDED]
            more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
            told = f" ({'; '.join(bad[:SHOWN])}{more})" if bad else ""
            return f"{what}: {run.state.value}{verified}, {run.detail}{told}"


def _hosts(count: int) -> str:
    return f"{count} host" if count == 1 else f"{count} hosts"


def _name(uow: UnitOfWork, user_id: str) -> str:
    person = uow.person(user_id)
    return person.name if person is not None else user_id


# --- people ----------------------------------------------------------------------------------------------------


def _tell(uow: UnitOfWork, event: e.RunMoved) -> None:
    run = event.run
    company = uow.company(run.company_id).name
    match event.turn:
        case RunTurn.REQUESTED if run.state is RunState.PENDING:
            subject = (
                f"{event.actor.name} asks to run {run.title} on {_hosts(len(event.hosts))} of {company}"
                f" ({run.risk.value} risk, {run.ref}):  siems runbook approve {run.ref}"
            )
            _notify(uow, run, "run.approval_asked", subject, set(event.told), pages=run.risk is Risk.HIGH)
        case RunTurn.APPROVED | RunTurn.REJECTED | RunTurn.EXPIRED:
            by = f" by {event.actor.name}" if event.turn is not RunTurn.EXPIRED else ""
            why = f": {run.detail or event.reason}" if run.detail or event.reason else ""
            subject = f"{run.ref} {run.title} of {company} was {event.turn.value}{by}{why}"
            if event.turn is RunTurn.EXPIRED:
                subject = f"{run.ref} {run.title} of {company} has expired: {run.detail}"
            _notify(uow, run, f"run.{event.turn.value}", subject, {run.requested_by})
        case RunTurn.FINISHED:
            verified = ", verified" if run.verified else ""
            subject = f"{run.ref} {run.title} of {company} {run.state.value}{verified}: {run.detail}"
            _notify(uow, run, "run.finished", subject, {run.requested_by} - {event.actor.id})
        case _:
            return


def _notify(uow: UnitOfWork, run: Run, event: str, subject: str, people: set[str], *, pages: bool = False) -> None:
    notice = Notice(
        key=f"{event}:{run.ref}", event=event, object=run.ref, company_id=run.company_id, severity=GRAVE[run.risk],
        subject=subject, pages=pages,
    )  # fmt: skip
    notify(uow, notice, people - {SYSTEM.id})
