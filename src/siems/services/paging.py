"""The verbs of pages: call somebody, acknowledge, end; and what happens to a page by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from siems.domain.changing import replace
from siems.domain.deadlines import DueKind
from siems.domain.events import PageMoved
from siems.domain.page import ON_CALL, Page, PageState, PageStep, due_at, used_up
from siems.domain.permissions import SYSTEM, Actor, Permission, require
from siems.errors import Conflict, InvalidField, NotFound
from siems.services import oncall
from siems.services.assigning import find_person
from siems.services.policy_views import pretended
from siems.services.staffing import covering, obstacles, reach
from siems.storage.people import Person
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Availability, Role, Severity
from siems.wire import PageAsk


@dataclass(frozen=True, slots=True)
class Paged:
    """What came of it, and what whoever paged should know."""

    page: Page
    changed: bool
    notes: tuple[str, ...] = ()


def open_page(uow: UnitOfWork, actor: Actor, company_id: str, ask: PageAsk, incident_id: int | None) -> Paged:
    """Call somebody now; where a page under this key has not ended, that one is the answer.

    Raises InvalidField, NotFound for who is not there, Conflict when there is nobody at all to page.
    """
    require(actor, Permission.PAGE, company_id, what=company_id)
    incident = uow.incidents.get(company_id, incident_id) if incident_id is not None else None
    message = " ".join(ask.message.split())[:1_000] or (incident.title if incident is not None else "")
    if not message:
        raise InvalidField("a page says what it is about", hint='add  --message "the VPN is down"')
    key = ask.key.strip() or None
    if key is not None and len(key) > 200:
        raise InvalidField("a key has at most 200 characters")
    severity = _severity(ask.severity) if ask.severity else (incident.severity if incident else Severity.HIGH)
    word = ask.to.strip().lower().removeprefix("@")
    person = None if word == ON_CALL else _person(uow, actor, ask.to, company_id)
    if key is not None and (known := uow.pages.under(company_id, key)) is not None:
        return Paged(known, False, (f"{known.ref} has this key and has not ended: nobody is paged again",))
    people, notes = ([person], []) if person is not None else _on_call(uow, company_id, 1)
    page = Page(
        id=uow.next_number("page"), company_id=company_id, target=ON_CALL if person is None else person.id,
        people=tuple(p.id for p in people), message=message, severity=severity, key=key, incident_id=incident_id,
        created_by=actor.id, created_at=uow.now, times_sent=1, sent_at=uow.now,
    )  # fmt: skip
    _keep(uow, page)
    uow.emit(PageMoved(page, PageStep.OPENED, actor, page.people))
    away = [f"{p.name} is {p.availability.value}" for p in people if p.availability is not Availability.AVAILABLE]
    return Paged(page, True, (*notes, *away))


def _person(uow: UnitOfWork, actor: Actor, word: str, company_id: str) -> Person:
    me = word.strip().lower() in ("@me", "me")
    return find_person(uow, actor, actor.id if me else word, company_id)


def _severity(word: str) -> Severity:
    try:
        return Severity[word.strip().upper()]
    except KeyError as why:
        near = get_close_matches(word.strip().upper(), [s.name for s in Severity], n=1)
        hint = f"did you mean {near[0]}?" if near else "LOW, MEDIUM, HIGH or CRITICAL"
        raise InvalidField(f"{word[:64]!r} is no severity", hint=hint) from why


def _on_call(uow: UnitOfWork, company_id: str, times: int) -> tuple[list[Person], list[str]]:
    """Whom a page of who is on call reaches the first, second ... time: each time one more of their order.

    Where nobody is on call, all technicians, else all admins at once. (The people, notes.)
    """
    there = oncall.on_call(uow, company_id)
    if there:
        return there[:times], []
    instead = covering(uow, company_id, Role.TECHNICIAN) or [p for p in uow.people() if p.role is Role.ADMIN]
    if not instead:
        raise Conflict(f"nobody is on call for {company_id}, and nobody else is there", hint="siems user list")
    kind = "its technicians are" if instead[0].role is Role.TECHNICIAN else "the admins are"
    return instead, [f"nobody is on call for {company_id}: {kind} paged"]


def _wider(uow: UnitOfWork, page: Page, times: int) -> list[Person]:
    """Whom it reaches the second, third ... time: those before, and one circle more: the next of those on call, then
    each level of the company's escalation policy, then its technicians, then the admins."""
    people = {p.id: p for p in _on_call(uow, page.company_id, times)[0]}
    circles = max(0, times - max(1, len(oncall.on_call(uow, page.company_id))))
    for circle in _beyond(uow, page):
        if circles == 0:
            break
        new = {p.id: p for p in circle if p.id not in people}
        if new:
            people |= new
            circles -= 1
    return list(people.values())


def _beyond(uow: UnitOfWork, page: Page) -> Iterator[list[Person]]:
    company = uow.company(page.company_id)
    like = pretended(uow, page.company_id, page.severity, page.created_at)
    blocked = obstacles(uow, like, company.policy)
    for index, step in enumerate(company.policy.steps):
        if index not in blocked:
            yield list(reach(uow, like, step).paged)
    yield covering(uow, page.company_id, Role.TECHNICIAN)
    yield [p for p in uow.people() if p.role is Role.ADMIN]


def _keep(uow: UnitOfWork, page: Page) -> None:
    """Keep it, with what happens to it later."""
    uow.pages.put(page)
    when = due_at(page)
    if when is None:
        uow.deadlines.cancel(page.ref, DueKind.PAGE)
    else:
        uow.deadlines.set(page.ref, DueKind.PAGE, when, company_id=page.company_id)


def _find(uow: UnitOfWork, actor: Actor, company_id: str, number: int) -> Page:
    require(actor, Permission.PAGE, company_id, what=f"PAG-{number}")
    found = uow.pages.find(number)
    if found is None:
        raise NotFound(f"there is no PAG-{number}", hint="siems page list")
    return found


def acknowledge(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str = "") -> Paged:
    """Somebody is on it: nothing more is sent. Raises Conflict for a page that is over."""
    before = _find(uow, actor, company_id, number)
    if before.state is PageState.ACKNOWLEDGED:
        return Paged(before, False)
    if before.state is not PageState.OPEN:
        raise Conflict(
            f"{before.ref} has {before.state.value}, it cannot be acknowledged", hint=f"siems page show {before.ref}"
        )
    after = replace(before, acknowledged_at=uow.now, acknowledged_by=actor.id)
    _keep(uow, after)
    uow.emit(PageMoved(after, PageStep.ACKNOWLEDGED, actor, (), reason))
    return Paged(after, True)


def end(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str = "") -> Paged:
    """It is not needed any more: nothing is sent, and its key is free."""
    before = _find(uow, actor, company_id, number)
    if before.ended_at is not None:
        return Paged(before, False)
    after = replace(before, ended_at=uow.now, ended_by=actor.id)
    _keep(uow, after)
    uow.emit(PageMoved(after, PageStep.ENDED, actor, (), reason))
    return Paged(after, True)


def due(uow: UnitOfWork, row: Due) -> None:
    """Send it again, give it up, or let its key go."""
    page = uow.pages.find(int(row.object.removeprefix("PAG-")))
    if page is None or page.ended_at is not None:
        return
    if page.state is PageState.ACKNOWLEDGED or used_up(page):
        after = replace(page, ended_at=uow.now, ended_by=SYSTEM.id)
        _keep(uow, after)
        step = PageStep.ENDED if page.state is PageState.ACKNOWLEDGED else PageStep.EXPIRED
        uow.emit(PageMoved(after, step, SYSTEM, ()))
        return
    if page.target == ON_CALL:
        people = tuple(p.id for p in _wider(uow, page, page.times_sent + 1))
    else:
        people = (page.target,)
    known = tuple(dict.fromkeys((*page.people, *people)))
    after = replace(page, people=known, times_sent=page.times_sent + 1, sent_at=uow.now)
    _keep(uow, after)
    uow.emit(PageMoved(after, PageStep.REPEATED, SYSTEM, people))
