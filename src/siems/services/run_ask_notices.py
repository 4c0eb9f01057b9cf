"""Who hears of hosts that ask: whoever started the run, the incident's story, the record, the stream."""

from __future__ import annotations

from typing import Any

from siems.domain import events as e
from siems.domain.asking import HostAnswer
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.domain.run import Run, RunHost
from siems.services.run_notices import GRAVE, brief_of
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork

LISTED = 5
_SAID = {
    HostAnswer.SKIP: "is left out", HostAnswer.RETRY: "tries its step again", HostAnswer.HOLD: "is held",
    HostAnswer.GO_ON: "goes on with the next step",
}  # fmt: skip


def run_asked(uow: UnitOfWork, event: e.RunAsked) -> None:
    run = event.run
    for host in event.hosts:
        details = _details(host)
        uow.audit.add(SYSTEM, "run.host_asked", run.ref, company_id=run.company_id, details=details)
        told = {**brief_of(run), **details}
        uow.stream.add("run.host_asked", run.ref, company_id=run.company_id, data=told)
        _tell_story(uow, run, SYSTEM, f"{run.ref} {run.title}: {host.name} asks what now: {host.detail}")
    names = ", ".join(host.name for host in event.hosts[:LISTED])
    more = f" and {len(event.hosts) - LISTED} more" if len(event.hosts) > LISTED else ""
    first = event.hosts[0]
    subject = (
        f"{run.ref} {run.title} of {uow.company(run.company_id).name}: {names}{more} asks what now: {first.detail}"
        f"  siems runbook answer {run.ref} retry --host {first.name}"
    )
    notice = Notice(
        key=f"run.host_asked:{run.ref}:{first.name}:{first.asked_at}", event="run.host_asked", object=run.ref,
        company_id=run.company_id, severity=GRAVE[run.risk], subject=subject,
    )  # fmt: skip
    notify(uow, notice, {run.requested_by} - {SYSTEM.id})


def run_answered(uow: UnitOfWork, event: e.RunAnswered) -> None:
    run, host = event.run, event.host
    details = _details(host) | {"answer": host.answer, "was": event.before.state.value}
    uow.audit.add(
        event.actor, "run.host_answered", run.ref, company_id=run.company_id, reason=event.reason, details=details
    )  # fmt: skip
    told = {**brief_of(run), **details, "actor": event.actor.id}
    uow.stream.add("run.host_answered", run.ref, company_id=run.company_id, data=told)
    why = f": {event.reason}" if event.reason else ""
    said = _SAID[HostAnswer(host.answer)]
    _tell_story(uow, run, event.actor, f"{run.ref} {run.title}: {host.name} {said}, says {event.actor.name}{why}")


def _details(host: RunHost) -> dict[str, Any]:
    return {
        "host": host.name, "state": host.state.value, "step": host.step, "exit_code": host.exit_code,
        "detail": host.detail,
    }  # fmt: skip


def _tell_story(uow: UnitOfWork, run: Run, actor: Any, line: str) -> None:
    if run.incident_id is not None:
        data = {"run_id": run.ref, "runbook": run.runbook.name, "state": run.state.value}
        uow.timeline.add(run.company_id, run.incident_id, "run", line, actor=actor, data=data)
