"""Who hears of runbooks that people write: the record, the live stream, admins who may approve, and the author."""

from __future__ import annotations

from siems.domain import events as e
from siems.domain.reach import Notice
from siems.domain.runbook_found import Found
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role, Severity


def runbook_written(uow: UnitOfWork, event: e.RunbookWritten) -> None:
    found, before, actor = event.found, event.before, event.actor
    word = "created" if before is None else "edited"
    details = {
        "version": found.version, "digest": found.runbook.digest, "risk": found.runbook.risk.value,
        "approved": found.approved, "before": None if before is None else before.runbook.digest,
    }  # fmt: skip
    uow.audit.add(
        actor, f"runbook.{word}", found.runbook.name, company_id=found.company_id, reason=event.reason,
        details=details,
    )  # fmt: skip
    _publish(uow, f"runbook.{word}", found, actor.id)
    if found.approved:
        return
    asked = {p.id for p in uow.people() if p.role is Role.ADMIN and p.id != actor.id}
    owner = _flag(found)
    subject = (
        f"{actor.name} has {'written' if before is None else 'changed'} the runbook {found.runbook.name}{_of(found)};"
        f" it counts as HIGH until you approve its content (siems runbook approve-content {found.runbook.name}{owner})"
    )
    _tell(uow, "runbook.content_asked", found, subject, asked)


def runbook_approved(uow: UnitOfWork, event: e.RunbookApproved) -> None:
    found, actor = event.found, event.actor
    details = {"version": found.version, "digest": found.runbook.digest, "risk": found.effective_risk.value}
    uow.audit.add(
        actor, "runbook.content_approved", found.runbook.name, company_id=found.company_id, reason=event.reason,
        details=details,
    )  # fmt: skip
    _publish(uow, "runbook.content_approved", found, actor.id)
    if found.author != actor.id:
        subject = f"{actor.name} has approved the content of {found.runbook.name}{_of(found)}: {found.effective_risk}"
        _tell(uow, "runbook.content_approved", found, subject, {found.author})


def _of(found: Found) -> str:
    return " of the MSP" if found.company_id == MSP else f" of {found.company_id}"


def _flag(found: Found) -> str:
    return f" --company {found.company_id.removeprefix('comp-')}"


def _publish(uow: UnitOfWork, type: str, found: Found, actor: str) -> None:
    data = {
        "actor": actor, "version": found.version, "approved": found.approved, "risk": found.effective_risk.value,
    }  # fmt: skip
    uow.stream.add(type, found.runbook.name, company_id=found.company_id, data=data)


def _tell(uow: UnitOfWork, event: str, found: Found, subject: str, people: set[str]) -> None:
    notice = Notice(
        key=f"{event}:{found.company_id}:{found.runbook.name}:{found.version}", event=event,
        object=found.runbook.name, company_id=found.company_id, severity=Severity.MEDIUM, subject=subject,
    )  # fmt: skip
    notify(uow, notice, people)
