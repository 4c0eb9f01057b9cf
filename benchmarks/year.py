"""A year of an MSP in a database: alerts, incidents, the index of the search, by bulk insert into the real tables."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from siems.clock import SystemClock
from siems.domain import sla
from siems.domain.alert import Alert, category_of
from siems.domain.changing import replace
from siems.domain.company import Company, CompanySettings
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.services import search_feed, setup, users
from siems.services.companies import store_company
from siems.services.observers import react
from siems.storage import migrations
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.rows import alert_row, incident_row
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, AlertStatus, Role, Severity, State
from siems.wire import UserAsk

COMPANIES, ASSETS, PEOPLE = 20, 1_000, 12
AT_ONCE = 3_000
"""Making more would let a transaction stand still for so long that PostgreSQL is told to end it."""
YEAR = timedelta(days=365)
TOOLS = ("Datadog", "Zabbix", "Prometheus", "PRTG", "NinjaOne")
SIGNATURES = (
    "high_cpu", "disk_full", "no_memory", "http_5xx", "http_latency", "postgres_down", "backup_failed", "host_down",
    "cert_expires", "packet_loss", "login_failed", "fan_speed",
)  # fmt: skip
_SAYS = (
    "CPU of {asset} at {n}% for {m} minutes", "Only {n}% left on volume data{m} of {asset}",
    "The mail service on {asset} refuses new sessions, queue {m} holds {n} entries",
    "Replication of orders-{m} lags {n} s behind", "Backup job nightly-{m} of {asset} ended with code {n}",
    "GET /api/v2/basket answers 50{m} for {n} of 1000 requests", "ref {serial}: {asset} does not answer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    alerts: int = 1_000_000
    incidents: int = 100_000
    open: int = 10_000


def fill(url: str, size: Size) -> None:
    """The schema of this version, and a year in it. Takes about two minutes for a million alerts."""
    begun, clock = time.perf_counter(), SystemClock()
    engine = open_engine(parse_url(url))
    migrations.upgrade(engine)
    engine.dispose()
    database = Database(url, clock=clock, observers=react)
    database.start()
    settings = CompanySettings()
    database.write_now(setup.prepare, settings, companies=(MSP,))
    for number in range(COMPANIES):
        company = Company(
            id=f"comp-{number}", name=f"Client {number}", created_at=clock.now() - YEAR, settings=settings
        )
        database.write_now(store_company, company, companies=(MSP,))
    for number in range(PEOPLE):
        ask = UserAsk(
            name=f"p{number}", email=f"p{number}@msp.example", role=Role.TECHNICIAN.value, password="",
            companies=[f"comp-{n}" for n in range(COMPANIES)],
        )  # fmt: skip
        database.write_now(users.create, SYSTEM, ask, "no hash matches this", companies=(MSP,))
    now, dice = clock.now(), random.Random(7)
    for begin in range(1, size.incidents + 1, AT_ONCE):
        rows = range(begin, min(begin + AT_ONCE, size.incidents + 1))
        database.write_now(_incidents, rows, size, now, dice, companies=(MSP,))
    for begin in range(1, size.alerts + 1, AT_ONCE):
        rows = range(begin, min(begin + AT_ONCE, size.alerts + 1))
        database.write_now(_alerts, rows, size, now, dice, companies=(MSP,))
    database.write_now(_counted, size, companies=(MSP,))
    print(f"  {size.alerts:,} alerts are stored after {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    _index(database)
    database.stop()
    engine = open_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    print(f"  the search knows them after {time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _index(database: Database) -> None:
    """The feed of the search as it is, but for how much it takes at a time."""
    usual, search_feed.AT_ONCE = search_feed.AT_ONCE, AT_ONCE
    try:
        while True:
            found = database.read_now(search_feed.collect)
            if not found.moved:
                return
            database.write_now(search_feed.store, found, companies=(MSP,))
    finally:
        search_feed.AT_ONCE = usual


def _counted(uow: UnitOfWork, size: Size) -> None:
    put = "INSERT INTO counter (name, company_id, value) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = ?"
    uow.run(put, [(name, MSP, n, n) for name, n in (("incident", size.incidents), ("alert", size.alerts))])


# --- incidents -------------------------------------------------------------------------------------------------


def opened_at(number: int, size: Size, now: datetime) -> datetime:
    """Evenly over the year; those that are open are the last ones."""
    return now - YEAR + (YEAR - timedelta(minutes=5)) * (number / size.incidents)


def asset_of(number: int) -> str:
    return f"web-{number * 7 % ASSETS:03d}.c{number % COMPANIES}"


def signature_of(number: int) -> str:
    return f"{SIGNATURES[number % len(SIGNATURES)]}_{number * 13 % 40}"


def _incidents(uow: UnitOfWork, numbers: range, size: Size, now: datetime, dice: random.Random) -> None:
    rows = [incident_row(_incident(uow, number, size, now, dice), uow.weights) for number in numbers]
    uow.run(uow.dialect.insert("incident"), rows)


def _incident(uow: UnitOfWork, number: int, size: Size, now: datetime, dice: random.Random) -> Incident:
    company = uow.company(f"comp-{number % COMPANIES}")
    severity, at = Severity(1 + dice.choices(range(4), (3, 4, 2, 1))[0]), opened_at(number, size, now)
    target, asset, signature = company.settings.targets[severity], asset_of(number), signature_of(number)
    incident = Incident(
        id=number, company_id=company.id, title=f"{signature.replace('_', ' ').capitalize()} on {asset}",
        severity=severity, state=State.OPEN, category=category_of(signature), rule="asset|signature",
        signature=signature, created_at=at, last_alert_at=at, clocks=sla.begin(target, now=at),
        sla_snapshot=company.sla_snapshot, policy_snapshot=company.policy_snapshot, assets=(asset,), asset_count=1,
        tool_sources=(TOOLS[number % len(TOOLS)],), alert_count=size.alerts // size.incidents,
        repeat_count=dice.randrange(90), active_count=1,
    )  # fmt: skip
    if number > size.incidents - size.open:
        if dice.random() < 0.4:
            return replace(
                incident, state=State.ASSIGNED, assignee=f"user-p{number % PEOPLE}", acknowledged_at=now, touched=True
            )
        return incident
    return _ended(incident, target, dice)


def _ended(incident: Incident, target: sla.Target, dice: random.Random) -> Incident:
    """A tenth missed its target, a third healed by itself."""
    at = incident.created_at
    answered = at + target.response * dice.random() * 1.1
    over = answered + target.resolution * dice.random()
    late = answered > at + target.response
    healed = dice.random() < 0.33
    clocks = replace(
        incident.clocks, response_met_at=None if healed else answered, response_cancelled=healed,
        response_breached_at=at + target.response if late and not healed else None, resolution_met_at=over,
        answered_at=None if healed else answered,
    )  # fmt: skip
    who = "system" if healed else f"user-p{incident.id % PEOPLE}"
    return replace(
        incident, state=State.CLOSED, clocks=clocks, acknowledged_at=None if healed else answered, resolved_at=over,
        resolved_by=who, assignee=None if healed else who, resolution_notes="restarted it", closed_at=over,
        active_count=0, touched=not healed, escalations=int(late),
    )  # fmt: skip


# --- alerts ----------------------------------------------------------------------------------------------------


def _alerts(uow: UnitOfWork, numbers: range, size: Size, now: datetime, dice: random.Random) -> None:
    uow.run(uow.dialect.insert("alert"), [alert_row(one) for one in _made(numbers, size, now, dice)])


def _made(numbers: range, size: Size, now: datetime, dice: random.Random) -> Iterator[Alert]:
    each = size.alerts / size.incidents
    for number in numbers:
        incident = min(size.incidents, 1 + int((number - 1) / each))
        at, asset, signature = opened_at(incident, size, now), asset_of(incident), signature_of(incident)
        open_ = incident > size.incidents - size.open
        message = _SAYS[number % len(_SAYS)].format(
            asset=asset, n=dice.randrange(100), m=number % 9, serial=f"{number * 7919 % 10_000_019:08d}"
        )
        held = not open_ and number % 200 == 0
        yield Alert(
            id=number, company_id=f"comp-{incident % COMPANIES}", incident_id=None if held else incident,
            fingerprint=f"{number:024x}", asset_name=asset, signature=signature,
            severity=Severity(1 + number % 4), original_severity="high", message=message,
            tool_source=TOOLS[incident % len(TOOLS)], status=AlertStatus.ACTIVE if open_ else AlertStatus.RESOLVED,
            count=1 + number % 9, starts_at=at, received_at=at, last_seen_at=at,
            resolved_at=None if open_ else at + timedelta(minutes=20), suppressed_by="SIL-1 (patch)" if held else None,
            rule="asset|signature", evidence=f"{signature} on {asset} is open",
            labels={"env": "prod", "team": f"t{number % 9}"},
        )  # fmt: skip


def scanned(connection: Connection) -> dict[str, Any]:
    """How large everything is."""
    return {
        name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
        for name in ("alert", "incident", "search_doc")
    }
