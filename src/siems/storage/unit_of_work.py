"""One batch of verbs in one transaction: what they change, gathered in memory and written at the end.

A verb reads and changes aggregates through the unit of work and tells what happened by `emit`. `settle` lets the
observers of each event react until nothing new happens. Nothing reaches the database before `flush`, which
writes each table once; a verb that fails is taken back from memory by the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from siems.clock import Clock
from siems.domain.correlation import Rules
from siems.domain.escalation import Policy
from siems.domain.events import Event
from siems.domain.incident import Incident
from siems.domain.priority import DEFAULT_WEIGHTS, Weights
from siems.domain.reach import NOWHERE, Reach
from siems.errors import NotFound
from siems.storage.dialect import Dialect
from siems.storage.journal import Journal
from siems.storage.memory import CompanyMemory, Memory, Person
from siems.storage.repositories.advice import Advices
from siems.storage.repositories.alerts import Alerts
from siems.storage.repositories.assets import Assets
from siems.storage.repositories.audit import AuditLog
from siems.storage.repositories.clouds import Clouds
from siems.storage.repositories.deadlines import Deadlines
from siems.storage.repositories.deliveries import Deliveries
from siems.storage.repositories.heartbeats import Heartbeats
from siems.storage.repositories.incidents import Incidents
from siems.storage.repositories.messages import Messages
from siems.storage.repositories.oncall import Oncall
from siems.storage.repositories.outbox import Outbox
from siems.storage.repositories.paging import Pages
from siems.storage.repositories.parents import Parents
from siems.storage.repositories.repeats import Repeats
from siems.storage.repositories.roster import Roster
from siems.storage.repositories.runs import Runs
from siems.storage.repositories.silences import Silences
from siems.storage.repositories.stream import Stream
from siems.storage.repositories.tickets import Tickets
from siems.storage.repositories.timeline import Timeline

Observers = Callable[["UnitOfWork", Event], None]

CHANNEL = "siems_events"
"""On which daemons that share a PostgreSQL tell each other of committed events."""


class UnitOfWork:
    """The door through which verbs see and change everything."""

    def __init__(
        self, connection: Connection, memory: Memory, *, clock: Clock, dialect: Dialect, observers: Observers,
        weights: Weights = DEFAULT_WEIGHTS,
    ) -> None:  # fmt: skip
        self.connection = connection
        self.memory = memory
        self.clock = clock
        self.dialect = dialect
        self.weights = weights
        self.journal = Journal()
        self.now: datetime = clock.now()
        self._observers = observers
        self._events: list[Event] = []
        self._counters_held = False
        self._told = False
        self.loaded: set[str] = set()
        """Companies whose memory was built from this transaction: worthless if it fails."""
        self._inserts: dict[str, list[tuple[Any, ...]]] = {}
        self.earliest_due: datetime | None = None
        self.earliest_send: datetime | None = None
        self.after_commit: list[Callable[[], None]] = []
        self.incidents = Incidents(self)
        self.alerts = Alerts(self)
        self.assets = Assets(self)
        self.clouds = Clouds(self)
        self.repeats = Repeats(self)
        self.heartbeats = Heartbeats(self)
        self.deadlines = Deadlines(self)
        self.deliveries = Deliveries(self)
        self.timeline = Timeline(self)
        self.outbox = Outbox(self)
        self.messages = Messages(self)
        self.silences = Silences(self)
        self.oncall = Oncall(self)
        self.roster = Roster(self)
        self.pages = Pages(self)
        self.parents = Parents(self)
        self.tickets = Tickets(self)
        self.runs = Runs(self)
        self.advice = Advices(self)
        self.audit = AuditLog(self)
        self.stream = Stream(self)

    # --- events ------------------------------------------------------------------------------------------------

    def emit(self, *events: Event) -> None:
        """Tell what happened; observers hear of it in `settle`."""
        self._events.extend(events)

    def settle(self) -> None:
        """Let observers react until nothing new happens."""
        pending = self._events
        observers = self._observers
        index = 0
        while index < len(pending):
            observers(self, pending[index])
            index += 1
        pending.clear()

    def react(self, event: Event) -> None:
        """Let observers of one event react at once."""
        self._observers(self, event)

    def abandon(self, mark: int) -> None:
        """Forget what a failed verb did."""
        self._events.clear()
        self.journal.rollback(mark)

    def take_back(self, mark: int) -> None:
        """As `abandon`, where the database has gone back too: what was locked, told and counted since is not."""
        self.abandon(mark)
        self._told = False
        if self.dialect.shared:
            self._counters_held = False

    # --- what verbs look at ------------------------------------------------------------------------------------

    def company(self, company_id: str) -> CompanyMemory:
        """A company's memory, loaded when the batch began. Raises NotFound."""
        found = self.memory.companies.get(company_id)
        if found is None:
            self.repeats.fold()  # what the database says must be all there is
            self.loaded.add(company_id)
            found = self.memory.load_company(self.connection, company_id)
        if found is None:
            raise NotFound(f"there is no company {company_id}", hint="siems company list")
        return found

    def rules(self, company_id: str) -> Rules:
        return self.company(company_id).rules

    def policy_of(self, incident: Incident) -> Policy:
        """The escalation policy that was in force when an incident opened."""
        return self.memory.policy_named(self.connection, incident.policy_snapshot)

    def people(self) -> Iterable[Person]:
        """Everybody who can log in, by id."""
        if not self.memory.people_loaded:
            self.memory.load_people(self.connection)
        return self.memory.people.values()

    def reach(self, user_id: str) -> Reach:
        """How a person is reached beyond the inbox."""
        self.people()
        return self.memory.reach.get(user_id, NOWHERE)

    def person(self, user_id: str) -> Person | None:
        self.people()
        return self.memory.people.get(user_id)

    # --- numbers -----------------------------------------------------------------------------------------------

    def next_number(self, name: str) -> int:
        """The next number of a kind of object; numbers of a batch that fails are given out again."""
        if not self._counters_held:
            self.hold_counters()
        value = self.memory.counters.get(name, 0) + 1
        self.journal.set(self.memory.counters, name, value)
        return value

    def hold_counters(self) -> None:
        """On PostgreSQL another daemon may give numbers too: one at a time, until its commit."""
        if self.dialect.shared:
            self.connection.execute(text("SELECT pg_advisory_xact_lock(7362, 1)"))
            self.memory.load_counters(self.connection)
        self._counters_held = True
        self._counters_before = dict(self.memory.counters)

    # --- writing -----------------------------------------------------------------------------------------------

    def insert(self, table: str, row: tuple[Any, ...]) -> None:
        """A row for the end of the batch; values in the order of the table's columns."""
        rows = self._inserts.get(table)
        if rows is None:
            rows = self._inserts[table] = []
        self.journal.append(rows, row)

    def run(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """A statement with `?` marks, for many rows, straight by the driver: it is what every batch waits for.

        Raises DBAPIError, as SQLAlchemy would.
        """
        if not rows:
            return
        errors = self.connection.dialect.dbapi.Error  # type: ignore[union-attr]
        cursor = self.connection.connection.cursor()
        try:
            cursor.executemany(self.dialect.marks(statement), rows)
        except errors as why:
            raise DBAPIError.instance(statement, None, why, errors, dialect=self.connection.dialect) from why
        finally:
            cursor.close()

    def flush(self, *, fold: bool = False) -> None:
        """Write what the verbs so far have changed. Each table is written once, in an order that never varies.

        With `fold` nothing is left for later, so that the database says all there is.
        """
        if fold or self.repeats.due:
            self.repeats.fold()
        self.repeats.flush()
        self.incidents.flush()
        self.alerts.flush()
        self.heartbeats.flush()
        self.roster.flush()
        self.deadlines.flush()
        self.tickets.flush()
        self.advice.flush()
        self.audit.flush()
        self.stream.flush()
        for table in sorted(self._inserts):
            rows = self._inserts[table]
            if rows:
                self.run(self.dialect.insert(table), rows)
                self._inserts[table] = []
        self.outbox.flush()
        self.messages.flush()
        if self.dialect.shared and self.stream.published and not self._told:
            self.connection.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))
            self._told = True
        if self._counters_held:
            before = self._counters_before
            moved = [(v, n) for n, v in sorted(self.memory.counters.items()) if before.get(n) != v]
            self.run("UPDATE counter SET value = ? WHERE name = ?", moved)
            for value, name in moved:
                self.journal.set(before, name, value)
