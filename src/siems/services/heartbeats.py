"""Heartbeats: made and changed by people, called by whatever they watch, raised when nobody calls.

A beat moves one row and nothing else. So the deadline is not moved with each: when it fires, it looks at the last
beat, and sets itself anew if that was in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, or_, select

from siems.domain.alert import Read, Reading
from siems.domain.changing import replace
from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded
from siems.domain.heartbeat import LONGEST, SHORTEST, TOOL, Heartbeat, Pulse, grace_for, span
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.errors import Conflict, InvalidField
from siems.services.filters import in_scope
from siems.services.ingest import Incoming, accept
from siems.storage import tables as t
from siems.storage.repositories.deadlines import Due
from siems.storage.rows import heartbeat_from
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import random_token, token_hash
from siems.vocabulary import Severity
from siems.wire import HeartbeatAsk, HeartbeatEdit, HeartbeatMade, HeartbeatView

ASLEEP = timedelta(seconds=60)
"""A deadline that fires this late tells that siems was not there to hear a beat."""
PATIENCE = timedelta(hours=1)
SAID_AT_MOST = 1_000


# --- what people do --------------------------------------------------------------------------------------------


def create(uow: UnitOfWork, actor: Actor, company_id: str, ask: HeartbeatAsk, public_url: str) -> HeartbeatMade:
    """A new heartbeat; its address is in this answer and nowhere else. Nothing is expected before its first beat."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    name = _name(uow, company_id, ask.name)
    every = _every(ask.every_seconds)
    grace = grace_for(every) if ask.grace_seconds is None else _grace(ask.grace_seconds)
    token = random_token("hb")
    beat = Heartbeat(
        id=f"HB-{uow.next_number('heartbeat')}", company_id=company_id, name=name, every=every, grace=grace,
        severity=_severity(ask.severity), token_hash=token_hash(token), token_hint=token[-4:], created_at=uow.now,
    )  # fmt: skip
    uow.heartbeats.add(beat)
    _record(uow, actor, beat, "heartbeat.created", ask.reason, after=_told(beat))
    return HeartbeatMade(heartbeat=view(beat, uow.now), url=_url(public_url, token))


def edit(uow: UnitOfWork, actor: Actor, company_id: str, id: str, ask: HeartbeatEdit) -> HeartbeatView:
    """Change what is given. What is expected next changes with it."""
    before = _mine(uow, actor, company_id, id)
    after = replace(
        before,
        name=before.name if ask.name in (None, before.name) else _name(uow, company_id, ask.name or ""),
        every=before.every if ask.every_seconds is None else _every(ask.every_seconds),
        grace=before.grace if ask.grace_seconds is None else _grace(ask.grace_seconds),
        severity=before.severity if ask.severity is None else _severity(ask.severity),
    )
    uow.heartbeats.put(after)
    _arm(uow, after)
    _record(uow, actor, after, "heartbeat.edited", ask.reason, before=_told(before), after=_told(after))
    return view(after, uow.now)


def pause(uow: UnitOfWork, actor: Actor, company_id: str, id: str) -> HeartbeatView:
    """Expect nothing, until it is resumed. What it has raised is over."""
    before = _mine(uow, actor, company_id, id)
    if before.paused_at is not None:
        return view(before, uow.now)
    after = replace(before, paused_at=uow.now, started_at=None, down_since=None)
    uow.heartbeats.put(after)
    uow.deadlines.cancel(id, DueKind.HEARTBEAT.value)
    if before.down_since is not None:
        _tell(uow, after, after.alert("heartbeat_missed", "paused", firing=False))
    _record(uow, actor, after, "heartbeat.paused")
    return view(after, uow.now)


def resume(uow: UnitOfWork, actor: Actor, company_id: str, id: str) -> HeartbeatView:
    """Expect it again: the next beat within one period from now, if it has ever been called."""
    before = _mine(uow, actor, company_id, id)
    if before.paused_at is None:
        return view(before, uow.now)
    after = replace(before, paused_at=None, expected_since=before.last_beat_at and uow.now)
    uow.heartbeats.put(after)
    _arm(uow, after)
    _record(uow, actor, after, "heartbeat.resumed")
    return view(after, uow.now)


def rotate(uow: UnitOfWork, actor: Actor, company_id: str, id: str, public_url: str) -> HeartbeatMade:
    """A new address; the old one ends at once."""
    before = _mine(uow, actor, company_id, id)
    token = random_token("hb")
    after = replace(before, token_hash=token_hash(token), token_hint=token[-4:])
    uow.heartbeats.put(after)
    _record(uow, actor, after, "heartbeat.rotated")
    return HeartbeatMade(heartbeat=view(after, uow.now), url=_url(public_url, token))


def delete(uow: UnitOfWork, actor: Actor, company_id: str, id: str) -> HeartbeatView:
    """It is there no more, and what it has raised is over."""
    before = _mine(uow, actor, company_id, id)
    uow.heartbeats.drop(before)
    uow.deadlines.cancel(id, DueKind.HEARTBEAT.value)
    if before.down_since is not None:
        _tell(uow, before, before.alert("heartbeat_missed", "deleted", firing=False))
    _record(uow, actor, before, "heartbeat.deleted", before=_told(before))
    return view(before, uow.now)


def beat_by_hand(uow: UnitOfWork, actor: Actor, company_id: str, id: str) -> HeartbeatView:
    """A beat that a person gives; on record, unlike those of machines."""
    before = _mine(uow, actor, company_id, id)
    beat(uow, company_id, id)
    _record(uow, actor, before, "heartbeat.beaten")
    return view(uow.heartbeats.get(company_id, id), uow.now)


def _mine(uow: UnitOfWork, actor: Actor, company_id: str, id: str) -> Heartbeat:
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=f"heartbeat {id}")
    return uow.heartbeats.get(company_id, id)


def _record(uow: UnitOfWork, actor: Actor, beat: Heartbeat, type: str, reason: str = "", **details: Any) -> None:
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=beat.company_id, object=beat.id, reason=reason,
            details={"name": beat.name} | details,
        )
    )  # fmt: skip


def _told(beat: Heartbeat) -> dict[str, str]:
    return {
        "name": beat.name, "every": span(beat.every), "grace": span(beat.grace), "severity": beat.severity.name,
    }  # fmt: skip


def _url(public_url: str, token: str) -> str:
    return f"{public_url}/api/heartbeats/{token}"


# --- what may be asked for -------------------------------------------------------------------------------------


def _name(uow: UnitOfWork, company_id: str, text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise InvalidField("a heartbeat needs a name of 1 to 100 printable characters", hint="nightly-backup")
    if known := uow.heartbeats.named(company_id, name):
        raise Conflict(f"{company_id} has a heartbeat {name!r} already: {known.id}", hint="choose another name")
    return name


def _every(seconds: int) -> timedelta:
    if not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
        raise InvalidField("every must be between 10s and 366d", hint="write it like 5m, 1h or 1d")
    return timedelta(seconds=seconds)


def _grace(seconds: int) -> timedelta:
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise InvalidField("grace must be between 0s and 366d", hint="write it like 1m or 1h")
    return timedelta(seconds=seconds)


def _severity(word: str) -> Severity:
    try:
        return Severity[word.upper()]
    except KeyError as why:
        raise InvalidField(f"{word!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL") from why


# --- what machines do ------------------------------------------------------------------------------------------


def beat(uow: UnitOfWork, company_id: str, id: str) -> bytes:
    """It is alive: what was raised is over, and the next is expected in a period. Raises NotFound."""
    before = uow.heartbeats.get(company_id, id)
    after = replace(before, last_beat_at=uow.now, expected_since=uow.now, started_at=None, down_since=None)
    uow.heartbeats.put(after)
    if before.down_since is not None:
        _tell(uow, after, after.alert("heartbeat_missed", "back", firing=False))
    if before.down_since is not None or before.due_at is None:
        _arm(uow, after)
    return b"OK"


def beat_named(uow: UnitOfWork, company_id: str, name: str) -> bytes:
    """The same, for senders that know a name and have a key of the company."""
    found = uow.heartbeats.named(company_id, name)
    if found is None:
        raise missing(f"heartbeat {name[:100]!r}")
    return beat(uow, company_id, found.id)


def start(uow: UnitOfWork, company_id: str, id: str) -> bytes:
    """A run has begun: its end is expected within the grace."""
    after = replace(uow.heartbeats.get(company_id, id), started_at=uow.now)
    if after.paused_at is None:
        uow.heartbeats.put(after)
        _arm(uow, after)
    return b"OK"


def fail(uow: UnitOfWork, company_id: str, id: str, said: str) -> bytes:
    """It tells itself that it has failed: that is an alert at once."""
    before = uow.heartbeats.get(company_id, id)
    if before.paused_at is None:
        after = replace(before, started_at=None, down_since=before.down_since or uow.now)
        uow.heartbeats.put(after)
        more = f"\n{said[:SAID_AT_MOST]}" if said.strip() else ""
        _tell(uow, after, after.alert("heartbeat_failed", f"{after.name}: reported a failure{more}"))
    return b"OK"


def due(uow: UnitOfWork, row: Due) -> None:
    """The deadline of a heartbeat has come: raise it, unless it has been called since."""
    before = uow.heartbeats.find(row.company_id, row.object)
    if before is None or before.down_at is None:
        return
    if uow.now < before.down_at:
        _arm(uow, before)
        return
    again = uow.now + before.every + before.grace
    if before.down_since is None and uow.now - row.due_at > ASLEEP:
        again = uow.now + min(before.every, PATIENCE) + before.grace
    elif uow.alerts.active(uow.company(row.company_id), _fingerprint(before)) is None:
        # also when it is down already: somebody has resolved it, and it is still silent
        uow.heartbeats.put(replace(before, down_since=before.down_since or uow.now))
        _tell(uow, before, before.alert("heartbeat_missed", before.silence()))
    uow.deadlines.set(row.object, row.kind, again, company_id=row.company_id)


def _fingerprint(beat: Heartbeat) -> str:
    return beat.alert("", "").fingerprint(beat.company_id)


def _arm(uow: UnitOfWork, beat: Heartbeat) -> None:
    if beat.down_at is not None:
        uow.deadlines.set(beat.id, DueKind.HEARTBEAT.value, beat.down_at, company_id=beat.company_id)


def _tell(uow: UnitOfWork, beat: Heartbeat, reading: Reading) -> None:
    """As any other tool would."""
    body = reading.message.encode()
    accept(uow, Incoming(beat.company_id, TOOL, Read((reading,)), body, None, sha256(body).digest()))


# --- looking ---------------------------------------------------------------------------------------------------


def view(beat: Heartbeat, now: datetime) -> HeartbeatView:
    return HeartbeatView(
        id=beat.id, company_id=beat.company_id, name=beat.name, state=beat.pulse(now).value,
        every_seconds=int(beat.every.total_seconds()), grace_seconds=int(beat.grace.total_seconds()),
        severity=beat.severity.name, last_beat_at=beat.last_beat_at, due_at=beat.due_at, down_since=beat.down_since,
        created_at=beat.created_at, token_hint=beat.token_hint,
    )  # fmt: skip


def list_heartbeats(connection: Connection, actor: Actor, company_id: str | None, now: datetime) -> list[HeartbeatView]:
    """Those of the companies in the reader's scope: what is down first."""
    require_role(actor, Permission.SEE_HEARTBEATS)
    h = t.heartbeat.c
    where = [in_scope(h.company_id, actor), *([] if company_id is None else [h.company_id == company_id])]
    rows = connection.execute(select(*t.raw_columns(t.heartbeat)).where(*where).order_by(h.company_id, h.name))
    order = [Pulse.DOWN, Pulse.LATE, Pulse.UP, Pulse.WAITING, Pulse.PAUSED]
    found = [heartbeat_from(row) for row in rows]
    return [view(beat, now) for beat in sorted(found, key=lambda beat: order.index(beat.pulse(now)))]


def find_heartbeat(connection: Connection, ref: str, actor: Actor) -> Heartbeat:
    """The heartbeat behind `HB-3` or a name. Raises NotFound, and Conflict for a name that several companies use."""
    h = t.heartbeat.c
    name = ref.strip()
    rows = connection.execute(
        select(*t.raw_columns(t.heartbeat)).where(
            or_(h.id == name.upper(), h.name == name), in_scope(h.company_id, actor)
        )
    ).all()
    if not rows:
        raise missing(f"heartbeat {ref[:64]!r}")
    if len(rows) > 1:
        ids = ", ".join(f"{row.id} of {row.company_id}" for row in rows)
        raise Conflict(f"several clients have a heartbeat {name!r}: {ids}", hint="name it by its id")
    return heartbeat_from(rows[0])
