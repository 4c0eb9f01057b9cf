"""Merging incidents and splitting them, by people, and taking that back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select

from siems.clock import to_micros
from siems.domain import grouping
from siems.domain.alert import Alert
from siems.domain.changing import replace
from siems.domain.events import ActUndone, IncidentAbsorbed, IncidentSplit
from siems.domain.grouping import Share
from siems.domain.incident import Incident
from siems.domain.lifecycle import PHASES, check
from siems.domain.moves import Command, attend
from siems.domain.permissions import Actor, missing
from siems.errors import Conflict, InvalidField, StaleVersion, UsageError
from siems.services.keeping import save
from siems.services.moving import act_by_system, in_force
from siems.storage import tables as t
from siems.storage.indexing import give_key, index_alert, keys_for
from siems.storage.memory import CompanyMemory
from siems.storage.rows import alert_from, incident_from, incident_row
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, AlertStatus, Role, Severity
from siems.wire import ActAsk

MERGED_AT_ONCE = 50
SPLIT_AT_ONCE = 5_000


# --- merge -----------------------------------------------------------------------------------------------------


def merge(uow: UnitOfWork, actor: Actor, before: Incident, ask: ActAsk) -> tuple[Incident, bool]:
    """Fold other incidents of the company into this one. (The survivor, whether anything changed.)

    Raises NotFound, Conflict for what is over or another company's, StaleVersion, UsageError.
    """
    command = Command(action=Action.MERGE, actor=actor, now=uow.now, reason=ask.reason, version=ask.version)
    numbers = _others(before, ask)
    others = [_other(uow, actor, before, number) for number in numbers]
    others = [one for one in others if one.merged_into != before.id]
    if not others:
        return before, False
    check(before, command)
    for one in others:
        _can_be_merged(one)
    kept = [_kept(uow, one) for one in others]
    survivor = _not_waiting(uow, before, others)
    for one in others:
        survivor = _absorb(uow, one, survivor, actor, _why(actor, ask.reason))
    survivor = attend(survivor, replace(command, **in_force(uow, survivor)))
    save(uow, before, survivor)
    _remember(uow, actor, Action.MERGE, before, survivor, {"absorbed": kept})
    return survivor, True


def _others(before: Incident, ask: ActAsk) -> list[int]:
    from siems.services.queries import number_of

    numbers = list(dict.fromkeys(number_of(ref) for ref in ask.incidents))
    if not numbers:
        raise UsageError("merge which incidents into it?", hint=f"siems incident merge 13 14 --into {before.ref}")
    if before.id in numbers:
        raise InvalidField(f"{before.ref} cannot be merged into itself", hint="name the others")
    if len(numbers) > MERGED_AT_ONCE:
        raise InvalidField(f"at most {MERGED_AT_ONCE} incidents are merged at once", hint="do it in several steps")
    return numbers


def _other(uow: UnitOfWork, actor: Actor, survivor: Incident, number: int) -> Incident:
    found = uow.incidents.find(survivor.company_id, number)
    if found is not None:
        return found
    company = uow.connection.execute(select(t.incident.c.company_id).where(t.incident.c.id == number)).scalar()
    if company is None or not actor.sees(company):
        raise missing(f"INC-{number}")
    together = f"group them by their cause:  siems parent create {survivor.ref} INC-{number}"
    raise Conflict(
        f"INC-{number} is another client's than {survivor.ref}: what belongs to two clients is never merged",
        hint=together if actor.role is Role.ADMIN else "each client keeps an incident of its own",
    )


def _can_be_merged(incident: Incident) -> None:
    if incident.merged_into is not None:
        raise Conflict(
            f"{incident.ref} was folded into INC-{incident.merged_into} already",
            hint=f"merge that one:  siems incident merge INC-{incident.merged_into} --into ...",
        )
    if not incident.open:
        raise Conflict(
            f"{incident.ref} is {incident.state.value}: what is over is not merged, it stays in the measures",
            hint=PHASES[incident.state].instead.format(ref=incident.ref),
        )


def _why(actor: Actor, reason: str) -> str:
    return f"by {actor.name}: {reason}" if reason else f"by {actor.name}"


def _not_waiting(uow: UnitOfWork, survivor: Incident, others: Sequence[Incident]) -> Incident:
    """What gets worse, or spreads, is not waited for any more."""
    if not survivor.on_hold:
        return survivor
    worst = max(one.severity for one in others)
    if worst > survivor.severity and not survivor.severity_pinned:
        return act_by_system(uow, survivor, Action.RESUME, f"it is {worst.name} now")
    new = [asset for one in others for asset in one.assets if asset not in survivor.assets]
    return act_by_system(uow, survivor, Action.RESUME, f"{new[0]} has joined") if new else survivor


def _absorb(uow: UnitOfWork, absorbed: Incident, survivor: Incident, actor: Actor, evidence: str) -> Incident:
    company = uow.company(survivor.company_id)
    keys = tuple(key for key in company.keys_of.get(absorbed.id, ()) if company.keys.get(key) == absorbed.id)
    after = grouping.merged(survivor, absorbed, now=uow.now)
    closed = grouping.absorbed_into(absorbed, survivor.id, now=uow.now)
    uow.alerts.move(company, absorbed.id, survivor.id)
    save(uow, absorbed, closed)
    for key in keys:
        give_key(uow.journal, company, survivor.id, key)
    uow.messages.cancel(absorbed.ref, f"folded into {survivor.ref}")
    uow.outbox.cancel(absorbed.ref)
    uow.emit(IncidentAbsorbed(closed, survivor, after, evidence, actor))
    return after


def _kept(uow: UnitOfWork, incident: Incident) -> dict[str, Any]:
    """What an undo has to know of an incident that is folded away."""
    ids = uow.connection.execute(select(t.alert.c.id).where(t.alert.c.incident_id == incident.id)).scalars()
    tickets = [ticket.id for ticket in uow.tickets.of(incident.company_id, incident.id)]
    return {"row": incident_row(incident, uow.weights), "alerts": list(ids), "tickets": tickets}


# --- split -----------------------------------------------------------------------------------------------------


def split(uow: UnitOfWork, actor: Actor, before: Incident, ask: ActAsk) -> tuple[Incident, Incident]:
    """Some alerts become an incident of their own. (What is left, the new one.)

    Raises Conflict when nothing would be left, InvalidField naming an alert that is not among its own.
    """
    check(before, Command(action=Action.SPLIT, actor=actor, now=uow.now, reason=ask.reason, version=ask.version))
    company = uow.company(before.company_id)
    held = _alerts_of(uow, before.id)
    going = _going(before, held, ask.alerts)
    ids = {alert.id for alert in going}
    staying = [alert for alert in held if alert.id not in ids]
    share, rest = _share(going), _share(staying)
    number = uow.next_number("incident")
    terms = uow.memory.terms_named(uow.connection, before.sla_snapshot)
    severity = min(share.severity, before.severity)
    part = grouping.split_off(
        before, number, share, title=ask.title.strip() if ask.title else "", critical=_critical(company, share),
        now=uow.now, target=terms[severity], calendar=terms.calendar_for(severity),
    )  # fmt: skip
    after = grouping.holding(before, rest, critical=_critical(company, rest), now=uow.now)
    after = replace(after, related=tuple(dict.fromkeys((*before.related, number))))
    save(uow, None, part)
    evidence = f"split from {before.ref} {_why(actor, ask.reason)}"
    _move(uow, company, before.id, [replace(a, incident_id=number, rule="split", evidence=evidence) for a in going],
          {key for alert in staying for key in keys_for(alert, company.rules)})  # fmt: skip
    _same_story(uow, before, part)
    save(uow, before, after)
    old = [[a.id, a.rule, a.evidence] for a in going]
    _remember(uow, actor, Action.SPLIT, before, after, {"part": number, "alerts": old})
    uow.emit(IncidentSplit(before, after, part, len(going), actor, ask.reason))
    return after, part


def _going(before: Incident, held: Sequence[Alert], refs: Sequence[str]) -> list[Alert]:
    """The alerts that are named. Raises InvalidField, Conflict, UsageError."""
    from siems.services.queries import number_of

    if not refs:
        raise UsageError("split which alerts out?", hint="add  --alerts ALR-7,ALR-9")
    by_id, numbers = {alert.id: alert for alert in held}, dict.fromkeys(number_of(ref, "ALR") for ref in refs)
    for number in numbers:
        if number not in by_id:
            raise InvalidField(
                f"ALR-{number} is no alert of {before.ref}", hint=f"siems alert list --query incident:{before.id}"
            )
    if len(numbers) == len(held):
        raise Conflict(f"these are all alerts of {before.ref}, nothing would be left", hint="leave one of them out")
    if len(numbers) > SPLIT_AT_ONCE:
        raise InvalidField(f"at most {SPLIT_AT_ONCE} alerts are split out at once", hint="do it in several steps")
    return [by_id[number] for number in sorted(numbers)]


def _alerts_of(uow: UnitOfWork, incident_id: int) -> list[Alert]:
    """All alerts of an incident, over or not, the oldest first."""
    rows = uow.connection.execute(
        select(*t.raw_columns(t.alert)).where(t.alert.c.incident_id == incident_id).order_by(t.alert.c.id)
    )
    return [alert_from(row) for row in rows]


def _share(alerts: Sequence[Alert]) -> Share:
    active = [alert for alert in alerts if alert.status is AlertStatus.ACTIVE]
    return Share(
        alerts=len(alerts), repeats=sum(a.count - 1 for a in alerts), active=len(active),
        severity=max((a.severity for a in active or alerts), default=Severity.LOW),
        signatures=tuple(dict.fromkeys(a.signature for a in alerts)),
        assets=tuple(dict.fromkeys(a.asset_name for a in alerts)),
        tools=tuple(dict.fromkeys(a.tool_source for a in alerts)),
        last_alert_at=max(a.last_seen_at for a in alerts),
    )  # fmt: skip


def _critical(company: CompanyMemory, share: Share) -> bool:
    return any(company.assets.get(asset, False) for asset in share.assets)


def _move(
    uow: UnitOfWork, company: CompanyMemory, origin: int, alerts: Iterable[Alert], stays: set[tuple[str, ...]]
) -> None:  # fmt: skip
    """These alerts are another incident's now, and so are the keys that only they gave."""
    journal = uow.journal
    for alert in alerts:
        journal.drop(company.active_of.get(origin, {}), alert.fingerprint)
        uow.alerts.put(alert)
        keys = tuple(key for key in keys_for(alert, company.rules) if key not in stays)
        for key in keys:
            journal.drop(company.keys_of.get(origin, {}), key)
        if keys:
            index_alert(journal, company, alert, keys)


def _same_story(uow: UnitOfWork, before: Incident, part: Incident) -> None:
    """What its clocks depend on happened to the new incident, too: `sla explain` reads it there."""
    line = t.timeline.c
    rows = uow.connection.execute(
        select(line.at, line.kind, line.actor, line.via, line.text, line.data)
        .where(line.incident_id == before.id, line.kind.in_(("state", "escalation", "merge")))
        .order_by(line.at, line.id)
    )
    for at, kind, actor, via, text, data in rows:
        if "clocks" in json.loads(data):
            uow.insert("timeline", (part.company_id, part.id, to_micros(at), kind, actor, via, text, data))


# --- taking it back --------------------------------------------------------------------------------------------


def _remember(
    uow: UnitOfWork, actor: Actor, action: Action, before: Incident, after: Incident, more: dict[str, Any]
) -> None:  # fmt: skip
    body = {"row": incident_row(before, uow.weights), **more}
    uow.connection.execute(delete(t.undo).where(t.undo.c.incident_id == before.id))
    uow.insert(
        "undo",
        (before.id, before.company_id, actor.id, to_micros(uow.now), action.value, after.version, json.dumps(body)),
    )


def take_back(uow: UnitOfWork, actor: Actor, current: Incident, row: Any, reason: str) -> Incident:
    """As if it had not been merged or split; alerts that came since stay where they are. Raises StaleVersion."""
    body = json.loads(row.body)
    old = incident_from(body["row"])
    command = Command(action=Action.UNDO, actor=actor, now=uow.now, reason=reason)
    if row.action == Action.SPLIT.value:
        _join_again(uow, current, body)
    else:
        for kept in body["absorbed"]:
            _let_go(uow, current, kept, row, command)
    uow.flush()
    company = uow.company(current.company_id)
    share = _share(_alerts_of(uow, current.id))
    clocks = replace(old.clocks) if row.action == Action.MERGE.value else current.clocks
    after = grouping.holding(current, share, critical=_critical(company, share), now=uow.now)
    after = replace(
        after, title=old.title, severity=old.severity, folded=old.folded, created_at=old.created_at, clocks=clocks,
        escalates_at=old.escalates_at, ack_due_at=old.ack_due_at, asked_at=old.asked_at, touched=old.touched,
        hold_reason=old.hold_reason, hold_until=old.hold_until, related=old.related, signature=old.signature,
    )  # fmt: skip
    save(uow, current, after)
    uow.connection.execute(delete(t.undo).where(t.undo.c.incident_id == current.id))
    uow.emit(ActUndone(current, after, row.action, command))
    return after


def _let_go(uow: UnitOfWork, survivor: Incident, kept: dict[str, Any], row: Any, command: Command) -> None:
    """An incident that was folded away is there again, with its alerts, keys, deadlines, messages and tickets."""
    company, old = uow.company(survivor.company_id), incident_from(kept["row"])
    closed = uow.incidents.get(survivor.company_id, old.id)
    if closed.merged_into != survivor.id or closed.version != old.version + 1:
        raise StaleVersion(
            f"{old.ref} changed meanwhile, it cannot be taken out of {survivor.ref}",
            hint=f"siems incident split {survivor.ref} --alerts ...",
        )
    mine = set(kept["alerts"])
    held = _alerts_of(uow, survivor.id)
    going = [replace(alert, incident_id=old.id) for alert in held if alert.id in mine]
    share = _share(going)
    back = replace(
        old, version=closed.version + 1, alert_count=share.alerts, repeat_count=share.repeats,
        active_count=share.active, last_alert_at=share.last_alert_at,
        recovered_at=None if share.active else old.recovered_at or uow.now,
    )  # fmt: skip
    save(uow, closed, back)
    stays = {key for alert in held if alert.id not in mine for key in keys_for(alert, company.rules)}
    _move(uow, company, survivor.id, going, stays)
    uow.messages.take_back(old.ref, row.at)
    for ticket in uow.tickets.of(survivor.company_id, survivor.id):
        if ticket.id in kept["tickets"]:
            uow.tickets.move(ticket, replace(ticket, incident_id=old.id))
    uow.emit(ActUndone(closed, back, row.action, command))


def _join_again(uow: UnitOfWork, current: Incident, body: dict[str, Any]) -> None:
    """What was split off belongs to it again; the number that it had is not given out anew."""
    part = uow.incidents.get(current.company_id, body["part"])
    if part.version != 1 or not part.open:
        raise StaleVersion(
            f"{part.ref} changed meanwhile, the split cannot be taken back",
            hint=f"merge them:  siems incident merge {part.ref} --into {current.ref}",
        )
    company = uow.company(current.company_id)
    told = {number: (rule, evidence) for number, rule, evidence in body["alerts"]}
    back = []
    for alert in _alerts_of(uow, part.id):
        rule, evidence = told.get(alert.id, (alert.rule, alert.evidence))
        back.append(replace(alert, incident_id=current.id, rule=rule, evidence=evidence))
    _move(uow, company, part.id, back, set())
    save(uow, part, grouping.absorbed_into(part, current.id, now=uow.now))
