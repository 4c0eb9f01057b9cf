"""Looking up silences: lists, and one with its windows to come."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.silence import Silence, active_at, coming, ref_of
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE, number_of
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.silences import find
from siems.storage.rows import silence_from
from siems.wire import SilenceView, WindowView

WINDOWS = 5


def list_silences(
    connection: Connection, actor: Actor, now: datetime, *, company_id: str | None, ended: bool, limit: int
) -> list[SilenceView]:  # fmt: skip
    """Those that are on or to come, the next end first; with `ended` those that are over, the last one first."""
    require_role(actor, Permission.SILENCE)
    s = t.silence.c
    where: list[Any] = [in_scope(s.company_id, actor), s.ended_at.is_not(None) if ended else s.ended_at.is_(None)]
    if company_id is not None:
        where.append(s.company_id == company_id)
    order = (s.ended_at.desc(), s.id.desc()) if ended else (s.ends_at, s.id)
    columns = t.raw_columns(t.silence)
    rows = connection.execute(select(*columns).where(*where).order_by(*order).limit(max(1, min(limit, MAX_PAGE))))
    names = load_names(connection)
    silences = [silence_from(row) for row in rows]
    held = _held(connection, {silence.company_id for silence in silences})
    return [_view(silence, names, held, now) for silence in silences]


def find_silence(connection: Connection, ref: str, actor: Actor) -> Silence:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "SIL")
    found = find(connection, number)
    if found is None:
        raise missing(f"SIL-{number}")
    require(actor, Permission.SILENCE, found.company_id, what=f"SIL-{number}")
    return found


def show_silence(connection: Connection, silence: Silence, now: datetime) -> SilenceView:
    return _view(silence, load_names(connection), _held(connection, {silence.company_id}), now)


def _held(connection: Connection, companies: set[str]) -> Counter[str]:
    """How many alerts each silence holds, by its id."""
    a = t.alert.c
    rows = connection.execute(
        select(a.suppressed_by).where(
            a.company_id.in_(sorted(companies)), text("status = 'suppressed'"), text("status <> 'resolved'")
        )
    )
    return Counter(ref_of(label) for (label,) in rows)


def _view(silence: Silence, names: Names, held: Counter[str], now: datetime) -> SilenceView:
    s = silence
    windows = coming(s, now, WINDOWS)
    starts, ends = (windows[0].starts, windows[0].ends) if windows else (s.starts_at, s.ends_at)
    return SilenceView(
        id=s.ref, company_id=s.company_id, company=names.companies.get(s.company_id, s.company_id),
        kind="maintenance" if s.maintenance else "silence",
        state="ended" if not windows else "active" if active_at(s, now) else "coming",
        matchers=[str(matcher) for matcher in s.matchers], starts_at=starts, ends_at=ends, comment=s.comment,
        change=s.change, repeats=None if s.recurrence is None else str(s.recurrence),
        rule=s.recurrence.rule if s.recurrence else None, time_zone=s.recurrence.zone if s.recurrence else None,
        created_by=s.created_by, created_by_name=names.users.get(s.created_by, s.created_by), created_at=s.created_at,
        ended_at=s.ended_at, ended_by=s.ended_by, suppressed=held[s.ref],
        windows=[WindowView(starts_at=window.starts, ends_at=window.ends) for window in windows],
    )  # fmt: skip
