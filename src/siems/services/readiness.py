"""Whether those whose shift is on or near can be reached: before it begins, while there is time to help it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from siems.domain.oncall import shift_at, shifts
from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import InvalidField
from siems.services.oncall import find, served, unseen, visible
from siems.services.views import load_names
from siems.storage import tables as t
from siems.storage.people import load_people
from siems.storage.reaching import OWN_MAIL
from siems.storage.repositories.oncall import load_rota
from siems.wire import ReadyCheck, ReadyView

DELIVERED_WITHIN = timedelta(days=30)
MOST_HOURS = 24 * 60


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody, as far as readiness asks."""

    verified: bool
    delivered_at: datetime | None


def contacts_of(connection: Connection, user_id: str) -> list[Contact]:
    """The ways to reach somebody. Their own mail address counts once a message has got there."""
    m, c = t.message.c, t.contact.c
    found = [
        Contact(verified is not None, delivered)
        for verified, delivered in connection.execute(
            select(c.verified_at, c.last_delivered_at).where(c.user_id == user_id)
        )
    ]
    mailed = connection.execute(
        select(func.max(m.sent_at)).where(m.contact_id == f"{OWN_MAIL}{user_id}", m.state == "sent")
    ).scalar()
    return [*found, Contact(True, mailed)] if mailed is not None else found


def ready(
    connection: Connection, actor: Actor, now: datetime, *, schedule: str, user: str, hours: int
) -> list[ReadyView]:
    """Each person with a shift that is on or begins within so many hours, once per schedule, the first shift first."""
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidField(f"hours must be between 1 and {MOST_HOURS}", hint="--within 24h")
    rota, names = load_rota(connection, now), load_names(connection)
    serves, people = served(connection, rota.schedules), load_people(connection)
    chosen = [find(rota.schedules, schedule, actor)] if schedule else list(rota.schedules.values())
    require_role(actor, Permission.SEE_ONCALL)
    found: list[ReadyView] = []
    for one in chosen:
        if not visible(one, actor):
            continue
        overrides, seen = rota.of(one.id), set[str]()
        for stretch in shifts(one, overrides, now, now + timedelta(hours=hours)):
            who = stretch.user or ""
            if who in seen or (user and user.lower() not in (who, who.removeprefix("user-"), names.users.get(who))):
                continue
            seen.add(who)
            whole = shift_at(one, overrides, stretch.starts)
            hidden = unseen(people.get(who), (c for c in serves.get(one.id, ()) if actor.sees(c)))
            checks = [*_checks(connection, who, whole.ends, now), _access(who, hidden)]
            found.append(
                ReadyView(
                    user=who, user_name=names.users.get(who, who), schedule_id=one.id, schedule=one.name,
                    starts_at=whole.starts, ends_at=whole.ends, ok=all(check.ok for check in checks), checks=checks,
                )
            )  # fmt: skip
    return sorted(found, key=lambda view: (view.starts_at, view.schedule_id))


def _checks(connection: Connection, user: str, ends: datetime, now: datetime) -> list[ReadyCheck]:
    row = connection.execute(select(t.user).where(t.user.c.id == user)).first()
    if row is None or row.disabled:
        return [ReadyCheck(name="account", ok=False, cause="cannot log in any more", fix="change the schedule")]
    contacts = contacts_of(connection, user)
    verified = sum(contact.verified for contact in contacts)
    last = max((c.delivered_at for c in contacts if c.verified and c.delivered_at), default=None)
    fresh = last is not None and last > now - DELIVERED_WITHIN
    until = _logged_in_until(connection, user, now)
    logged_in = until is not None and until >= ends
    return [
        ReadyCheck(
            name="contact", ok=verified > 0, cause=f"{verified} verified" if contacts else "no contact",
            fix="" if verified else "siems notify contact add",
        ),
        ReadyCheck(
            name="delivery", ok=fresh,
            cause="nothing was delivered within 30 days" if not fresh else f"last {last:%Y-%m-%d}",
            fix="" if fresh else "siems notify test",
        ),
        ReadyCheck(
            name="login", ok=logged_in, cause=_login_told(until, ends), fix="" if logged_in else "siems login",
        ),
    ]  # fmt: skip


def _access(user: str, hidden: list[str]) -> ReadyCheck:
    """Whether they may see the companies whose pages they are on call for; of the others the pages go elsewhere."""
    if not hidden:
        return ReadyCheck(name="access", ok=True, cause="sees every client of the schedule", fix="")
    shown = f"may not see {', '.join(hidden[:3])}" + (f" and {len(hidden) - 3} more" if hidden[3:] else "")
    given = " ".join(f"--add-company {company}" for company in hidden[:3])
    return ReadyCheck(name="access", ok=False, cause=shown, fix=f"siems user edit {user} {given}")


def _logged_in_until(connection: Connection, user: str, now: datetime) -> datetime | None:
    """Until when somebody stays logged in without doing anything; a token of a machine does not expire."""
    k = t.token.c
    where = (k.user_id == user, k.revoked_at.is_(None), k.used_at.is_(None))
    far = datetime.max.replace(tzinfo=now.tzinfo)
    ends = [at or far for at in connection.execute(select(k.expires_at).where(*where)).scalars()]
    return max((at for at in ends if at > now), default=None)


def _login_told(until: datetime | None, ends: datetime) -> str:
    if until is None:
        return "not logged in anywhere"
    if until >= ends:
        return "valid past the end of the shift"
    return f"ends at {until:%Y-%m-%dT%H:%MZ}, before the shift does"
