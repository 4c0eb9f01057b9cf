"""Who hears of a page: whom it calls, whoever asked for it, the live stream, the record, its incident's story."""

from __future__ import annotations

from collections.abc import Iterable

from siems.domain import events as e
from siems.domain.page import MOST, Page, PageStep
from siems.domain.reach import Notice
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork

_CALLS = (PageStep.OPENED, PageStep.REPEATED)


def page_moved(uow: UnitOfWork, event: e.PageMoved) -> None:
    page, step, actor = event.page, event.step, event.actor
    name = f"page.{step.value}"
    details = {
        "message": page.message, "severity": page.severity.name, "target": page.target, "people": list(event.called),
        "key": page.key, "times_sent": page.times_sent,
    }  # fmt: skip
    uow.audit.add(actor, name, page.ref, company_id=page.company_id, reason=event.reason, details=details)
    uow.stream.add(
        name, page.ref, company_id=page.company_id,
        data={
            "page_id": page.ref, "state": page.state.value, "severity": page.severity.name, "message": page.message,
            "target": page.target, "called": list(event.called or page.people), "actor": actor.id,
            "incident_id": None if page.incident_id is None else f"INC-{page.incident_id}",
        },
    )  # fmt: skip
    if step in _CALLS:
        again = f", for the {_nth(page.times_sent)} of {MOST} times" if step is PageStep.REPEATED else ""
        subject = f"{page.severity.name} page from {_name(uow, page.created_by)}{again}: {page.message} ({page.ref})"
        tell_person(uow, page, name, subject, event.called, unacknowledged=True)
    else:
        uow.messages.cancel_pages(page.ref, f"{step.value} by {_name(uow, actor.id)}")
        _told(uow, event)
    if page.incident_id is not None and step is not PageStep.REPEATED:
        uow.timeline.add(page.company_id, page.incident_id, "notify", _line(uow, event), actor=actor)


def _told(uow: UnitOfWork, event: e.PageMoved) -> None:
    """Whoever asked for it, and whoever was called and need not come, hear how it ended."""
    page, actor = event.page, event.actor
    match event.step:
        case PageStep.ACKNOWLEDGED:
            text, people = f"{actor.name} has acknowledged {page.ref}: {page.message}", {page.created_by, *page.people}
        case PageStep.EXPIRED:
            people = {page.created_by}
            text = f"nobody has acknowledged {page.ref} in an hour, it is sent no more: {page.message}"
        case _ if page.acknowledged_at is None:
            text, people = f"{page.ref} is over, you need not come: {page.message}", set(page.people)
        case _:
            return
    tell_person(uow, page, f"page.{event.step.value}", text, sorted(people - {actor.id}))


def tell_person(
    uow: UnitOfWork, page: Page, event: str, subject: str, people: Iterable[str], *, unacknowledged: bool = False
) -> None:  # fmt: skip
    """A message about a page for each of these people, on whatever way they are reached."""
    notice = Notice(
        key=f"{event}:{page.ref}:{page.times_sent}", event=event, object=page.ref, company_id=page.company_id,
        severity=page.severity, subject=subject, pages=unacknowledged, unacknowledged=unacknowledged,
        by_hand=unacknowledged,
    )  # fmt: skip
    notify(uow, notice, people)


def _line(uow: UnitOfWork, event: e.PageMoved) -> str:
    page = event.page
    match event.step:
        case PageStep.OPENED:
            return f"{page.ref} calls {', '.join(_name(uow, p) for p in event.called)}: {page.message}"
        case PageStep.EXPIRED:
            return f"{page.ref} was not acknowledged by anybody"
        case _:
            return f"{page.ref} {event.step.value}"


def _name(uow: UnitOfWork, user_id: str) -> str:
    person = uow.person(user_id)
    return person.name if person is not None else user_id


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if not 10 < number % 100 < 14 else "th"
    return f"{number}{ending}"
