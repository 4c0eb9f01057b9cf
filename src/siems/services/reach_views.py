"""What is asked about messages: how people are reached, what was sent, to whom, by which rule, and why not."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.errors import InvalidField
from siems.services.delivery import overdue
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE, find_incident
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.reaching import OWN_MAIL
from siems.vocabulary import MSP, Role, Severity
from siems.wire import (
    Check,
    ContactView,
    FollowView,
    MessageView,
    PreferencesView,
    RuleView,
    ToldView,
    WouldView,
)

m = t.message.c
STATES = ("pending", "sending", "sent", "failed", "dead", "unknown", "cancelled")


def _people(connection: Connection, actor: Actor, user: str) -> Any:
    """Which users' things the actor may read: their own; managers those of their companies; admins all."""
    u = t.user.c
    if user:
        wanted = actor.id if user in ("@me", "me") else user.strip().lower()
        found = connection.execute(
            select(u.id).where(or_(u.id == wanted, u.id == f"user-{wanted}", u.email == wanted, u.name == user.strip()))
        ).scalar()
        visible = found is not None and connection.execute(_visible(actor).where(u.id == found)).first() is not None
        if not visible:
            raise missing(user)
        return select(u.id).where(u.id == found)
    return _visible(actor)


def _visible(actor: Actor) -> Any:
    u = t.user.c
    people = select(u.id)
    if actor.role is Role.ADMIN:
        return people
    if actor.role is Role.MANAGER:
        theirs = select(t.user_company.c.user_id).where(t.user_company.c.company_id.in_(actor.scope))
        return people.where(or_(u.id == actor.id, and_(u.id.in_(theirs), u.role.in_(("technician", "client")))))
    return people.where(u.id == actor.id)


# --- how people are reached ------------------------------------------------------------------------------------


def list_contacts(connection: Connection, actor: Actor, channels: Collection[str], *, user: str) -> list[ContactView]:
    """Contacts, with the own mail address of whoever has none for mail."""
    require_role(actor, Permission.OWN_SESSION)
    people = _people(connection, actor, user)
    names = load_names(connection)
    rows = connection.execute(select(t.contact).where(t.contact.c.user_id.in_(people)).order_by(t.contact.c.created_at))
    found = [
        ContactView(
            id=row.id, user_id=row.user_id, user=names.users.get(row.user_id, row.user_id), channel=row.channel,
            hint=row.hint, options=json.loads(row.options), verified=row.verified_at is not None,
            created_at=row.created_at, verified_at=row.verified_at, last_delivered_at=row.last_delivered_at,
            last_failed_at=row.last_failed_at, last_error=row.last_error, set_up=row.channel in channels,
        )
        for row in rows
    ]  # fmt: skip
    mailed = {contact.user_id for contact in found if contact.channel == "email"}
    u = t.user.c
    own = connection.execute(select(t.user).where(u.id.in_(people), u.disabled.is_(False)).order_by(u.id))
    found += [
        ContactView(
            id=f"{OWN_MAIL}{row.id}", user_id=row.id, user=row.name, channel="email", hint=row.email, options={},
            verified=False, created_at=None, verified_at=None, last_delivered_at=None, last_failed_at=None,
            last_error="", set_up="email" in channels,
        )
        for row in own
        if row.id not in mailed
    ]  # fmt: skip
    return sorted(found, key=lambda contact: (contact.user, contact.channel, contact.id))


def list_rules(connection: Connection, actor: Actor, *, user: str) -> list[RuleView]:
    require_role(actor, Permission.OWN_SESSION)
    people = _people(connection, actor, user)
    names = load_names(connection)
    r, c = t.notify_rule.c, t.contact.c
    rows = connection.execute(
        select(t.notify_rule, c.channel, c.hint)
        .select_from(t.notify_rule.outerjoin(t.contact, c.id == r.contact_id))
        .where(r.user_id.in_(people))
        .order_by(r.user_id, r.wait_seconds, r.created_at)
    )
    return [
        RuleView(
            id=row.id, user_id=row.user_id, user=names.users.get(row.user_id, row.user_id), contact_id=row.contact_id,
            channel=row.channel or "email", hint=row.hint or "own address", severity=Severity(row.severity).name,
            after_seconds=row.wait_seconds, about=json.loads(row.about), company_id=row.about_company,
        )
        for row in rows
    ]  # fmt: skip


def list_preferences(connection: Connection, actor: Actor, *, user: str) -> list[PreferencesView]:
    require_role(actor, Permission.OWN_SESSION)
    names = load_names(connection)
    p = t.notify_preference
    rows = connection.execute(select(p).where(p.c.user_id.in_(_people(connection, actor, user))))
    return [
        PreferencesView(
            user_id=row.user_id, user=names.users.get(row.user_id, row.user_id), quiet_from=row.quiet_from,
            quiet_until=row.quiet_until, digest_at=row.digest_at, zone=row.zone,
        )
        for row in rows
    ]  # fmt: skip


def list_follows(connection: Connection, actor: Actor, *, user: str) -> list[FollowView]:
    require_role(actor, Permission.OWN_SESSION)
    names = load_names(connection)
    s = t.subscription
    rows = connection.execute(
        select(s).where(s.c.user_id.in_(_people(connection, actor, user)), in_scope(s.c.company_id, actor))
    )
    return [
        FollowView(
            user_id=row.user_id, user=names.users.get(row.user_id, row.user_id), company_id=row.company_id,
            severity=Severity(row.severity).name, about=json.loads(row.about),
        )
        for row in rows
    ]  # fmt: skip


# --- what was sent ---------------------------------------------------------------------------------------------


def message_view(row: Row[Any], names: Names) -> MessageView:
    live = row.state in ("pending", "failed", "unknown")
    return MessageView(
        id=f"MSG-{row.id}", company_id=row.company_id, object=row.object, event=row.event, user_id=row.user_id,
        user=names.users.get(row.user_id, row.user_id), channel=row.channel, hint=row.hint,
        severity=Severity(row.severity).name, subject=row.subject, pages=row.pages, state=row.state, why=row.why,
        rule=row.rule, attempt=row.attempt, created_at=row.created_at, next_at=row.next_at if live else None,
        sent_at=row.sent_at, unknown_at=row.unknown_at, ended_at=row.ended_at, error=row.last_error,
        provider_message_id=row.provider_message_id, bundle=row.bundle_id, listed=row.listed,
    )  # fmt: skip


def _mine(actor: Actor) -> list[Any]:
    """Staff read what was sent about their companies; clients what was sent to themselves."""
    if actor.role is Role.CLIENT:
        return [m.user_id == actor.id]
    return [or_(in_scope(m.company_id, actor), m.user_id == actor.id)]


def list_messages(
    connection: Connection, actor: Actor, *, object: str, user: str, state: str, since: datetime | None, limit: int
) -> list[MessageView]:  # fmt: skip
    """The ledger, newest first."""
    require_role(actor, Permission.OWN_SESSION)
    where = _mine(actor)
    if state:
        words = [word.strip().lower() for word in state.split(",") if word.strip()]
        for word in words:
            if word not in STATES:
                raise InvalidField(f"{word[:20]!r} is no state of a message", hint=f"one of: {', '.join(STATES)}")
        where.append(m.state.in_(words))
    if object:
        where.append(m.object == object.strip().upper())
    if user:
        where.append(m.user_id.in_(_named(connection, actor, user)))
    if since is not None:
        where.append(m.created_at >= since)
    rows = connection.execute(
        select(t.message).where(*where).order_by(m.id.desc()).limit(max(1, min(limit or 100, MAX_PAGE)))
    )
    names = load_names(connection)
    return [message_view(row, names) for row in rows]


def _named(connection: Connection, actor: Actor, user: str) -> Any:
    u = t.user.c
    wanted = actor.id if user in ("@me", "me") else user.strip().lower()
    return select(u.id).where(or_(u.id == wanted, u.id == f"user-{wanted}", u.name == user.strip(), u.email == wanted))


def find_message(connection: Connection, ref: str, actor: Actor) -> Row[Any]:
    """A message that the reader may see. Raises NotFound."""
    number = ref.strip().upper().removeprefix("MSG-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise missing(ref)
    row = connection.execute(select(t.message).where(m.id == int(number))).first()
    if row is None:
        raise missing(ref)
    if row.user_id != actor.id:
        require(actor, Permission.SEE_AUDIT, row.company_id, what=ref)
    return row


def show_message(connection: Connection, ref: str, actor: Actor) -> MessageView:
    return message_view(find_message(connection, ref, actor), load_names(connection))


def why(connection: Connection, actor: Actor, ref: str) -> list[ToldView]:
    """Everybody who was told about an object, or of one message's happening: how, by which rule, and why not more."""
    n = t.notification.c
    if ref.strip().upper().startswith("MSG-"):
        row = find_message(connection, ref, actor)
        where: list[Any] = [n.object == row.object, n.user_id == row.user_id, n.event == row.event]
    else:
        found = ref.strip().upper()
        if found.startswith("INC-") or found.isdigit():
            incident = find_incident(connection, found, actor)
            require(actor, Permission.SEE_AUDIT, incident.company_id, what=ref)
            found = incident.ref
        else:
            require_role(actor, Permission.SEE_AUDIT)
        where = [n.object == found]
    if actor.role is not Role.ADMIN:
        where.append(or_(in_scope(n.company_id, actor), n.user_id == actor.id))
    names = load_names(connection)
    told = connection.execute(select(t.notification).where(*where).order_by(n.id).limit(MAX_PAGE)).all()
    if not told and not ref.strip().upper().startswith(("INC-", "MSG-")) and not ref.strip().isdigit():
        raise missing(ref)
    keys = [row.dedup_key.removesuffix(":inbox") for row in told]
    sent: dict[str, list[MessageView]] = {}
    for row in connection.execute(select(t.message).where(m.notice.in_(keys)).order_by(m.id)):
        sent.setdefault(row.notice, []).append(message_view(row, names))
    people = [
        ToldView(
            at=row.created_at, event=row.event, object=row.object, subject=row.subject, user_id=row.user_id,
            user=names.users.get(row.user_id, row.user_id), pages=row.pages, inbox=row.state, why=row.why,
            messages=sent.get(row.dedup_key.removesuffix(":inbox"), []),
        )
        for row in told
    ]  # fmt: skip
    return sorted([*people, *_called(connection, {row.object for row in told}, names)], key=lambda one: one.at)


def _called(connection: Connection, objects: Collection[str], names: Names) -> list[ToldView]:
    """The addresses that policies name and that were called about these: they have no inbox."""
    rows = connection.execute(
        select(t.message).where(m.object.in_(list(objects)), m.user_id == "").order_by(m.id).limit(MAX_PAGE)
    )
    return [
        ToldView(
            at=row.created_at, event=row.event, object=row.object, subject=row.subject, user_id="",
            user="a target of the policy", pages=row.pages, inbox="none", why="", messages=[message_view(row, names)],
        )
        for row in rows
    ]  # fmt: skip


def would_have(connection: Connection, actor: Actor, *, since: datetime) -> list[WouldView]:
    """Whom companies in shadow would have told since then, oldest first."""
    require_role(actor, Permission.SEE_AUDIT)
    n = t.notification.c
    names = load_names(connection)
    rows = connection.execute(
        select(t.notification)
        .where(in_scope(n.company_id, actor), n.state == "cancelled", n.created_at >= since, n.company_id != MSP,
               n.why.like("shadow%"))
        .order_by(n.id)
        .limit(10_000)
    ).all()  # fmt: skip
    channels: dict[str, list[str]] = {}
    shadowed = select(m.notice, m.channel).where(
        in_scope(m.company_id, actor), m.last_error == "shadow", m.created_at >= since
    )
    for notice, channel in connection.execute(shadowed):
        channels.setdefault(notice, []).append(channel)
    return [
        WouldView(
            at=row.created_at, company_id=row.company_id, object=row.object, event=row.event, user_id=row.user_id,
            user=names.users.get(row.user_id, row.user_id), severity=Severity(row.severity).name, pages=row.pages,
            channels=["inbox", *channels.get(row.dedup_key.removesuffix(":inbox"), [])], subject=row.subject,
        )
        for row in rows
    ]  # fmt: skip


# --- health ----------------------------------------------------------------------------------------------------


def message_check(connection: Connection, *, now: datetime, channels: Collection[str]) -> Check:
    """Whether messages get out: none is late, none of the last day was given up."""
    late = overdue(connection, now - timedelta(minutes=1))
    dead = connection.execute(
        select(func.count()).select_from(t.message).where(m.state == "dead", m.created_at >= now - timedelta(days=1))
    ).scalar_one()
    ways = ", ".join(sorted(channels)) or "the inbox only"
    if late:
        return Check(name="messages", ok=False, cause=f"{late} are late by more than a minute",
                     fix="siems notify list --state pending,failed,unknown")  # fmt: skip
    if dead:
        return Check(name="messages", ok=False, cause=f"{dead} of the last day reached nobody by their channel",
                     fix="siems notify list --state dead")  # fmt: skip
    return Check(name="messages", ok=True, cause=f"by {ways}", fix="")
