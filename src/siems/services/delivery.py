"""Messages on their way out: which are due, what goes together, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from siems.domain.reach import CALM, GATHER, LEASE, LISTED, POLICY, manner_of
from siems.services.giving_up import LIVE, stop
from siems.services.parcel_text import text_of
from siems.services.pausing import is_paused
from siems.services.policy_hooks import sealed_address
from siems.services.run_answers import ASKED
from siems.storage import tables as t
from siems.storage.reaching import OWN_MAIL
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Paging, Severity

GROUPS = 40
"""So many messages are taken at once, so that a verb stays short."""
MEMBERS = 200
ROWS = 500
"""So many rows at once, for the same reason."""
EACH = 4
"""So many messages of one contact are on their way at once: an address that hangs keeps its own messages only."""
STALE = timedelta(minutes=10)
NOTHING: Mapping[str, int] = MappingProxyType({})

m = t.message.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message that this daemon may send now: its rows, their lease, and what they say."""

    ids: tuple[int, ...]
    token: str
    key: str
    attempt: int
    channel: str
    contact_id: str
    address: str
    """Sealed, with the contact's options; but for a user's own mail address, and what a policy names."""
    sealed: bool = True
    user_id: str
    user: str
    company_id: str
    company: str
    event: str
    object: str
    severity: Severity
    subject: str
    pages: bool
    lines: tuple[str, ...] = ()
    bundle: int | None = None
    counted: int = 0
    """Members of the bundle that are not listed."""
    text: tuple[str, ...] = ()
    late_since: datetime | None = None
    last_id: str = ""
    """What the provider called the message before this one about the same object."""
    answerable: bool = field(default=False)
    obstacle: str = ""
    """Why it cannot be sent at all: whoever has it gives it up."""


# --- what is due -----------------------------------------------------------------------------------------------


def claim(uow: UnitOfWork, owner: str, free: Mapping[str, int], on_way: Mapping[str, int] = NOTHING) -> list[Parcel]:
    """Lease what is due, the most severe first, for the channels that have room: `free` by channel that is set up.

    What no channel can take any more comes as a parcel with an obstacle, so that it is given up where its company
    is held. `on_way` tells how many messages of each contact this owner is sending already.
    """
    if is_paused(uow.connection):
        return []
    room = {channel: slots for channel, slots in free.items() if slots > 0}
    held = Counter(on_way)
    parcels: list[Parcel] = []
    seen: set[tuple[Any, ...]] = set()
    rows = 0
    for row in _due(uow, room, free, [contact for contact, count in held.items() if count >= EACH]):
        group = _group_of(row)
        if group in seen or (row.channel in free and room.get(row.channel, 0) <= 0):
            continue
        if held[row.contact_id] >= EACH:
            continue
        seen.add(group)
        parcel = _take(uow, owner, row, known=row.channel in free)
        if parcel is not None:
            parcels.append(parcel)
            rows += len(parcel.ids)
            room[row.channel] = room.get(row.channel, 0) - 1
            held[row.contact_id] += 1
        if len(parcels) >= GROUPS or rows >= ROWS:
            break
    return parcels


def _due(uow: UnitOfWork, room: Collection[str], known: Collection[str], full: list[str]) -> Iterator[Row[Any]]:
    """Rows whose time has come, the most severe first: of channels with room, and of such as are not set up."""
    wanted = or_(m.channel.in_(list(room)), m.channel.not_in(list(known)))
    for severity in reversed(Severity):
        statement = (
            select(t.message)
            .where(m.state.in_(LIVE), m.severity == int(severity), m.next_at <= uow.now, wanted)
            .order_by(m.next_at, m.id)
            .limit(GROUPS * 10)
        )
        if full:  # else what waits for one of them could hide everything else
            statement = statement.where(m.contact_id.not_in(full))
        if uow.dialect.shared:
            statement = statement.with_for_update(skip_locked=True)
        yield from list(uow.connection.execute(statement))


def _group_of(row: Row[Any]) -> tuple[Any, ...]:
    """What goes together: a try again of the same message, or everything new for one contact of one company."""
    if row.bundle_id is not None:
        return ("bundle", row.bundle_id)
    if row.attempt or row.event == ASKED or not manner_of(row.channel).bundles:  # its links answer it and no other
        return ("single", row.id)
    return ("new", row.contact_id, row.company_id)


def _take(uow: UnitOfWork, owner: str, first: Row[Any], *, known: bool) -> Parcel | None:
    kind = _group_of(first)[0]
    rows = [first] if kind == "single" else _members(uow, first, kind)
    barred = _barred(uow, first)
    stop(uow, [row for row in rows if row.stopped or barred], barred)
    rows = [row for row in rows if not (row.stopped or barred)]
    if not rows:
        return None
    fresh = kind == "new" or (kind == "single" and not first.attempt)
    pace = _pace(uow, first)
    if kind == "new" and pace is not None:
        calm_until = pace.last_at + GATHER
        if uow.now - pace.last_at < CALM and uow.now < calm_until:
            _postpone(uow, rows, calm_until)
            return None
    contact = _contact(uow, first)
    obstacle = "" if known else f"{first.channel} is not set up"
    obstacle = obstacle or ("" if contact is not None else "the contact was removed")
    rows.sort(key=lambda row: (-row.severity, row.id))
    bundle, numbers = first.bundle_id, {row.id: row.listed for row in rows}
    if kind == "new" and len(rows) > 1:
        bundle = uow.next_number("bundle")
        numbers = {row.id: place if place <= LISTED else 0 for place, row in enumerate(rows, 1)}
    token = token_hex(8)
    _lease(uow, first, numbers, owner=owner, token=token, bundle=bundle)
    if fresh and not obstacle:
        _set_pace(uow, first, pace is not None)
    found = contact or _Where("", "", sealed=False)
    last_id = pace.last_id if pace else ""
    return _parcel(uow, rows, found, numbers, token=token, bundle=bundle, last_id=last_id, obstacle=obstacle)


def _lease(
    uow: UnitOfWork, first: Row[Any], numbers: Mapping[int, int], *, owner: str, token: str, bundle: int | None
) -> None:  # fmt: skip
    """These rows are being sent; all of a group have come as far as its first."""
    lost = {"unknown_at": uow.now} if first.state == "sending" else {}
    uow.connection.execute(
        update(t.message)
        .where(m.id.in_(list(numbers)))
        .values(
            state="sending", attempt=first.attempt + 1, lease_owner=owner, lease_token=token,
            next_at=uow.now + LEASE, bundle_id=bundle, **lost,
        )
    )  # fmt: skip
    uow.run("UPDATE message SET listed = ? WHERE id = ?", [(place, id) for id, place in numbers.items() if place])


def _barred(uow: UnitOfWork, row: Row[Any]) -> str:
    """Why this must not be told any more, though it was to be when it was decided."""
    if row.company_id != MSP and uow.company(row.company_id).settings.paging is Paging.SHADOW and not _by_hand(row):
        return "shadow"
    if not row.user_id:
        return ""
    person = uow.person(row.user_id)
    if person is None:
        return "the account was closed"
    if row.company_id != MSP and not person.covers(row.company_id):
        return "they do not work for this client any more"
    return ""


def _by_hand(row: Row[Any]) -> bool:
    """A page of a person, which is sent in shadow, too."""
    return str(row.object).startswith("PAG-")


def _members(uow: UnitOfWork, first: Row[Any], kind: str) -> list[Row[Any]]:
    statement = select(t.message).where(m.contact_id == first.contact_id, m.company_id == first.company_id)
    if kind == "bundle":
        statement = statement.where(m.bundle_id == first.bundle_id, m.state.in_(LIVE))
    else:
        statement = statement.where(m.state == "pending", m.next_at <= uow.now, m.bundle_id.is_(None), m.attempt == 0)
        statement = statement.where(m.event != ASKED)
    statement = statement.order_by(m.severity.desc(), m.id).limit(MEMBERS)
    if uow.dialect.shared:
        statement = statement.with_for_update(skip_locked=True)
    return list(uow.connection.execute(statement))


def _pace(uow: UnitOfWork, row: Row[Any]) -> Row[Any] | None:
    p = t.pace.c
    return uow.connection.execute(
        select(t.pace).where(p.contact_id == row.contact_id, p.company_id == row.company_id)
    ).first()


def _set_pace(uow: UnitOfWork, row: Row[Any], known: bool) -> None:
    p = t.pace.c
    if known:
        where = (p.contact_id == row.contact_id, p.company_id == row.company_id)
        uow.connection.execute(update(t.pace).where(*where).values(last_at=uow.now))
    else:
        uow.connection.execute(
            t.pace.insert().values(contact_id=row.contact_id, company_id=row.company_id, last_at=uow.now, last_id="")
        )


def _postpone(uow: UnitOfWork, rows: Iterable[Row[Any]], until: datetime) -> None:
    uow.connection.execute(update(t.message).where(m.id.in_([row.id for row in rows])).values(next_at=until))
    uow.messages.expect(until)


@dataclass(frozen=True, slots=True)
class _Where:
    address: str
    user: str
    sealed: bool = True


def _contact(uow: UnitOfWork, message: Row[Any]) -> _Where | None:
    person = uow.person(message.user_id)
    name = person.name if person is not None else message.user_id
    if message.contact_id.startswith(POLICY):
        sealed = sealed_address(uow.connection, message.contact_id.removeprefix(POLICY))
        return None if sealed is None else _Where(sealed, name)
    if message.contact_id.startswith(OWN_MAIL):
        return _Where(person.email, name, sealed=False) if person is not None else None
    row = uow.connection.execute(select(t.contact).where(t.contact.c.id == message.contact_id)).first()
    return None if row is None else _Where(row.address, name)


def _parcel(
    uow: UnitOfWork, rows: list[Row[Any]], contact: _Where, numbers: Mapping[int, int], *, token: str,
    bundle: int | None, last_id: str, obstacle: str,
) -> Parcel:  # fmt: skip
    first = rows[0]
    oldest = min(row.created_at for row in rows)
    listed = sorted((row for row in rows if numbers[row.id]), key=lambda row: numbers[row.id]) if bundle else []
    subject = first.subject
    if bundle is not None:
        subject = f"{len(rows)} messages about {_company_name(uow, first.company_id)}, first: {first.subject}"
    return Parcel(
        ids=tuple(row.id for row in rows), token=token, key=f"bundle:{bundle}" if bundle else first.dedup_key,
        attempt=first.attempt + 1, channel=first.channel, contact_id=first.contact_id,
        address=contact.address, sealed=contact.sealed, user_id=first.user_id, user=contact.user,
        company_id=first.company_id,
        company=_company_name(uow, first.company_id), event=first.event, object=first.object if bundle is None else "",
        severity=max(Severity(row.severity) for row in rows), subject=subject, pages=any(row.pages for row in rows),
        lines=tuple(f"{numbers[row.id]}. {row.subject}" for row in listed), bundle=bundle,
        counted=len(rows) - len(listed) if bundle is not None else 0,
        text=() if bundle is not None else text_of(uow, first), late_since=oldest if uow.now - oldest > STALE else None,
        last_id=_last_id(uow, first) if bundle is None else "",
        obstacle=obstacle,
        answerable=any(row.object.startswith(("INC-", "PAG-")) or row.event == ASKED for row in rows),
    )  # fmt: skip


def _company_name(uow: UnitOfWork, company_id: str) -> str:
    return uow.company(company_id).name


def _last_id(uow: UnitOfWork, row: Row[Any]) -> str:
    """The message of this contact about the same object that can be brought up to date."""
    statement = (
        select(m.provider_message_id)
        .where(m.object == row.object, m.contact_id == row.contact_id, m.state == "sent", m.provider_message_id != "")
        .order_by(m.id.desc())
        .limit(1)
    )
    return str(uow.connection.execute(statement).scalar() or "")


def next_send(connection: Connection) -> datetime | None:
    """When the next message is due, a lease that runs out included; None while siems keeps to itself."""
    if is_paused(connection):
        return None
    found = [
        connection.execute(
            select(func.min(m.next_at)).where(m.state.in_(LIVE), m.severity == int(severity))
        ).scalar()
        for severity in Severity
    ]  # fmt: skip
    return min((at for at in found if at is not None), default=None)


def overdue(connection: Connection, before: datetime) -> int:
    """How many messages should have been tried before this time: none, while all is well."""
    statement = select(func.count()).select_from(t.message).where(m.state.in_(LIVE), m.next_at < before)
    return 0 if is_paused(connection) else int(connection.execute(statement).scalar_one())
