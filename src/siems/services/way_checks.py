"""What `doctor` says of the ways out: ticket systems that do not answer, channels that cannot be opened."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from siems.domain.permissions import Actor, Permission, allowed
from siems.storage import tables as t
from siems.wire import Check

TOLD = 5


def ticket_check(connection: Connection, actor: Actor) -> list[Check]:
    """How the accounts that the reader may manage go; nothing where there is none."""
    a = t.ticket_account.c
    rows = connection.execute(
        select(a.id, a.company_id, a.failures, a.error, a.paused).where(a.paused.is_(False)).order_by(a.id)
    ).all()
    rows = [row for row in rows if allowed(actor, Permission.COMPANY_SETTINGS, row.company_id)]
    if not rows:
        return []
    failing = [row for row in rows if row.failures]
    if not failing:
        return [Check(name="tickets", ok=True, cause=f"{len(rows)} ticket accounts, none of them fails", fix="")]
    said = "; ".join(f"{row.id}: {row.error} ({row.failures} times)" for row in failing[:TOLD])
    more = f"; and {len(failing) - TOLD} more" if len(failing) > TOLD else ""
    first = failing[0].id
    fix = f"siems ticket account test {first}; siems ticket account edit {first} --secret-file FILE"
    return [Check(name="tickets", ok=False, cause=f"{said}{more}", fix=fix)]


def channel_checks(unopened: Iterable[tuple[str, str, str]]) -> list[Check]:
    """One line for each channel that cannot be opened; (channel, why, what to do)."""
    return [
        Check(name=f"channel {name}"[:24], ok=False, cause=cause, fix=fix or f"[{name}] of siems.toml")
        for name, cause, fix in unopened
    ]
