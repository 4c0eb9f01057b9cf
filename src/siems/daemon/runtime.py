"""The composition root: the one room that knows everyone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from siems import __version__
from siems.clock import Clock
from siems.config import Settings
from siems.daemon import sightings
from siems.daemon.advising import Advising
from siems.daemon.amazon import Amazon
from siems.daemon.checkpointing import Checkpoints
from siems.daemon.delivering import Delivering
from siems.daemon.feeding import Feeding
from siems.daemon.hub import Hub
from siems.daemon.intake import Intake
from siems.daemon.keyring import Keyring
from siems.daemon.limits import Limiter
from siems.daemon.pulling import Pulls
from siems.daemon.reading import ReadingTexts
from siems.daemon.refusals import Refusals, left_over, write
from siems.daemon.repliers import Repliers
from siems.daemon.running import Running
from siems.daemon.scheduler import Scheduler
from siems.daemon.sightings import Sightings
from siems.daemon.ticketing import Ticketing
from siems.daemon.traffic import Traffic
from siems.daemon.watch import Watch
from siems.domain.company import CompanySettings
from siems.domain.correlation import Rules
from siems.domain.retention import Retention
from siems.errors import SiemsError
from siems.outward import Guard
from siems.services import setup
from siems.services.observers import react
from siems.services.views import load_names
from siems.storage.database import Database
from siems.storage.vault import Vault
from siems.storage.writer import Committed
from siems.vocabulary import MSP, Strategy

if TYPE_CHECKING:
    from siems.daemon.mail import Listening

log = structlog.get_logger()

REFUSALS_EVERY = 1.0
SIGHTINGS_EVERY = 3.0
SHARED_RELOAD_EVERY = 3.0


def company_defaults(settings: Settings) -> CompanySettings:
    """What a new company begins with."""
    c = settings.correlation
    minute = timedelta(minutes=1)
    return CompanySettings(
        rules=Rules(
            strategy=Strategy(c.strategy), window=c.window_minutes * minute, min_alerts=c.min_alerts,
            quiet_delay=c.quiet_minutes * minute, auto_resolve=c.auto_resolve,
            reopen_window=c.reopen_minutes * minute, auto_close=timedelta(hours=c.close_hours),
        ),
        rate_per_minute=settings.ingest.rate_per_minute,
        burst=settings.ingest.burst,
    )  # fmt: skip


def retention_of(settings: Settings) -> Retention:
    """For how long things are kept."""
    r, day = settings.retention, timedelta(days=1)
    return Retention(
        raw=r.raw_days * day, alerts=r.alerts_days * day, incidents=r.incidents_days * day,
        events=r.events_days * day, deliveries=r.deliveries_days * day, rejections=r.rejections_days * day,
        notifications=r.notifications_days * day,
    )  # fmt: skip


@dataclass
class Runtime:
    """A daemon's parts, wired."""

    settings: Settings
    clock: Clock
    vault: Vault
    public_url: str
    database: Database = field(init=False)
    keyring: Keyring = field(init=False)
    limiter: Limiter = field(init=False)
    refusals: Refusals = field(init=False)
    sightings: Sightings = field(init=False)
    amazon: Amazon = field(init=False)
    traffic: Traffic = field(init=False)
    intake: Intake = field(init=False)
    hub: Hub = field(init=False)
    scheduler: Scheduler = field(init=False)
    pulls: Pulls = field(init=False)
    delivering: Delivering = field(init=False)
    repliers: Repliers = field(init=False)
    watch: Watch = field(init=False)
    checkpoints: Checkpoints = field(init=False)
    ticketing: Ticketing = field(init=False)
    running: Running = field(init=False)
    feeding: Feeding = field(init=False)
    reading: ReadingTexts = field(init=False)
    advising: Advising = field(init=False)
    mail: Listening | None = None
    watching: bool = False
    """Whether gaps and late rows are told: not where time is played with."""
    started_at: datetime = field(init=False)
    draining: bool = False
    version: str = __version__
    _loop: asyncio.AbstractEventLoop | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.database = Database(
            self.settings.database_url, clock=self.clock, observers=react, on_commit=self._committed
        )
        self.keyring = Keyring(self.vault)
        self.limiter = Limiter()
        self.refusals = Refusals()
        self.sightings = Sightings()
        self.traffic = Traffic()
        self.amazon = Amazon(self.clock, self.limiter)
        self.intake = Intake(
            self.settings, self.clock, self.keyring, self.limiter, self.refusals, self.sightings
        )  # fmt: skip
        self.pulls = Pulls(self.database, self.intake, self.clock, self.settings.aws)
        guard = Guard(self.settings.webhooks.allow_list)
        self.ticketing = Ticketing(self.database, self.clock, self.vault, lambda: self.public_url, guard)
        self.running = Running(self.database, self.clock, self.vault, self.settings)
        self.hub = Hub(self.database)
        self.feeding = Feeding(self.database)
        self.scheduler = Scheduler(self.database, self.clock, retention_of(self.settings))
        self.delivering = Delivering(self.database, self.clock, self.settings, self.vault, self.public_url)
        self.repliers = Repliers(self.database, self.vault)
        self.watch = Watch(self.database, self.clock, self.scheduler, self.settings.health)
        tell = self.watch.tell if self.watching else None
        self.checkpoints = Checkpoints(self.database, self.clock, self.settings.audit, tell)
        self.reading = ReadingTexts(self.database, self.clock, self.settings.advice.sentence_model)
        self.advising = Advising(self.database, self.clock, self.settings, self.reading)
        self.started_at = self.clock.now()

    @property
    def token_key(self) -> bytes:
        return self.vault.derived("access tokens")

    def working(self) -> bool:
        """Whether what may never stop goes on: the clockwork, the writer, the outbox. Asks no database."""
        return self.scheduler.alive() and self.delivering.alive() and self.database.writer.alive()

    async def start(self) -> None:
        """Load, then work. Raises Unavailable when the database does not answer."""
        self._loop = asyncio.get_running_loop()
        self.delivering.prepare()
        await asyncio.to_thread(self.database.start)
        await self.reload_keys()
        await self.hub.start()
        if self.watching:  # before anything that was late fires
            await self.prepare()
            await self.watch.begin()
            self._spawn(self.watch.run)
            self._spawn(self.watch.deadman.run)
        self.scheduler.start()
        await self.delivering.start()
        self.refusals.resume(await self.database.read(left_over), self.clock.now())
        self._spawn(self._write_refusals)
        self._spawn(self._write_sightings)
        self._spawn(self.ticketing.jobs.run)
        self._spawn(self.running.jobs.run)
        self._spawn(self.feeding.run)
        self._spawn(self.reading.run)
        self._spawn(self.advising.jobs.run)
        self._spawn(self.checkpoints.run)
        if self.settings.mail_ingest.enabled:
            await self._take_mail()
        if self.database.dialect.shared:
            from siems.daemon.listener import listen

            self._spawn(lambda: listen(self.database, self.hub))
            self._spawn(self._reload_keys_often)

    async def prepare(self) -> None:
        """The MSP's own rows; a full disk is no reason not to start where nothing is to do."""
        if MSP not in self.database.memory.companies:
            await self.database.write(setup.prepare, company_defaults(self.settings), companies=(MSP,))

    async def _take_mail(self) -> None:
        from siems.daemon import mail

        try:
            self.mail = await mail.listen(self)
        except SiemsError:
            await self.stop()
            raise

    def _spawn(self, work: Callable[[], Any]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Finish what was accepted, then let go."""
        self.draining = True
        await self.pulls.stop()
        await self.ticketing.stop()
        await self.running.stop()
        self.feeding.stop()
        self.reading.stop()
        await self.advising.stop()
        self.hub.close()
        self.scheduler.stop()
        await self.delivering.stop()
        if self.mail is not None:
            await self.mail.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        with contextlib.suppress(SiemsError):
            await self.flush_refusals()
            await self.flush_sightings()
            await self.watch.end()
        await self.checkpoints.turn()
        await asyncio.to_thread(self.database.stop)

    # --- after each commit, from the writer's thread -----------------------------------------------------------

    def _committed(self, committed: Committed) -> None:
        loop = self._loop
        if loop is not None and (committed.events or committed.earliest_due or committed.earliest_send):
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
                loop.call_soon_threadsafe(self._announce, committed)

    def _announce(self, committed: Committed) -> None:
        if committed.earliest_due is not None:
            self.scheduler.expect(committed.earliest_due)
        if committed.earliest_send is not None:
            self.delivering.expect(committed.earliest_send)
        types = [event.type for event in committed.events]
        if types:
            self.feeding.wake()
        if any(type.startswith(("incident.", "ticket")) for type in types):
            self.ticketing.wake(accounts=any(type.startswith("ticket_account.") for type in types))
        if any(type.startswith("run.") for type in types):
            self.running.wake()
        for event in committed.events:
            self.advising.follow(event.type, event.company_id)
        if "incident.opened" in types:
            self.reading.wake()
        if any(event.type.startswith(("company.", "integration.", "heartbeat.")) for event in committed.events):
            self._spawn(self.reload_keys)
        if not self.database.dialect.shared:
            self.hub.publish(committed.events)

    # --- small recurring work ----------------------------------------------------------------------------------

    async def reload_keys(self) -> None:
        """One after the other: of two at once the one that saw less could be the last."""
        async with self._loading:
            await self.database.peek(self.keyring.load)
        if not self.draining:
            self.pulls.follow(self.keyring.queues())

    async def _reload_keys_often(self) -> None:
        while True:
            await asyncio.sleep(SHARED_RELOAD_EVERY)
            with contextlib.suppress(SiemsError):
                await self.reload_keys()

    async def _write_refusals(self) -> None:
        while True:
            await asyncio.sleep(REFUSALS_EVERY)
            try:
                await self.flush_refusals()
            except Exception as why:
                log.error("refusals.not_written", why=str(why))

    async def flush_refusals(self) -> None:
        taken, news = self.refusals.take(), self.refusals.spells(self.clock.now())
        if not taken and not news:
            return
        try:
            names = await self.database.peek(load_names)
            await self.database.write(write, taken, news, dict(names.companies), companies=(MSP,))
        except BaseException:
            self.refusals.give_back(taken)
            raise
        self.refusals.told(news)

    async def _write_sightings(self) -> None:
        while True:
            await asyncio.sleep(SIGHTINGS_EVERY)
            try:
                await self.flush_sightings()
            except SiemsError as why:
                log.error("sightings.not_written", why=why.message)

    async def flush_sightings(self) -> None:
        """Write down what the integrations have sent."""
        if self.sightings:
            taken = self.sightings.take()
            await self.database.write(sightings.write, taken, self.clock.now(), companies=(MSP,))
