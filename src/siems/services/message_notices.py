"""Who hears of messages that reach nobody."""

from __future__ import annotations

from siems.domain import events as e
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role, Severity


def message_dead(uow: UnitOfWork, event: e.MessageDead) -> None:
    """Said where it belongs; and where a page reaches nobody at all, the admins are told."""
    person = uow.person(event.user_id)
    name = person.name if person is not None else event.user_id
    text = f"{event.channel} to {name} ({event.hint}) was given up: {event.error}"
    details = {"user": event.user_id, "channel": event.channel, "error": event.error, "another": event.left}
    uow.audit.add(SYSTEM, "message.dead", event.object, company_id=event.company_id, details=details)
    uow.stream.add("message.dead", event.object, company_id=event.company_id, data=details)
    if event.object.startswith("INC-"):
        number = int(event.object.removeprefix("INC-"))
        uow.timeline.add(event.company_id, number, "notice", text, actor=SYSTEM, data=details)
    if event.left or not event.pages:
        return
    admins = [p.id for p in uow.people() if p.role is Role.ADMIN and p.id != event.user_id]
    notice = Notice(
        key=f"message.dead:{event.object}:{event.user_id}:{uow.now:%Y%m%d%H}", event="message.dead",
        object=event.object, company_id=MSP, severity=Severity.HIGH,
        subject=f"{name} could not be reached about {event.object}: {text}",
    )  # fmt: skip
    notify(uow, notice, admins)
