"""Answers by text message, by the keys of a telephone and by buttons: whose they are, done once, and what is said."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain.answer import Answerable, AnswerVerb, verbs_of
from siems.domain.replies import Reply, named
from siems.errors import NotFound
from siems.services import answering
from siems.services.answering import Answered
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

ROUTE = "reply"
MOST = 10
"""So many answers of one message are done; nobody types more."""
TITLE = 60
DONE = {AnswerVerb.ACK: "acknowledged", AnswerVerb.RESOLVE: "resolved", AnswerVerb.ESCALATE: "escalated"}


@dataclass(frozen=True, slots=True)
class Sender:
    """A contact that an answer may have come from."""

    user_id: str
    contact_id: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of an answer: a sentence for each object, and whether anything was done."""

    lines: tuple[str, ...]
    changed: bool


def companies_of(connection: Connection, objects: Iterable[str]) -> list[str]:
    """The companies that these are about, to be loaded before the answer is written."""
    return sorted({found for one in objects if (found := _company_of(connection, one)) is not None})


def _company_of(connection: Connection, object: str) -> str | None:
    if object.startswith("B"):
        m = t.message.c
        statement = select(m.company_id).where(m.bundle_id == int(object[1:])).limit(1)
    else:
        kind, _, number = object.partition("-")
        table = t.incident if kind == "INC" else t.page
        statement = select(table.c.company_id).where(table.c.id == int(number))
    found = connection.execute(statement).scalar()
    return None if found is None else str(found)


def called(connection: Connection, key: str, object: str) -> Sender | None:
    """Whom a call was for, by the key of its message; None when it was not about this."""
    m = t.message.c
    where = m.bundle_id == int(object[1:]) if object.startswith("B") else m.object == object
    if object.startswith("B"):
        known = key == f"bundle:{object[1:]}"
    else:
        where, known = where & (m.dedup_key == key), True
    row = connection.execute(select(m.user_id, m.contact_id).where(where, m.channel == "voice").limit(1)).first()
    return Sender(row.user_id, row.contact_id, verified=True) if row is not None and known else None


def hear(uow: UnitOfWork, senders: Sequence[Sender], said: Sequence[Reply], *, by: str, key: str) -> Heard:
    """Do what was answered, as whoever it was. `by`: sms, call, slack. `key`: what the provider calls this answer;
    the same again changes nothing and is told the same."""
    digest = sha256(key.encode("utf-8", "replace")).hexdigest()
    kept = t.idempotency.c
    before = uow.connection.execute(
        select(kept.answer).where(kept.actor == by, kept.route == ROUTE, kept.key == digest)
    ).scalar()
    if before is not None:
        lines, changed = json.loads(before)
        return Heard(tuple(lines), changed)
    found: list[str] = []
    changed = False
    for reply in said[:MOST]:
        lines, acted = _one(uow, senders, reply, by)
        found += lines
        changed = changed or acted
    if len(said) > MOST:
        found.append(f"The first {MOST} answers were taken, the others were not.")
    uow.insert("idempotency", (by, ROUTE, digest, MSP, "", json.dumps([found, changed]), to_micros(uow.now)))
    return Heard(tuple(found), changed)


def _one(uow: UnitOfWork, senders: Sequence[Sender], reply: Reply, by: str) -> tuple[list[str], bool]:
    object, verb = reply.object, AnswerVerb(reply.verb)
    name = named(object)
    if verb not in verbs_of(object):
        return [f"{name} can only be acknowledged: {name}a. Nothing was done."], False
    if verb is AnswerVerb.RESOLVE and not reply.note:
        return [f"{object}: say what was done, as {name}r TEXT. Nothing was done."], False
    sender = _whose(uow, senders, object)
    if sender is None:
        return [f"{object}: several accounts could have sent this. Use the link of the message."], False
    # what is not there, and what is not theirs, is told alike
    nothing = [f"There is no {object} that you can answer. Nothing was done."], False
    company_id = _company_of(uow.connection, object)
    if company_id is None:
        return nothing
    asked = Answerable(sender.user_id, company_id, object, verb, uow.now)
    try:
        done = answering.answer(uow, asked, verb, note=reply.note, by=by)
    except NotFound:
        return nothing
    return [sentence(one, verb) for one in done], any(one.changed for one in done)


def _whose(uow: UnitOfWork, senders: Sequence[Sender], object: str) -> Sender | None:
    """Who it was, where several have the same number: who has proved it, then who was told of this."""
    there = [one for one in senders if uow.person(one.user_id) is not None] or list(senders)
    pool = [one for one in there if one.verified] or there
    if len({one.user_id for one in pool}) == 1:
        return pool[0]
    told = _told(uow, {one.contact_id for one in pool}, object)
    return next((one for one in pool if one.contact_id == told), None)


def _told(uow: UnitOfWork, contacts: Collection[str], object: str) -> str:
    """Which of these contacts has heard of it last."""
    m = t.message.c
    about = m.bundle_id == int(object[1:]) if object.startswith("B") else m.object == object
    statement = select(m.contact_id).where(about, m.contact_id.in_(sorted(contacts))).order_by(m.id.desc()).limit(1)
    return str(uow.connection.execute(statement).scalar() or "")


def sentence(one: Answered, verb: AnswerVerb) -> str:
    """What became of one object, or who did it before."""
    title = " ".join(one.title.split())
    title = title if len(title) <= TITLE else f"{title[: TITLE - 1].rstrip()}…"
    return f"{one.object} {DONE[verb]}: {title}." if one.changed else f"{one.object} {title}: {one.text}."
