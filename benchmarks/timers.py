"""What is due, among very many that are not: how late a step fires, and what a tick costs that finds nothing."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from siems.clock import SystemClock, to_micros
from siems.daemon.scheduler import Scheduler
from siems.domain import sla
from siems.domain.company import Company, CompanySettings
from siems.domain.escalation import first_wait
from siems.domain.incident import Incident
from siems.services import setup
from siems.services.companies import store_company
from siems.services.observers import react
from siems.storage import migrations
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.memory import CompanyMemory
from siems.storage.repositories.deadlines import Due
from siems.storage.rows import incident_row
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Category, Severity, State

HERE = Path(__file__).resolve().parent.parent
COMPANIES = 20
KINDS = ("escalation", "sla_response", "sla_resolution")
STEPS = 500
APART = timedelta(milliseconds=40)
TICKS = 300
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds: a tick with nothing due, among few and among all; how late steps were."""

    database: str
    few: float
    many: float
    late_p50: float
    late_p99: float


def measure(incidents: int) -> list[Measured]:
    """On each database that is to be had."""
    found = []
    for name in ("sqlite", "postgresql"):
        with _urls(name) as urls:
            if not urls:
                print("  there is no PostgreSQL here: left out", file=sys.stderr)
                continue
            few = asyncio.run(_run(urls[0], max(100, incidents // 100), steps=0))
            many = asyncio.run(_run(urls[1], incidents, steps=STEPS))
        late = sorted(many[1])
        found.append(Measured(name, few[0], many[0], 1e3 * statistics.median(late), 1e3 * late[int(len(late) * 0.99)]))
        print(f"  {found[-1]}", file=sys.stderr)
    return found


@contextmanager
def _urls(name: str) -> Iterator[list[str]]:
    """Two empty databases with the schema of this version; none where there is no server."""
    with ExitStack() as stack:
        if name == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="siems-bench-"))
            urls = [f"{folder}/{part}.db" for part in ("few", "many")]
        else:
            sys.path.insert(0, str(HERE / "tests"))
            import postgres

            try:
                server = stack.enter_context(postgres.server())
            except RuntimeError:
                yield []
                return
            for part in ("few", "many"):
                postgres.run(server, f"CREATE DATABASE bench_{part}")
            urls = [postgres.text_of(server.set(database=f"bench_{part}")) for part in ("few", "many")]
        for url in urls:
            engine = open_engine(parse_url(url))
            migrations.upgrade(engine)
            engine.dispose()
        yield urls


async def _run(url: str, incidents: int, *, steps: int) -> tuple[float, list[float]]:
    """(milliseconds of a tick with nothing due, seconds that each step was late)."""
    clock = SystemClock()
    _furnish(url, clock, incidents)
    database = Database(url, clock=clock, observers=react, on_commit=lambda done: _heard(loop, scheduler, done))
    loop, scheduler = asyncio.get_running_loop(), Scheduler(database, clock)
    begun = time.perf_counter()
    await asyncio.to_thread(database.start)
    print(f"  {incidents:,} incidents are in memory after {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    scheduler._timer.start()
    spent = []
    for _ in range(TICKS):
        begun = time.perf_counter()
        fired = await scheduler.tick()
        spent.append(time.perf_counter() - begun)
        assert fired == 0
    late = await _late(database, scheduler, clock, incidents, steps) if steps else []
    scheduler.stop()
    await asyncio.to_thread(database.stop)
    return 1e3 * statistics.median(spent), late


def _heard(loop: asyncio.AbstractEventLoop, scheduler: Scheduler, done: Any) -> None:
    if done.earliest_due is not None:
        loop.call_soon_threadsafe(scheduler.expect, done.earliest_due)


async def _late(
    database: Database, scheduler: Scheduler, clock: SystemClock, incidents: int, steps: int
) -> list[float]:
    """Some steps become due one after the other; how late the answer of each was committed."""
    late: list[float] = []
    fire = scheduler._fire

    async def timed(row: Due) -> bool:
        done = await fire(row)
        if done and row.kind == "escalation":
            late.append((clock.now() - row.due_at).total_seconds())
        return done

    scheduler._fire = timed  # type: ignore[method-assign]
    first = clock.now() + timedelta(seconds=2)
    for number in range(steps):
        chosen = 1 + number * (incidents // steps)
        company = f"comp-{chosen % COMPANIES}"
        await database.write(_due_at, company, chosen, first + number * APART, companies=(company,))
    ends = clock.now() + timedelta(seconds=60)
    while len(late) < steps and clock.now() < ends:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert len(late) >= steps, f"{len(late)} of {steps} have fired"
    return late


def _due_at(uow: UnitOfWork, company: str, number: int, at: datetime) -> None:
    from siems.domain.changing import replace
    from siems.services.keeping import save

    before = uow.incidents.get(company, number)
    save(uow, before, replace(before, escalates_at=at))


def _furnish(url: str, clock: SystemClock, incidents: int) -> None:
    """Clients, and open incidents with three deadlines each, by bulk insert."""
    database = Database(url, clock=clock, observers=react)
    database.start()
    settings = CompanySettings()
    database.write_now(setup.prepare, settings, companies=(MSP,))
    for number in range(COMPANIES):
        company = Company(id=f"comp-{number}", name=f"C{number}", created_at=clock.now(), settings=settings)
        database.write_now(store_company, company, companies=(MSP,))
    for begin in range(1, incidents + 1, AT_ONCE):
        database.write_now(_fill, begin, min(begin + AT_ONCE, incidents + 1), companies=(MSP,))
    database.stop()
    engine = open_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE counter SET value = :n WHERE name = 'incident'"), {"n": incidents})
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _fill(uow: UnitOfWork, begin: int, end: int) -> None:
    incidents, rows = [], []
    for number in range(begin, end):
        company = uow.company(f"comp-{number % COMPANIES}")
        incident = _incident(uow, company, number)
        incidents.append(incident_row(incident, uow.weights))
        later = to_micros(uow.now + timedelta(hours=1, milliseconds=number))
        rows += [(incident.ref, kind, company.id, later + 60_000_000 * n, "{}") for n, kind in enumerate(KINDS)]
    uow.run(uow.dialect.insert("incident"), incidents)
    uow.run("INSERT INTO deadline (object, kind, company_id, due_at, payload) VALUES (?, ?, ?, ?, ?)", rows)


def _incident(uow: UnitOfWork, company: CompanyMemory, number: int) -> Incident:
    now, severity = uow.now, Severity.HIGH
    wait = first_wait(company.policy, severity)
    assert wait is not None
    return Incident(
        id=number, company_id=company.id, title=f"Disk full on host-{number}", severity=severity, state=State.OPEN,
        category=Category.DISK, rule="asset|signature", signature=f"disk_full_{number}", created_at=now,
        last_alert_at=now, clocks=sla.begin(company.settings.terms[severity], now=now),
        sla_snapshot=company.sla_snapshot, policy_snapshot=company.policy_snapshot,
        escalates_at=now + timedelta(hours=1, milliseconds=number), assets=(f"host-{number}",), asset_count=1,
        tool_sources=("Datadog",), alert_count=1, active_count=1,
    )  # fmt: skip
