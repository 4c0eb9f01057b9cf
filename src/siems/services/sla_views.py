"""The arithmetic of an incident's deadlines, and the tiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from siems.domain import calendars, sla_account
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.domain.sla_account import Account, Facts, Stretch, stand_of
from siems.domain.tiers import OFFICE_HOURS, TIERS
from siems.services.filters import in_scope
from siems.services.forecasts import Forecaster
from siems.services.queries import find_incident
from siems.services.sla_marks import marks_of
from siems.services.sla_settings import targets_view
from siems.services.views import Names, load_names, terms_named
from siems.storage import tables as t
from siems.storage.rows import settings_from
from siems.vocabulary import MSP, HoldReason, Role
from siems.wire import AccountLine, ClockAccount, Forecast, SlaAccount, TierView


def explain(connection: Connection, ref: str, actor: Actor, now: datetime) -> SlaAccount:
    """Both clocks of an incident, to the second. Raises NotFound."""
    incident = find_incident(connection, ref, actor)
    names = load_names(connection)
    terms, clocks = terms_named(connection, incident.sla_snapshot), incident.clocks
    facts = Facts(
        opened=incident.created_at, now=now, terms=terms, clocks=clocks, stand=stand_of(incident),
        marks=marks_of(connection, incident), resolved_at=incident.resolved_at,
        merged_at=incident.closed_at if incident.merged_into is not None else None,
    )  # fmt: skip
    forecaster = Forecaster(connection, actor, now)
    whose = partial(_who, names, actor)
    return SlaAccount(
        id=incident.ref, company_id=incident.company_id,
        company=names.companies.get(incident.company_id, incident.company_id), title=incident.title,
        severity=incident.severity.name, state=incident.state.value, opened_at=incident.created_at,
        hours=calendars.told(terms.calendar_for(incident.severity)),
        pausing=[reason.value for reason in HoldReason if reason in terms.pausing],
        targets=targets_view(terms.targets),
        response=_clock(
            "response", sla_account.response(facts), whose, standing=response_standing(incident, now),
            met_at=clocks.response_met_at, breached=clocks.response_breached_at is not None,
            forecast=forecaster.of(incident, "response"),
        ),
        resolution=_clock(
            "resolution", sla_account.resolution(facts), whose, standing=resolution_standing(incident, now),
            met_at=clocks.resolution_met_at, breached=clocks.resolution_breached_at is not None,
            forecast=forecaster.of(incident, "resolution"),
        ),
        server_time=now,
    )  # fmt: skip


def response_standing(incident: Incident, now: datetime) -> str:
    """`running`, `over`, `met`, `late`, `cancelled`, or `merged` for what was folded into another."""
    clocks = incident.clocks
    if clocks.response_met_at is not None:
        return "late" if clocks.response_met_at > clocks.response_due else "met"
    if incident.merged_into is not None:
        return "merged"
    if clocks.response_cancelled or not incident.open:
        return "cancelled"
    return "over" if now > clocks.response_due else "running"


def resolution_standing(incident: Incident, now: datetime) -> str:
    """`running`, `over`, `paused`, `met`, `late`, or `merged` for what was folded into another."""
    clocks = incident.clocks
    if clocks.resolution_met_at is not None:
        return "late" if clocks.resolution_met_at > clocks.resolution_due else "met"
    if incident.merged_into is not None:
        return "merged"
    if clocks.paused_since is not None:
        return "paused"
    return "over" if now > clocks.resolution_due else "running"


def _who(names: Names, actor: Actor, line: Stretch) -> str:
    if actor.role is Role.CLIENT:
        return ""
    if not line.who:
        return "unassigned" if line.kind is sla_account.Kind.COUNTED else ""
    return names.users.get(line.who, line.who)


def _clock(
    name: str, account: Account, whose: Callable[[Stretch], str], *, standing: str, met_at: datetime | None,
    breached: bool, forecast: Forecast | None,
) -> ClockAccount:  # fmt: skip
    def lines(stretches: Iterable[Stretch]) -> list[AccountLine]:
        return [
            AccountLine(
                kind=s.kind.value, starts_at=s.starts, ends_at=s.ends, seconds=s.seconds, who=whose(s), why=s.why
            )
            for s in stretches
        ]  # fmt: skip

    return ClockAccount(
        clock=name, standing=standing, basis=account.basis, target_seconds=int(account.span.total_seconds()),
        starts_at=account.starts, due_at=account.due, met_at=met_at, breached=breached,
        left_seconds=int(account.left.total_seconds()), corrected_seconds=int(account.corrected.total_seconds()),
        due_if_resumed=account.due_if_resumed, lines=lines(account.lines), before=lines(account.before),
        late=lines(account.late), forecast=forecast,
    )  # fmt: skip


def tiers(connection: Connection, actor: Actor) -> list[TierView]:
    """The templates, with the companies in the reader's scope that are on each."""
    c = t.company.c
    on: dict[str, list[str]] = {}
    for row in connection.execute(select(c.id, c.settings).where(c.id != MSP, in_scope(c.id, actor)).order_by(c.id)):
        on.setdefault(settings_from(row.settings).tier, []).append(row.id)
    return [
        TierView(
            name=tier.name,
            clock=calendars.told_hours(OFFICE_HOURS) if tier.business else calendars.ALWAYS,
            pausing=[reason.value for reason in HoldReason if reason in tier.pausing],
            targets=targets_view(tier.targets), companies=on.get(tier.name, []),
        )
        for tier in TIERS.values()
    ]  # fmt: skip
