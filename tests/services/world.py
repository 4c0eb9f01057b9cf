"""A small MSP in a real database, with hands on it: alerts come in, people act, time passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from siems.clock import ManualClock, from_micros
from siems.domain.alert import Read, Reading
from siems.domain.company import CompanySettings
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM, Actor
from siems.services import companies, ingest, queries, setup, users
from siems.services import incidents as verbs
from siems.services.deadlines import fire
from siems.services.incidents import Acted
from siems.services.observers import react
from siems.storage import tables as t
from siems.storage.database import Database
from siems.storage.repositories.deadlines import due_rows
from siems.storage.vault import Vault
from siems.storage.writer import Committed, Job
from siems.vocabulary import MSP, Action, Role, Severity
from siems.wire import ActAsk, CompanyEdit, OnboardAsk, UserAsk

VAULT = Vault(b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
ROOT = Actor("user-root", "root", Role.ADMIN)
ACME, BETA = "comp-acme", "comp-beta"


def reading(asset: str = "web-1", signature: str = "high_cpu", severity: str = "HIGH", **more: Any) -> Reading:
    facts: dict[str, Any] = {
        "asset_name": asset, "signature": signature, "severity": Severity[severity],
        "original_severity": severity.lower(), "message": f"{signature} on {asset}", "tool_source": "Datadog",
    }  # fmt: skip
    return Reading(**(facts | more))


def _next_due(connection: Connection) -> datetime | None:
    at = select(func.min(t.deadline.c.due_at)).where(t.deadline.c.kind != "housekeeping")
    found = connection.execute(at).scalar()
    return found if found is None or isinstance(found, datetime) else from_micros(found)


class World:
    """Acme and Beta, an admin, and whoever else a test hires."""

    def __init__(self, url: str, clock: ManualClock, *, furnished: bool = False) -> None:
        self.url = url
        self.clock = clock
        self.committed: list[Committed] = []
        self.database = self._open()
        self.admin = ROOT
        if furnished:
            return
        self.do(setup.prepare, CompanySettings(), companies=(MSP,))
        self.hire("root", Role.ADMIN)
        for name in ("Acme", "Beta"):
            self.onboard(name)

    def _open(self) -> Database:
        database = Database(self.url, clock=self.clock, observers=react, on_commit=self.committed.append)
        database.start()
        return database

    def stop(self) -> None:
        self.database.stop()

    def restart(self) -> None:
        """All that the writer remembers is gone; what it says afterwards comes from the database."""
        self.database.stop()
        self.database = self._open()

    # --- people and companies ----------------------------------------------------------------------------------

    def hire(self, name: str, role: Role, *scope: str) -> Actor:
        ask = UserAsk(name=name, email=f"{name}@msp.example", role=role.value, password="", companies=list(scope))
        user_id = self.do(users.create, SYSTEM, ask, "no hash matches this", companies=(MSP,))
        return Actor(user_id, name, role, frozenset(scope))

    def onboard(self, name: str) -> str:
        made = self.do(
            companies.onboard, ROOT, OnboardAsk(name=name), VAULT, CompanySettings(), "http://here", companies=(MSP,)
        )
        return str(made.company_id)

    def settings(self, company: str = ACME, **changes: Any) -> None:
        self.do(companies.edit, ROOT, company, CompanyEdit(**changes), companies=(company,))

    # --- doing things ------------------------------------------------------------------------------------------

    def do(self, verb: Callable[..., Any], *args: Any, companies: Sequence[str] = (ACME,)) -> Any:
        return self.database.write_now(verb, *args, companies=companies)

    def job(self, *readings: Reading, company: str = ACME, delivery: str | None = None, body: bytes = b"{}") -> Job:
        """The verb that a webhook would put on the queue."""
        incoming = ingest.Incoming(
            company_id=company, source="generic", read=Read(readings, many=len(readings) > 1), raw=body,
            delivery_id=delivery, body_hash=sha256(body).digest(),
        )  # fmt: skip
        return Job(ingest.accept, (incoming,), (company,), True, incoming.key)

    def take(self, *readings: Reading, **how: Any) -> dict[str, Any]:
        """A webhook's answer."""
        job = self.job(*readings, **how)
        self.database.writer.put(job)
        return dict(msgspec.json.decode(job.wait()))

    def fires(self, asset: str = "web-1", signature: str = "high_cpu", severity: str = "HIGH", **more: Any) -> Any:
        """One alert; the answer to it."""
        how = {key: more.pop(key) for key in ("company", "delivery", "body") if key in more}
        return self.take(reading(asset, signature, severity, **more), **how)

    def recovers(self, asset: str = "web-1", signature: str = "high_cpu", **more: Any) -> Any:
        return self.fires(asset, signature, firing=False, **more)

    @contextmanager
    def one_batch(self) -> Any:
        """Jobs that are put in here run in one transaction, behind a verb that waits for the end of the block."""
        begun, go = threading.Event(), threading.Event()

        def wait(uow: Any) -> None:
            begun.set()
            assert go.wait(10)

        self.database.writer.put(Job(wait, (), (MSP,), False, None))
        assert begun.wait(10)
        # the waiting verb is a batch of its own; what comes meanwhile is the next one
        jobs: list[Job] = []
        try:
            yield jobs
            for job in jobs:
                self.database.writer.put(job)
        finally:
            go.set()
        for job in jobs:
            assert job.done.wait(10)

    def act(self, actor: Actor, action: str, ref: str = "INC-1", *, company: str = ACME, **ask: Any) -> Acted:
        number = int(ref.removeprefix("INC-"))
        found = self.do(verbs.act, actor, Action(action), company, number, ActAsk(**ask), companies=(company,))
        assert isinstance(found, Acted)
        return found

    # --- time --------------------------------------------------------------------------------------------------

    def tick(self) -> list[tuple[str, str]]:
        """Fire what is due, until nothing is; (object, kind) of what fired."""
        fired = []
        while due := self.database.read_now(due_rows, self.clock.now()):
            fired += [row for row in due if self.do(fire, row, companies=(row.company_id,))]
        return [(row.object, row.kind) for row in fired if row.kind != "housekeeping"]

    def passes(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> list[tuple[str, str]]:
        """Time passes as it does: each due row fires at its own moment.

        But for housekeeping, which is due every few minutes: it fires with the next row that is, and at the end.
        """
        end = self.clock.now() + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        fired = []
        while (due := self.database.read_now(_next_due)) is not None and due <= end:
            self.clock.advance(seconds=max(0.0, (due - self.clock.now()).total_seconds()))
            fired += self.tick()
        self.clock.advance(seconds=(end - self.clock.now()).total_seconds())
        return fired + self.tick()

    # --- looking -----------------------------------------------------------------------------------------------

    def incident(self, ref: str = "INC-1") -> Incident:
        return self.database.read_now(queries.find_incident, ref, self.admin)

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """What the database says, by column."""
        found = self.database.read_now(lambda c: c.execute(text(statement), values).mappings().all())
        return [dict(row) for row in found]

    def count(self, table: str, where: str = "1 = 1") -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0]["n"])

    def story(self, ref: str = "INC-1") -> list[str]:
        """The lines of an incident's timeline, oldest first."""
        number = int(ref.removeprefix("INC-"))
        lines = self.rows("SELECT text FROM timeline WHERE incident_id = :n AND kind <> 'stand' ORDER BY id", n=number)
        return [line["text"] for line in lines]

    def notices(self, event: str, ref: str = "INC-1") -> set[str]:
        """Who was told of this kind of event."""
        found = self.rows("SELECT user_id FROM notification WHERE event = :e AND object = :o", e=event, o=ref)
        return {row["user_id"] for row in found}

    def deadlines(self, ref: str = "INC-1") -> dict[str, datetime]:
        found = self.rows("SELECT kind, due_at FROM deadline WHERE object = :o", o=ref)
        return {row["kind"]: from_micros(row["due_at"]) for row in found}
