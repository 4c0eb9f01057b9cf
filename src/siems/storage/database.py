"""Engines, and the two doors to the data: `read(fn)` on reader threads, `write(fn)` through the writer's queue.

The writer thread drains its queue into one transaction and commits once for all verbs of the batch (group
commit). A verb that fails is taken back alone; a batch that fails is replayed verb by verb.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from siems.clock import Clock
from siems.domain.priority import DEFAULT_WEIGHTS, Weights
from siems.errors import Unavailable, UsageError
from siems.storage import tables as t
from siems.storage.dialect import Dialect, disk_full, dropped, translated
from siems.storage.lanes import Job
from siems.storage.memory import Memory
from siems.storage.repositories.repeats import recover
from siems.storage.unit_of_work import Observers
from siems.storage.write_back import LOG_PAGES, WriteBack
from siems.storage.writer import Committed, Writer, tidy
from siems.vocabulary import MSP

R = TypeVar("R")

BUSY_MILLISECONDS = 5_000
STANDSTILL_MILLISECONDS = 5_000
"""For how long a transaction on PostgreSQL may do nothing."""
MUCH = 0.25
"""When the writer works for this part of the time, alerts and people come first."""
FOLD_AT_MOST_SECONDS = 0.5
"""How long a read waits for counters that were put off, where the file is locked or the disk ails."""


def parse_url(text: str) -> URL:
    """A database URL; a plain path means SQLite. Raises UsageError for what is neither."""
    if "://" not in text:
        return URL.create("sqlite+pysqlite", database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except Exception as why:
        raise UsageError(
            "database.url cannot be understood", hint="write a path, or postgresql://user@host/name"
        ) from why
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername.startswith(("sqlite", "postgresql+psycopg")):
        return url
    raise UsageError(
        f"database.url names {url.drivername}, which siems does not speak",
        hint="write a path for SQLite, or postgresql://user@host/name",
    )


def open_engine(url: URL, *, read_only: bool = False, gives_way: bool = False) -> Engine:
    """An engine with the settings that siems relies on. `gives_way`: a transaction that stands still is ended."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"check_same_thread": False})
        _prepare_sqlite(engine, read_only=read_only)
        return engine
    engine = create_engine(url, pool_size=6, max_overflow=2, pool_pre_ping=True, pool_recycle=1_800)
    if gives_way:
        _let_others_go_on(engine)
    return engine


def _let_others_go_on(engine: Engine) -> None:
    """A daemon that stands still in the middle of a transaction loses it, and its locks: the others wait for them."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SET idle_in_transaction_session_timeout = {STANDSTILL_MILLISECONDS}")
        connection.autocommit = False


def _prepare_sqlite(engine: Engine, *, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: the driver's own would be deferred
        for pragma in (
            f"busy_timeout = {BUSY_MILLISECONDS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -1000" if read_only else "cache_size = -4000",
            "temp_store = MEMORY",
            "wal_autocheckpoint = 0" if read_only else f"wal_autocheckpoint = {LOG_PAGES}",
            *(("query_only = ON",) if read_only else ()),
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class Database:
    """One database, as the daemon and the tests use it."""

    def __init__(
        self, url: str, *, clock: Clock, observers: Observers, weights: Weights = DEFAULT_WEIGHTS,
        on_commit: Callable[[Committed], None] | None = None,
    ) -> None:  # fmt: skip
        self.url = parse_url(url)
        backend = self.url.get_backend_name()
        self.dialect = Dialect("sqlite" if backend == "sqlite" else "postgresql", shared=backend != "sqlite")
        self.clock = clock
        self.weights = weights
        self.memory = Memory()
        self._write_engine = open_engine(self.url, gives_way=True)
        self._read_engine = open_engine(self.url, read_only=True) if backend == "sqlite" else self._write_engine
        self._readers = ThreadPoolExecutor(max_workers=3, thread_name_prefix="siems-read")
        self.writer = Writer(
            self._write_engine, self.memory, clock=clock, dialect=self.dialect, observers=observers,
            weights=weights, on_commit=on_commit,
        )  # fmt: skip
        self._write_back: WriteBack | None = None

    def start(self) -> None:
        """Load what the writer remembers and begin to take verbs. Raises Unavailable."""
        with translated():
            try:
                self._begin()
            except DBAPIError as why:
                if not dropped(why):
                    raise
                self._begin()  # nothing was written on the connection that was lost
        self.writer.start()
        if not self.dialect.shared:
            self._write_back = WriteBack(self._read_engine, lambda: self.writer.sizes.sum)
            self._write_back.start()

    def _begin(self) -> None:
        if not self._recovered():
            self.writer.recovery = self._recover
        with self._write_engine.begin() as connection:
            self._load(connection)

    def _recovered(self) -> bool:
        """Whether the counters that a process has left in the log are in their rows now. A disk that is full must not
        keep the daemon from starting: then the writer does it, before it writes anything else."""
        if self.dialect.shared:
            return True
        try:
            with self._write_engine.begin() as connection:
                recover(connection, self.weights)
        except OperationalError as why:
            if not disk_full(why):
                raise
            return False
        return True

    def _recover(self, connection: Connection) -> None:
        recover(connection, self.weights)
        self._load(connection)

    def _load(self, connection: Connection) -> None:
        self.memory.load_counters(connection)
        for (company_id,) in connection.execute(t.company.select().with_only_columns(t.company.c.id)):
            self.memory.load_company(connection, company_id)
        self.memory.load_people(connection)

    def stop(self) -> None:
        """Finish what is queued, then close."""
        self.writer.stop()
        if self._write_back is not None:
            self._write_back.stop()
        self._readers.shutdown(wait=True)
        self._read_engine.dispose()
        self._write_engine.dispose()

    # --- reading -----------------------------------------------------------------------------------------------

    def read_now(self, fn: Callable[..., R], *args: Any) -> R:
        """`fn(connection, *args)` in a read transaction, on this thread; sees all that was answered before."""
        if self._put_off() and self.writer.alive():
            with contextlib.suppress(Unavailable):
                self.write_now(tidy().fn, companies=(MSP,))
        return self._read(fn, *args)

    def _put_off(self) -> bool:
        """Whether counters that were answered are not in their rows yet, or are being written at this moment."""
        waiting = self.memory.repeated or self.memory.folding or self.writer.recovery
        return bool(waiting) and not self.dialect.shared

    def _read(self, fn: Callable[..., R], *args: Any) -> R:
        with translated(), self._read_engine.connect() as connection:
            return fn(connection, *args)

    async def read(self, fn: Callable[..., R], *args: Any) -> R:
        """`fn(connection, *args)` in a read transaction, on a reader thread; sees all that was answered before."""
        if self._put_off():
            with contextlib.suppress(Unavailable, TimeoutError):  # counters of a moment ago are better than none
                async with asyncio.timeout(FOLD_AT_MOST_SECONDS):
                    await self.write(tidy().fn, companies=(MSP,))
        return await self.peek(fn, *args)

    async def peek(self, fn: Callable[..., R], *args: Any) -> R:
        """As `read`, for what no counter of repeats matters to."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn, *args)

    # --- writing -----------------------------------------------------------------------------------------------

    async def write(
        self, fn: Callable[..., R], *args: Any, companies: Sequence[str], ingest: bool = False,
        delivery: tuple[str, str, str] | None = None, size: int = 0,
    ) -> R:  # fmt: skip
        """`fn(uow, *args)` in the next batch; returns after the commit. Raises what the verb raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self.writer.put(Job(fn, args, tuple(companies), ingest, delivery, size=size, loop=loop, future=future))
        return await future

    async def give_way(self, seconds: float, *, longest: float) -> None:
        """Rest for so long, or for `longest` where the writer has much to do meanwhile: for work that can wait."""
        before = self.writer.seconds.sum
        await asyncio.sleep(seconds)
        if self.writer.seconds.sum - before > MUCH * seconds:
            await asyncio.sleep(longest - seconds)

    def write_now(self, fn: Callable[..., R], *args: Any, companies: Sequence[str]) -> R:
        """The same from a thread that has no event loop: tests, and commands that run beside the daemon."""
        job = Job(fn, args, tuple(companies), False, None)
        self.writer.put(job)
        result: R = job.wait()
        return result
