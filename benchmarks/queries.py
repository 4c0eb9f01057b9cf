"""What lists, searches and reports cost over a million alerts: wall time, CPU, and what SQLite had to look at."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, event

from benchmarks import year
from benchmarks.servers import resident_over
from siems.clock import SystemClock
from siems.domain.permissions import Actor
from siems.services import alert_list, analytics, queries, search
from siems.services.analytics import Asked
from siems.services.analytics_sql import Range
from siems.storage.database import open_engine, parse_url
from siems.vocabulary import Role

HERE = Path(__file__).resolve().parent.parent
ADMIN = Actor("user-root", "root", Role.ADMIN)
ANA = Actor("user-p1", "p1", Role.TECHNICIAN, frozenset(f"comp-{n}" for n in range(0, year.COMPANIES, 3)))
STEP = 1_000
Question = Callable[[Connection, int], Any]


@dataclass(frozen=True, slots=True)
class Spent:
    """One question, asked some times. `steps`: thousands of instructions of SQLite's machine, at most; 0 elsewhere."""

    database: str
    name: str
    p50: float
    p95: float
    cpu: float
    steps: int
    aim: float

    @property
    def line(self) -> str:
        late = "" if self.p95 < self.aim else "  <- missed"
        return (
            f"{self.database:10} {self.name:52} p50 {self.p50:8.1f}  p95 {self.p95:8.1f}  cpu {self.cpu:8.1f} ms"
            f"  {self.steps:9,}k steps  aim {self.aim:.0f}{late}"
        )


def measure(alerts: int, rounds: int, url: str = "") -> tuple[list[Spent], float]:
    """Fill a database of each kind, or take one that is filled, and ask it everything; megabytes of a daemon over
    the last one that is a file."""
    size = year.Size(alerts, max(100, alerts // 10), max(10, alerts // 100))
    found, megabytes = list[Spent](), 0.0
    with ExitStack() as stack:
        for name, at in [("given", url)] if url else list(_urls(stack)):
            if not url:
                year.fill(at, size)
            found += _asked(name, at, size, rounds)
            megabytes = resident_over(at) if "://" not in at else megabytes
    return found, megabytes


def _urls(stack: ExitStack) -> Iterator[tuple[str, str]]:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="siems-bench-"))
    yield "sqlite", f"{folder}/year.db"
    sys.path.insert(0, str(HERE / "tests"))
    import postgres

    try:
        server = stack.enter_context(postgres.server())
    except RuntimeError:
        print("  there is no PostgreSQL here: left out", file=sys.stderr)
        return
    postgres.run(server, "CREATE DATABASE bench_year")
    yield "postgresql", postgres.text_of(server.set(database="bench_year"))


def _asked(database: str, url: str, size: year.Size, rounds: int) -> list[Spent]:
    engine = open_engine(parse_url(url), read_only=url.find("://") < 0)
    found = []
    with _counting(engine) as steps:
        for name, aim, question in questions(size, SystemClock().now()):
            found.append(_ask(database, engine, name, aim, question, rounds, steps))
            print(f"  {found[-1].line}", file=sys.stderr)
    engine.dispose()
    return found


def _ask(
    database: str, engine: Any, name: str, aim: float, question: Question, rounds: int, steps: list[int]
) -> Spent:  # fmt: skip
    walls, cpus, most = [], [], 0
    for number in range(rounds + 1):
        with engine.connect() as connection:
            steps[0] = 0
            began, cpu = time.perf_counter(), time.thread_time()
            msgspec.json.encode(question(connection, number))
            walls.append(1e3 * (time.perf_counter() - began))
            cpus.append(1e3 * (time.thread_time() - cpu))
            most = max(most, steps[0])
        if number and sum(walls) > 8_000:  # it is slow, and that is known by now
            break
    walls, cpus = sorted(walls[1:]), cpus[1:]
    p95 = walls[min(len(walls) - 1, int(len(walls) * 0.95))]
    return Spent(database, name, statistics.median(walls), p95, statistics.median(cpus), most, aim)


@contextmanager
def _counting(engine: Any) -> Iterator[list[int]]:
    """What SQLite looks at, in thousands of instructions: a measure that no neighbour can move."""
    steps = [0]
    if engine.dialect.name == "sqlite":

        def tick() -> int:
            steps[0] += 1
            return 0

        @event.listens_for(engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            connection.set_progress_handler(tick, STEP)

    yield steps


# --- what is asked ---------------------------------------------------------------------------------------------

_INCIDENTS = (
    "", "state:OPEN,ASSIGNED", "state:OPEN severity:>=HIGH", "company:comp-{c}", "company:comp-{c} state:OPEN",
    "state:OPEN assignee:none", "assignee:@me state:ASSIGNED", "severity:CRITICAL", "category:database",
    "asset:web-{a:03d}", "signature:{s}", "source:zabbix", "title:postgres", "priority_score:>=80 state:OPEN",
    "escalation_level:>=2", "alert_count:>5", "on_hold:true", "flapping:true", "acknowledged:false state:OPEN",
    "created:<1d", "created:>30d", "resolved:<7d", "resolved_by:user-p{p}", "cause:vendor", "sla:breached",
    "sla:<1h", "sla:paused", "recurrence_of:INC-{n}", "id:INC-{n}", '"postgres down"', "(severity:LOW OR state:OPEN)",
    "-category:database state:OPEN",
)  # fmt: skip
_ALERTS = (
    "", "status:active", "status:active severity:>=HIGH", "company:comp-{c}", "company:comp-{c} status:active",
    "severity:CRITICAL", "status:suppressed", "suppressed_by:SIL-1", "asset:web-{a:03d}", "signature:{s}",
    "message:basket", "message:{serial}", "source:zabbix", "incident:INC-{n}", "id:ALR-{n}", "count:>5",
    "fingerprint:{n:024x}", "received:<1d", "received:>300d", "last_seen:<1h", '"refuses new sessions"', "{serial}",
    "-source:zabbix severity:HIGH",
)  # fmt: skip
_WORDS = (
    "basket", "postgres", "web-{a:03d}", "{serial}", '"mail service" queue', "sess*", "replication -basket",
    "nightly ended code", "INC-{n}", "nosuchword",
)  # fmt: skip


def questions(size: year.Size, now: datetime) -> Iterator[tuple[str, float, Question]]:
    """(name, aim in milliseconds, question): the number that it is called with varies what is looked for."""

    def said(query: str, number: int) -> str:
        n = 1 + number * 7919 % size.incidents
        serial = f"{(7 * (number * 1_009 % (size.alerts // 7)) + 6) * 7919 % 10_000_019:08d}"
        return query.format(
            c=number % year.COMPANIES, a=number * 37 % year.ASSETS, s=year.signature_of(n), n=n, p=number % 12,
            serial=serial,
        )  # fmt: skip

    def listed(fn: Any, actor: Actor, query: str, sort: str = "", pages: int = 1) -> Question:
        def ask(connection: Connection, number: int) -> Any:
            found = fn(connection, queries.Ask(actor, now, said(query, number), sort, 50))
            for _ in range(pages - 1):
                more = queries.Ask(actor, now, said(query, number), sort, 50, found.next or "")
                found = fn(connection, more)
            return found

        return ask

    for query in _INCIDENTS:
        yield f"incidents {query}", 20, listed(queries.list_incidents, ADMIN, query)
    for sort in ("-priority_score", "-created_at", "-last_alert_at", "-severity", "-id"):
        yield f"incidents state:OPEN by {sort}", 20, listed(queries.list_incidents, ADMIN, "state:OPEN", sort)
        yield f"incidents by {sort}", 20, listed(queries.list_incidents, ADMIN, "", sort)
    yield "incidents state:OPEN of a technician", 20, listed(queries.list_incidents, ANA, "state:OPEN")
    yield "incidents of a technician", 20, listed(queries.list_incidents, ANA, "")
    for query in _ALERTS:
        yield f"alerts {query}", 20, listed(alert_list.list_alerts, ADMIN, query)
    yield "alerts of a technician", 20, listed(alert_list.list_alerts, ANA, "")
    yield "alerts severity:CRITICAL of a technician", 20, listed(alert_list.list_alerts, ANA, "severity:CRITICAL")
    yield "five pages of alerts severity:HIGH", 100, listed(alert_list.list_alerts, ADMIN, "severity:HIGH", "", 5)
    yield "five pages of incidents state:OPEN", 100, listed(queries.list_incidents, ADMIN, "state:OPEN", "", 5)
    for who, actor in (("", ADMIN), (" by a technician", ANA)):
        for query in _WORDS:
            yield f"search {query}{who}", 50, _search(actor, said, query)
    yield from _reports(now)


def _search(actor: Actor, said: Callable[[str, int], str], query: str) -> Question:
    return lambda connection, number: search.search(connection, actor, said(query, number))


def _reports(now: datetime) -> Iterator[tuple[str, float, Question]]:
    year_of = Range(now - timedelta(days=365), now)
    half = Range(now - timedelta(days=182), now)

    def report(kind: str, by: str, span: Range = year_of, compare: Range | None = None, **more: Any) -> Question:
        asked = Asked(kind=kind, span=span, by=by, compare=compare, **more)
        return lambda connection, number: analytics.report(connection, ADMIN, now, asked)

    from siems.domain.measures import REPORTS

    for kind in (one for one in REPORTS if one != "causes"):  # counted by a query of its own
        yield f"a year's {kind} by company", 200, report(kind, "company")
    for by in ("technician", "severity", "tool", "hour", "day", "weekhour"):
        yield f"a year's summary by {by}", 200, report(next(iter(REPORTS)), by)
    yield "a year's summary of one client", 200, report(next(iter(REPORTS)), "day", company="comp-1")
    before = Range(now - timedelta(days=364), now - timedelta(days=182))
    yield "half a year against the one before", 200, report(next(iter(REPORTS)), "company", half, before)
