"""Answers that come by a link, a text message or a button: done as the person who was told, and only once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select

from siems.clock import rfc3339, to_micros
from siems.domain.answer import Answerable, AnswerVerb, verbs_of
from siems.domain.incident import Incident
from siems.domain.page import Page
from siems.domain.permissions import Actor, missing
from siems.domain.run import Run
from siems.errors import Conflict, SiemsError
from siems.services import paging, run_answers
from siems.services.incidents import act
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Action, State, Via
from siems.wire import ActAsk

ACTIONS = {AnswerVerb.ACK: Action.ACK, AnswerVerb.RESOLVE: Action.RESOLVE, AnswerVerb.ESCALATE: Action.ESCALATE}
ROUTE = "answer"


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one object; `text` is a sentence for the person."""

    object: str
    title: str
    changed: bool
    text: str
    details: tuple[str, ...] = ()
    waits: bool = True
    typed: str = ""
    """What has to be typed before it is done, where anything has."""


def who(uow: UnitOfWork, user_id: str) -> Actor:
    """The person who answers, as they are today. Raises NotFound for one who is gone."""
    person = uow.person(user_id)
    if person is None:
        raise missing(user_id)
    return Actor(person.id, person.name, person.role, person.scope, via=Via.PORTAL)


def meant(uow: UnitOfWork, asked: Answerable) -> list[Incident | Page]:
    """What an answer is about: one incident or page, or exactly those that a bundle listed, in its order."""
    if not asked.object.startswith("B"):
        found = _object(uow, asked.company_id, asked.object)
        return [] if found is None else [found]
    m = t.message.c
    rows = uow.connection.execute(
        select(m.object)
        .where(m.bundle_id == int(asked.object[1:]), m.user_id == asked.user_id, m.listed > 0)
        .order_by(m.listed)
    )
    listed = dict.fromkeys(ref for (ref,) in rows)
    return [one for ref in listed if (one := _object(uow, asked.company_id, ref)) is not None]


def _object(uow: UnitOfWork, company_id: str, ref: str) -> Incident | Page | None:
    kind, _, number = ref.partition("-")
    if kind == "INC":
        return uow.incidents.find(company_id, int(number))
    page = uow.pages.find(int(number)) if kind == "PAG" else None
    return page if page is not None and page.company_id == company_id else None


def look(uow: UnitOfWork, asked: Answerable) -> tuple[str, list[Answered]]:
    """(the person's name, how what they were told about stands); nothing is changed."""
    actor = who(uow, asked.user_id)
    if not actor.sees(asked.company_id):
        raise missing(asked.object)
    if asked.object.startswith("RUN-"):
        run = run_answers.found(uow, asked.company_id, asked.object)
        return actor.name, [] if run is None else [_request(uow, actor, run)]
    return actor.name, [Answered(one.ref, _title(one), False, standing(uow, one)) for one in meant(uow, asked)]


def _request(uow: UnitOfWork, actor: Actor, run: Run) -> Answered:
    seen = run_answers.look(uow, actor, run)
    return Answered(run.ref, seen.title, False, seen.text, details=seen.details, waits=seen.waits, typed=seen.typed)


def decide(
    uow: UnitOfWork, asked: Answerable, verb: AnswerVerb, *, note: str = "", typed: str = "", by: str
) -> list[Answered]:  # fmt: skip
    """Approve or reject the run of a link, as that person. Raises Conflict once it was decided, and as `runs` does."""
    actor = who(uow, asked.user_id)
    run = run_answers.found(uow, asked.company_id, asked.object) if actor.sees(asked.company_id) else None
    if run is None or verb not in verbs_of(asked.object):
        raise missing(asked.object)
    changed = run_answers.decide(uow, actor, run, verb, note=note, typed=typed, by=by)
    after = run_answers.found(uow, asked.company_id, asked.object) or run
    return [replace(_request(uow, actor, after), changed=changed)]


def _title(one: Incident | Page) -> str:
    return one.title if isinstance(one, Incident) else one.message


def standing(uow: UnitOfWork, incident: Incident | Page, *, acknowledged_by: str = "") -> str:
    """How it stands, and who brought it there; `acknowledged_by` where that is not written down yet."""
    if isinstance(incident, Page):
        return _page_stands(uow, incident)
    severity = incident.severity.name
    if incident.state in (State.RESOLVED, State.CLOSED):
        at = incident.resolved_at
        return f"{severity}, {incident.state.value} by {_name(uow, incident.resolved_by)}{_at(at)}"
    if incident.acknowledged_at is not None:
        by = acknowledged_by or _who_acknowledged(uow, incident) or incident.assignee
        return f"{severity}, acknowledged by {_name(uow, by)}{_at(incident.acknowledged_at)}"
    return f"{severity}, {incident.state.value}, nobody has acknowledged it"


def _who_acknowledged(uow: UnitOfWork, incident: Incident) -> str:
    """Its owner may be somebody else."""
    line = t.timeline.c
    rows = uow.connection.execute(
        select(line.actor, line.data)
        .where(line.incident_id == incident.id, line.at == incident.acknowledged_at)
        .order_by(line.id.desc())
    )
    return next((row.actor for row in rows if json.loads(row.data).get("action") == Action.ACK), "")


def _page_stands(uow: UnitOfWork, page: Page) -> str:
    said = f"{page.severity.name} page, {page.state.value}"
    if page.acknowledged_at is not None:
        return f"{said}, acknowledged by {_name(uow, page.acknowledged_by)}{_at(page.acknowledged_at)}"
    if page.ended_at is not None:
        return f"{said} by {_name(uow, page.ended_by)}{_at(page.ended_at)}"
    return f"{said}, nobody has acknowledged it"


def _name(uow: UnitOfWork, user_id: str | None) -> str:
    if user_id in (None, ""):
        return "nobody"
    person = uow.person(str(user_id))
    return person.name if person is not None else str(user_id)


def _at(at: datetime | None) -> str:
    return "" if at is None else f" at {rfc3339(at.replace(microsecond=0))}"


def answer(
    uow: UnitOfWork, asked: Answerable, verb: AnswerVerb, *, note: str = "", by: str, only: Sequence[int] = ()
) -> list[Answered]:  # fmt: skip
    """Do it as that person, for everything that was listed; each says what became of it. `by`: "link", "sms" ..."""
    actor = who(uow, asked.user_id)
    found = meant(uow, asked)
    if not found or not actor.sees(asked.company_id) or verb not in verbs_of(asked.object):
        raise missing(asked.object)
    reason = f"answered by {by}"
    if note and verb is AnswerVerb.ESCALATE:
        reason += f": {note}"
    ask = ActAsk(note=note, reason=reason)
    done = []
    for place, one in enumerate(found, 1):
        if only and place not in only:
            continue
        if isinstance(one, Page):
            done.append(_page(uow, actor, one, reason))
        else:
            done.append(_one(uow, actor, ACTIONS[verb], one, ask))
    return done


def _page(uow: UnitOfWork, actor: Actor, page: Page, reason: str) -> Answered:
    try:
        acted = paging.acknowledge(uow, actor, page.company_id, page.id, reason)
    except SiemsError as why:
        return Answered(page.ref, page.message, False, f"{why.message}; {standing(uow, page)}")
    return Answered(page.ref, page.message, acted.changed, _page_stands(uow, acted.page))


def _one(uow: UnitOfWork, actor: Actor, action: Action, incident: Incident, ask: ActAsk) -> Answered:
    try:
        acted = act(uow, actor, action, incident.company_id, incident.id, ask)
    except SiemsError as why:
        return Answered(incident.ref, incident.title, False, f"{why.message}; {standing(uow, incident)}")
    by = actor.id if acted.changed and action is Action.ACK else ""
    return Answered(incident.ref, incident.title, acted.changed, standing(uow, acted.incident, acknowledged_by=by))


def use_up(uow: UnitOfWork, asked: Answerable, verb: AnswerVerb, token: str) -> None:
    """A link works once for each verb. Raises Conflict for one that was used."""
    digest = f"{verb.value}:{sha256(token.encode()).hexdigest()}"
    kept = t.idempotency.c
    where = (kept.actor == asked.user_id, kept.route == ROUTE, kept.key == digest)
    if uow.connection.execute(select(kept.at).where(*where)).first() is not None:
        raise Conflict("this link was used already", hint="the newest message has a new one")
    uow.insert("idempotency", (asked.user_id, ROUTE, digest, MSP, "", "", to_micros(uow.now)))
