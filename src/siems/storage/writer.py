"""The writer: one thread that drains the lanes into group commits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, bindparam, text
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from siems.clock import Clock
from siems.domain.priority import Weights
from siems.errors import InvalidField, SiemsError, Unavailable
from siems.histogram import Histogram
from siems.storage.dialect import Dialect, dropped, unavailable
from siems.storage.lanes import Job, Lanes
from siems.storage.memory import Memory
from siems.storage.repositories.repeats import FOLD_QUIET_SECONDS
from siems.storage.repositories.stream import Published
from siems.storage.unit_of_work import Observers, UnitOfWork
from siems.vocabulary import MSP

log = structlog.get_logger()

BATCH_VERBS = 500
AILING_SECONDS = 2.0
"""How long nothing is tried that nobody has asked for, after the database did not answer."""
BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch leaves for those who listen."""

    events: tuple[Published, ...]
    earliest_due: datetime | None
    earliest_send: datetime | None = None


def tidy() -> Job:
    """A verb that changes nothing: like every verb of a person it begins with all that was put off written."""
    return Job(lambda uow: None, (), (MSP,), False, None, told=False)


class Writer:
    """The one thread that writes."""

    def __init__(
        self, engine: Engine, memory: Memory, *, clock: Clock, dialect: Dialect, observers: Observers,
        weights: Weights, on_commit: Callable[[Committed], None] | None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._memory = memory
        self._clock = clock
        self._dialect = dialect
        self._observers = observers
        self._weights = weights
        self._on_commit = on_commit
        self.lanes = Lanes()
        self.sizes = Histogram(BATCH_SIZES)
        self.seconds = Histogram(BATCH_SECONDS)
        self.recovery: Callable[[Connection], None] | None = None
        """What has to be written before anything else, since there was no room for it at the start."""
        self._patience = FOLD_QUIET_SECONDS
        self._committing = False
        """Whether the last try came as far as COMMIT: what became of it is then not known."""
        self._thread = threading.Thread(target=self._run, name="siems-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what waits and what was put off, then end."""
        self.lanes.close(last=tidy())
        if self._thread.is_alive():
            self._thread.join()

    def put(self, job: Job) -> None:
        self.lanes.put(job)

    def alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    # --- the loop ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        last = 1
        while (job := self._wait()) is not None:
            if job.ingest:
                self.lanes.gather(last)
            batch = [job, *self._more()]
            last = len(batch)
            try:
                self._write(batch)
            except Exception as why:
                log.exception("writer.failed", verbs=len(batch))
                for job in batch:
                    job.result, job.error = None, job.error or why
            failed = any(isinstance(job.error, Unavailable) for job in batch)
            self._patience = AILING_SECONDS if failed else FOLD_QUIET_SECONDS
            self._answer(batch)

    def _wait(self) -> Job | None:
        """The next verb; in a moment of quiet, one that does nothing but let what was put off be written."""
        quiet = self._patience if self._memory.repeated or self.recovery else None
        try:
            return self.lanes.wait(quiet)
        except TimeoutError:
            return tidy()

    def _more(self) -> Iterator[Job]:
        """What else waits now, up to a batch."""
        for _ in range(BATCH_VERBS - 1):
            job = self.lanes.take()
            if job is None:
                return
            yield job

    def _write(self, batch: list[Job]) -> None:
        started = time.perf_counter()
        try:
            try:
                self._attempt(batch)
            except DBAPIError as why:
                if self._committing or not dropped(why):
                    raise
                log.warning("writer.again", verbs=len(batch), why=repr(why.orig))
                for job in batch:
                    job.result = job.error = None
                self._attempt(batch)
        except Exception as why:
            if len(batch) == 1 or isinstance(why, OperationalError):  # the database ails, not a verb
                self._fail(batch, why)
                return
            log.warning("writer.replay", verbs=len(batch), why=str(why))
            for job in batch:
                job.result = job.error = None
                try:
                    self._attempt([job])
                except Exception as again:
                    self._fail([job], again)
        finally:
            spent = time.perf_counter() - started
            self.sizes.observe(len(batch))
            self.seconds.observe(spent)
            if spent > 1.0:
                log.warning("writer.slow", seconds=round(spent, 3), verbs=len(batch))

    def _fail(self, batch: list[Job], why: Exception) -> None:
        """Nothing of these was committed, so none of them keeps its answer."""
        log.error("writer.refused", why=repr(why.orig if isinstance(why, DBAPIError) else why), verbs=len(batch))
        error: Exception = unavailable(why) if isinstance(why, DBAPIError) else why
        if isinstance(why, DataError):  # the value is at fault, and will be tomorrow
            error = InvalidField("a value is too long or too large to be kept")
        for job in batch:
            job.result, job.error = None, error

    def _attempt(self, batch: list[Job]) -> None:
        """One transaction for these verbs; memory follows it, both ways."""
        uow: UnitOfWork | None = None
        self._committing = False
        try:
            with self._engine.begin() as connection:
                if self.recovery is not None:
                    self.recovery(connection)
                uow = UnitOfWork(
                    connection, self._memory, clock=self._clock, dialect=self._dialect,
                    observers=self._observers, weights=self._weights,
                )  # fmt: skip
                companies = self._hold(connection, batch)
                uow.deliveries.look_up(job.delivery for job in batch if job.delivery is not None)
                for job in batch:
                    self._verb(uow, job)
                uow.flush()
                self._moved(connection, companies)
                self._committing = True
        except BaseException:
            if uow is not None:
                for company_id in uow.loaded:
                    self._memory.companies.pop(company_id, None)
                uow.abandon(0)  # after that: what a verb had dropped comes back
            self._memory.folding = False
            self._memory.people_loaded.clear()
            self._memory.rota_loaded.clear()
            if self._dialect.shared:
                self._memory.companies.clear()
            raise
        self.recovery = None
        uow.journal.forget()
        try:
            for done in uow.after_commit:
                done()
            if self._on_commit is not None:
                self._on_commit(Committed(tuple(uow.stream.published), uow.earliest_due, uow.earliest_send))
        except Exception:  # it is committed: nobody may be told otherwise
            log.exception("writer.not_told", verbs=len(batch))

    def _verb(self, uow: UnitOfWork, job: Job) -> None:
        """Run one verb. What people and due rows do may ask the database, so it has a savepoint of its own."""
        if not job.ingest:
            uow.flush(fold=True)  # what cannot be written is another verb's fault
        mark = uow.journal.mark()
        uow.now = self._clock.now()
        try:
            if job.ingest:
                job.result = job.fn(uow, *job.args)
                uow.settle()
                return
            with uow.connection.begin_nested():
                job.result = job.fn(uow, *job.args)
                uow.settle()
                uow.flush()
            return
        except DBAPIError:
            uow.abandon(mark)
            raise
        except SiemsError as refused:
            job.result, job.error = None, refused
        except Exception as bug:
            log.exception("verb.failed", verb=getattr(job.fn, "__name__", "?"))
            job.result, job.error = None, bug
        if job.ingest:
            uow.abandon(mark)
        else:
            uow.take_back(mark)

    # --- several daemons ---------------------------------------------------------------------------------------

    def _hold(self, connection: Connection, batch: list[Job]) -> list[str]:
        """Take the companies of the batch for this transaction, and reload what another daemon has changed."""
        companies = sorted({company for job in batch for company in job.companies} | {MSP})
        if not self._dialect.shared:
            return companies
        for company in companies:
            connection.execute(text("SELECT pg_advisory_xact_lock(7361, hashtext(:c))"), {"c": company})
        rows = connection.execute(
            text("SELECT id, cache_version FROM company WHERE id IN :ids").bindparams(bindparam("ids", expanding=True)),
            {"ids": companies},
        )
        for company_id, version in rows:
            known = self._memory.companies.get(company_id)
            if known is None or known.version != version:
                self._memory.load_company(connection, company_id)
        return companies

    def _moved(self, connection: Connection, companies: list[str]) -> None:
        """Tell other daemons that their memory of these companies is out of date."""
        if not self._dialect.shared:
            return
        connection.execute(
            text("UPDATE company SET cache_version = cache_version + 1 WHERE id IN :ids").bindparams(
                bindparam("ids", expanding=True)
            ),
            {"ids": companies},
        )
        for company_id in companies:
            known = self._memory.companies.get(company_id)
            if known is not None:
                known.version += 1

    # --- answering ---------------------------------------------------------------------------------------------

    def _answer(self, batch: list[Job]) -> None:
        """Wake whoever waits: once per event loop for the whole batch."""
        loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        for job in batch:
            if job.done is not None:
                job.done.set()
            if job.loop is not None:
                loops.setdefault(job.loop, []).append(job)
        for loop, jobs in loops.items():
            try:
                loop.call_soon_threadsafe(_resolve, jobs)
            except RuntimeError:  # the loop has ended; nobody waits there any more
                log.warning("writer.nobody_waits", verbs=len(jobs))


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        future = job.future
        if future is None or future.done():
            continue
        try:
            if job.error is not None:
                future.set_exception(job.error)
            else:
                future.set_result(job.result)
        except Exception:  # one who cannot be told must not keep the others waiting
            log.exception("writer.not_told", verbs=1)
