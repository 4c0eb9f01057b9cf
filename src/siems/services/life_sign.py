"""The sign of life that siems keeps in its database, and what a gap in it means.

The sign is a deadline row of siems itself: when it is due it is given again. So it stops when nothing fires any more,
and whoever starts or wakes up reads from it how long nobody was there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, text

from siems.clock import from_micros, to_micros
from siems.domain.alert import Alert, Reading
from siems.domain.changing import replace
from siems.domain.correlation import Kind, Placement
from siems.domain.deadlines import DueKind
from siems.domain.events import GapFollowed, GapFound
from siems.domain.gap import Ending, Gap, counted, headline, is_gap
from siems.domain.incident import Incident
from siems.services.delivery import overdue
from siems.services.keeping import save
from siems.services.placing import open_incident
from siems.services.retention import HOUSE, SWEEP_EVERY
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, AlertStatus, Severity

SIGN_EVERY = timedelta(seconds=20)
AUDIT_EVERY = timedelta(minutes=1)
FOLLOW_AFTER = timedelta(minutes=5)
"""How long the senders have to be heard again before they are called silent."""
IN_TIME = timedelta(seconds=1)
_LOOK_BACK = timedelta(days=1)
_PERIODIC = ((DueKind.SELF_AUDIT, AUDIT_EVERY), (DueKind.HOUSEKEEPING, SWEEP_EVERY))


class Sign(msgspec.Struct, frozen=True):
    """When siems was last there, in microseconds, and whether somebody stopped it then."""

    at: int
    stopped: bool = False


class Follow(msgspec.Struct, frozen=True):
    """What a gap leaves for some minutes later."""

    gap: Gap
    incident: int | None


_encode = msgspec.json.Encoder().encode


# --- giving it -------------------------------------------------------------------------------------------------


def sign(uow: UnitOfWork, due: Due | None = None) -> None:
    """siems is there."""
    _sign(uow, stopped=False)
    ensure(uow)


def farewell(uow: UnitOfWork) -> None:
    """Somebody stops siems: what comes now is no crash."""
    if MSP in uow.memory.companies:
        _sign(uow, stopped=True)


def _sign(uow: UnitOfWork, *, stopped: bool) -> None:
    payload = _encode(Sign(to_micros(uow.now), stopped)).decode()
    uow.deadlines.set(HOUSE, DueKind.ALIVE.value, uow.now + SIGN_EVERY, company_id=MSP, payload=payload)


def ensure(uow: UnitOfWork) -> None:
    """The work that never ends has its rows, and none of them waits for a time that a wrong clock has set."""
    found = {
        row.kind: from_micros(row.due_at)
        for row in uow.connection.execute(text("SELECT kind, due_at FROM deadline WHERE object = :o"), {"o": HOUSE})
    }
    for kind, every in _PERIODIC:
        if kind not in found or found[kind.value] > uow.now + every:
            uow.deadlines.set(HOUSE, kind.value, uow.now + every, company_id=MSP)


def begin(uow: UnitOfWork) -> None:
    """The first sign of a process."""
    if MSP in uow.memory.companies:
        sign(uow)


# --- reading it ------------------------------------------------------------------------------------------------


def last_sign(connection: Connection) -> Sign | None:
    """The last sign of life; None before the first one."""
    row = connection.execute(
        text("SELECT payload FROM deadline WHERE object = :o AND kind = :k"),
        {"o": HOUSE, "k": DueKind.ALIVE.value},
    ).first()
    return None if row is None else msgspec.json.decode(row.payload, type=Sign)


def survey(connection: Connection, now: datetime, *, awake: bool) -> Gap | None:
    """What was missed since the last sign; None where that is not long ago. `awake`: this process was there before.

    Read before anything that was late fires, on a reader's thread: after a long night it counts many rows.
    """
    found = last_sign(connection)
    if found is None or not is_gap(start := from_micros(found.at), now):
        return None
    ending = Ending.ORDERLY if found.stopped else Ending.STALLED if awake else Ending.SUDDEN
    before = to_micros(now - IN_TIME)
    kinds = [
        (str(kind), int(number))
        for kind, number in connection.execute(
            text("SELECT kind, count(*) FROM deadline WHERE due_at < :n GROUP BY kind"), {"n": before}
        )
    ]
    kinds.append(("message", late_messages(connection, now - IN_TIME)))
    return Gap(
        start=start, end=now, ending=ending, late=counted(kinds), critical=_critical(connection, before),
        unknown=_unknown(connection, start),
    )  # fmt: skip


def late_messages(connection: Connection, before: datetime) -> int:
    """Messages that should have left before this time; those of the inbox are delivered by their commit."""
    return overdue(connection, before)


def _unknown(connection: Connection, start: datetime) -> int:
    """Messages that were on their way when the gap began."""
    found = connection.execute(
        text("SELECT count(*) FROM message WHERE state = 'sending' OR (state = 'unknown' AND created_at >= :s)"),
        {"s": to_micros(start - timedelta(hours=1))},
    )
    return int(found.scalar_one())


def _critical(connection: Connection, before: int) -> bool:
    found = connection.execute(
        text(
            "SELECT 1 FROM incident AS i JOIN deadline AS d ON d.object = 'INC-' || i.id"
            " WHERE i.severity = :s AND i.state IN ('OPEN', 'ASSIGNED', 'IN_PROGRESS') AND d.due_at < :n LIMIT 1"
        ),
        {"s": int(Severity.CRITICAL), "n": before},
    )
    return found.first() is not None


# --- telling ---------------------------------------------------------------------------------------------------


def report(uow: UnitOfWork, gap: Gap) -> int | None:
    """Open the MSP's incident about a gap, once; its number. None where nothing was missed, or it was told before."""
    found = last_sign(uow.connection)
    if found is None or from_micros(found.at) != gap.start or MSP not in uow.memory.companies:
        return None  # another daemon was first
    sign(uow)
    incident = None if gap.calm else _open(uow, gap)
    uow.emit(GapFound(gap, incident))
    _follow_up_later(uow, gap, incident)
    return None if incident is None else incident.id


def _open(uow: UnitOfWork, gap: Gap) -> Incident:
    """An incident of its own for each gap: it joins no other, and none folds into it."""
    title = headline(gap)
    reading = Reading(
        asset_name="siems", signature="siems_was_down", severity=Severity.HIGH, original_severity="", message=title,
        tool_source="siems", dedup_key=f"gap:{to_micros(gap.start)}",
    )  # fmt: skip
    alert = Alert(
        id=uow.next_number("alert"), company_id=MSP, incident_id=None, fingerprint=reading.fingerprint(MSP),
        asset_name=reading.asset_name, signature=reading.signature, severity=reading.severity, original_severity="",
        message=title, tool_source=reading.tool_source, status=AlertStatus.ACTIVE, count=1, starts_at=gap.start,
        received_at=uow.now, last_seen_at=uow.now, rule="gap", evidence="siems was not there",
        raw_id=uow.alerts.keep_raw(MSP, "siems", title.encode()),
    )  # fmt: skip
    critical = uow.alerts.discover(uow.company(MSP), alert.asset_name)
    placement = Placement(Kind.OPEN, alert.rule, alert.evidence, ())
    opened = open_incident(
        uow, uow.company(MSP), alert, placement, critical=critical, title=title, quiet=not gap.critical
    )
    assert opened.incident_id is not None
    return uow.incidents.get(MSP, opened.incident_id)


def _follow_up_later(uow: UnitOfWork, gap: Gap, incident: Incident | None) -> None:
    payload = _encode(Follow(gap, None if incident is None else incident.id)).decode()
    object = f"GAP-{to_micros(gap.start)}"
    uow.deadlines.set(object, DueKind.GAP_FOLLOW_UP.value, uow.now + FOLLOW_AFTER, company_id=MSP, payload=payload)


def follow_up(uow: UnitOfWork, due: Due) -> None:
    """Who was sending before the gap, and has not been heard since: what they had to say may be lost."""
    said = msgspec.json.decode(due.payload, type=Follow)
    gap = said.gap if said.gap.backwards else replace(said.gap, silent=silent_since(uow.connection, said.gap, uow.now))
    incident = None if said.incident is None else uow.incidents.find(MSP, said.incident)
    if gap.silent and incident is not None and incident.open:
        before, incident = incident, replace(incident, title=headline(gap), version=incident.version + 1)
        save(uow, before, incident)
    uow.emit(GapFollowed(gap, incident))


def silent_since(connection: Connection, gap: Gap, now: datetime) -> tuple[str, ...]:
    """Integrations that were heard before the gap within as long a time as they are silent now."""
    lately = gap.start - min(now - gap.start, _LOOK_BACK)
    rows = connection.execute(
        text(
            "SELECT i.tool, i.company_id FROM sighting AS s JOIN integration AS i ON i.id = s.integration_id"
            " WHERE i.revoked_at IS NULL AND s.at >= :lately AND s.at <= :start ORDER BY i.company_id, i.tool"
        ),
        {"lately": to_micros(lately), "start": to_micros(gap.start + SIGN_EVERY)},
    )
    return tuple(dict.fromkeys(f"{tool}/{company_id.removeprefix('comp-')}" for tool, company_id in rows))
