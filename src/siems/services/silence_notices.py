"""Who hears of silences: the live stream, the record, their authors, and incidents that page again."""

from __future__ import annotations

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.services.silencing import under
from siems.services.staffing import recipients
from siems.services.telling import notify, tell
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Severity, State


def alert_suppressed(uow: UnitOfWork, event: e.AlertSuppressed) -> None:
    alert = event.alert
    uow.audit.add_fact(alert.company_id, [f"ALR-{alert.id}", alert.commitment(), alert.suppressed_by or ""])
    uow.stream.add(
        "alert.suppressed", f"ALR-{alert.id}", company_id=alert.company_id,
        data={
            "asset_name": alert.asset_name, "signature": alert.signature, "severity": alert.severity.name,
            "tool_source": alert.tool_source, "suppressed_by": alert.suppressed_by,
        },
    )  # fmt: skip


def silence_expiring(uow: UnitOfWork, event: e.SilenceExpiring) -> None:
    """Announced before it happens, so that whoever needs longer can say so."""
    silence = event.silence
    held = len(under(uow.company(silence.company_id), silence))
    at = rfc3339(silence.ends_at.replace(microsecond=0))
    subject = (
        f"{silence.label} ends at {at}; it holds {held} alert{'' if held == 1 else 's'} back"
        f" (longer: siems silence extend {silence.ref} --for 1h)"
    )
    uow.audit.add(
        SYSTEM, "silence.expiring", silence.ref, company_id=silence.company_id, details={"ends_at": at, "held": held}
    )  # fmt: skip
    uow.stream.add(
        "silence.expiring", silence.ref, company_id=silence.company_id, data={"ends_at": at, "suppressed": held}
    )  # fmt: skip
    notice = Notice(
        key=f"silence.expiring:{silence.ref}:{at}", event="silence.expiring", object=silence.ref,
        company_id=silence.company_id, severity=Severity.MEDIUM, subject=subject,
    )  # fmt: skip
    notify(uow, notice, [silence.created_by])


def silence_lifted(uow: UnitOfWork, event: e.SilenceLifted) -> None:
    """The incident pages again: whoever the steps that it has reached would have paged is told now."""
    incident, silence = event.incident, event.silence
    text = f"{silence.label} is over: people are paged again"
    uow.timeline.add(incident.company_id, incident.id, "state", text, actor=SYSTEM)
    if incident.acknowledged_at is not None or incident.state is State.IN_PROGRESS or not incident.active_count:
        return
    policy = uow.policy_of(incident)
    reached = [step for step in policy.steps if step.level <= incident.escalation_level]
    people = {p.id for step in reached for p in recipients(uow, incident, step)} | {incident.assignee or ""}
    subject = f"{incident.ref} is still open after {silence.label}: {incident.title}"
    again = f":{silence.ref}:{rfc3339(silence.starts_at)}"
    pages = incident.severity >= Severity.HIGH
    tell(uow, "incident.unsilenced", incident, subject, people, unacknowledged=True, again=again, pages=pages)
