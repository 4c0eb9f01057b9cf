"""Messages leave the house: due ones are leased, handed to their channels, and what became of them is written down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex

import structlog

from siems.channels import Answer, Channel, Destination, Message, Opening, Refused, TryLater, registry
from siems.clock import Clock, rfc3339
from siems.config import Settings
from siems.domain.answer import VALID_FOR, Answerable, AnswerVerb, verbs_of
from siems.domain.reach import PROVIDER_SECONDS
from siems.domain.replies import named
from siems.errors import SiemsError
from siems.services import wording
from siems.services.delivered import Outcome, finish
from siems.services.delivery import Parcel, claim, next_send
from siems.storage.database import Database
from siems.storage.vault import Vault
from siems.vocabulary import MSP

log = structlog.get_logger()

SLOTS = 16
"""So many messages of one channel are on their way at once; of one contact, `delivery.EACH`."""
LONGEST_SLEEP = 30.0
SHARED_SLEEP = 0.5
AGAIN_AFTER = 1.0
LABELS = {
    AnswerVerb.ACK: "acknowledge", AnswerVerb.ESCALATE: "escalate", AnswerVerb.RESOLVE: "resolve",
    AnswerVerb.APPROVE: "approve", AnswerVerb.REJECT: "reject",
}  # fmt: skip


class Delivering:
    """The worker of the outbox. Several daemons may each have one: a lease keeps them apart."""

    def __init__(
        self, database: Database, clock: Clock, settings: Settings, vault: Vault, public_url: str,
        openings: Mapping[str, Opening] | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._settings = settings
        self._vault = vault
        self._public_url = public_url.rstrip("/")
        self._openings = openings
        self._owner = f"{token_hex(4)}"
        self._channels: dict[str, Channel] = {}
        self._busy: Counter[str] = Counter()
        self._on_way: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._next: datetime | None = None
        self.problems: dict[tuple[str, str], str] = {}
        """Why templates could not be filled in, by company and name; until they can again, or a restart."""
        self.sent = 0
        self.failed = 0
        self.names: frozenset[str] = frozenset()

    # --- life --------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Which channels are set up: before the first alert is taken, since it decides who is told how."""
        self.names = frozenset(self._openings) if self._openings is not None else _set_up(self._settings)
        self._database.memory.channels = self.names

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """What is on its way may arrive; what it cannot finish is sent again with the same key."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        if self._sending:
            await asyncio.wait(self._sending, timeout=PROVIDER_SECONDS)
        for task in list(self._sending):
            task.cancel()
        for channel in self._channels.values():
            with contextlib.suppress(Exception):
                await channel.close()

    def alive(self) -> bool:
        return self._loop is not None and not self._loop.done()

    def expect(self, at: datetime) -> None:
        """A commit has left something to be sent at this time."""
        if self._next is None or at < self._next:
            self._next = at
            self._wake.set()

    # --- the loop ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except SiemsError as why:
                log.error("delivering.failed", why=why.message)
                await asyncio.sleep(AGAIN_AFTER)
            except Exception:
                log.exception("delivering.failed")
                await asyncio.sleep(AGAIN_AFTER)

    async def look(self) -> None:
        """Send what is due, then sleep until something is."""
        self._wake.clear()
        found = await self._database.peek(next_send)  # only what is due is worth a write
        if found is not None and self._clock.seconds_until(found) <= 0 and await self.round():
            return
        self._next = found
        wait = LONGEST_SLEEP if found is None else self._clock.seconds_until(found)
        full = found is not None and wait <= 0
        # what is due but has no room is looked for again when a message is done
        longest = SHARED_SLEEP if self._database.dialect.shared or full else LONGEST_SLEEP
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.01, min(wait if not full else longest, longest))):
                await self._wake.wait()

    async def round(self) -> int:
        """Lease what is due and put it on its way; how many."""
        free = {name: SLOTS - self._busy[name] for name in self.names}
        parcels = await self._database.write(claim, self._owner, free, dict(self._on_way), companies=(MSP,))
        for parcel in parcels:
            self._busy[parcel.channel] += 1
            self._on_way[parcel.contact_id] += 1
            task = asyncio.get_running_loop().create_task(self._deliver(parcel))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(parcels)

    async def settled(self) -> None:
        """Until nothing is on its way: for tests, and for whoever stops."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            outcome = await self._send(parcel)
        finally:
            self._busy[parcel.channel] -= 1
            self._on_way -= Counter((parcel.contact_id,))  # what is left at none goes
        self.sent += outcome.accepted
        self.failed += not outcome.accepted
        if not outcome.accepted:
            log.warning("message.failed", channel=parcel.channel, attempt=parcel.attempt, why=outcome.error)
        try:
            if not await self._database.write(finish, parcel, outcome, companies=(parcel.company_id,)):
                log.warning("message.lease_lost", channel=parcel.channel, ids=parcel.ids[:5])
        except SiemsError as why:  # its lease runs out, and it is sent again with the same key
            log.error("message.not_written", why=why.message)
        self._wake.set()

    async def _send(self, parcel: Parcel) -> Outcome:
        chance = random.random()  # noqa: S311
        if parcel.obstacle:
            return Outcome(accepted=False, error=parcel.obstacle, refused=True)
        try:
            channel = self.channel(parcel.channel)
            options = {"secret": self.policy_secret()} if parcel.channel == "webhook" else {}
            plain = Destination(address=parcel.address, name=parcel.user, options=options)
            to = self.opened(parcel.address, parcel.user) if parcel.sealed else plain
            worded = await self._worded(parcel)
            async with asyncio.timeout(PROVIDER_SECONDS):
                accepted = await channel.send(self._message(worded), to)
        except Refused as why:
            return Outcome(accepted=False, error=str(why), refused=True)
        except TryLater as why:
            return Outcome(accepted=False, error=str(why), retry_after=why.retry_after, chance=chance)
        except TimeoutError:
            return Outcome(accepted=False, error=f"no answer within {PROVIDER_SECONDS:.0f} s", chance=chance)
        except SiemsError as why:
            return Outcome(accepted=False, error=why.message, chance=chance)
        except Exception as why:
            log.exception("channel.failed", channel=parcel.channel)
            return Outcome(accepted=False, error=f"{type(why).__name__}: {why}"[:300], chance=chance)
        return Outcome(accepted=True, message_id=accepted.message_id)

    async def _worded(self, parcel: Parcel) -> Parcel:
        """In the company's words where it has some that can be used: a message never waits for a better text."""
        try:
            found, name = await self._database.peek(wording.worded, parcel, self._clock.now())
        except wording.TemplateFails as why:
            log.warning("template.failed", company=parcel.company_id, template=why.name, why=why.message)
            self.problems[parcel.company_id, why.name] = why.message[:300]
        except Exception as why:
            log.warning("template.not_read", company=parcel.company_id, why=repr(why)[:300])
        else:
            self.problems.pop((parcel.company_id, name), None)
            return found
        return parcel

    def opened(self, sealed: str, name: str) -> Destination:
        """The destination of a contact. Raises Unavailable when its key is another one."""
        found = json.loads(self._vault.unseal(sealed))
        return Destination(address=found["address"], name=name, options=found["options"])

    def policy_secret(self) -> str:
        """What calls to addresses that policies name are signed with: that of the settings, else one of our own."""
        own = b64encode(self._vault.derived("policy webhooks")).decode()
        return self._settings.webhooks.secret.get_secret_value() or f"whsec_{own}"

    def channel(self, name: str) -> Channel:
        """A channel, opened once. Raises UsageError while it is not set up, NotFound for none."""
        if name not in self._channels:
            opening = self._openings[name] if self._openings is not None else registry.get(name)
            self._channels[name] = opening(self._settings)
        return self._channels[name]

    def unopened(self) -> list[tuple[str, str, str]]:
        """(channel, why, what to do) of those that the settings want and that cannot be opened."""
        found = []
        for name in sorted(self.names):
            try:
                self.channel(name)
            except SiemsError as why:
                found.append((name, why.message, why.hint))
            except Exception as why:  # a plug-in may raise anything
                log.exception("channel.failed", channel=name)
                found.append((name, f"{type(why).__name__}: {why}"[:300], "siems daemon logs"))
        return found

    # --- what is said ------------------------------------------------------------------------------------------

    def _message(self, parcel: Parcel) -> Message:
        late = f"[late, from {rfc3339(parcel.late_since.replace(microsecond=0))}] " if parcel.late_since else ""
        object = f"B{parcel.bundle}" if parcel.bundle else parcel.object
        lines = parcel.lines
        if parcel.counted:
            lines = (*lines, f"and {parcel.counted} more")
        answers: tuple[Answer, ...] = ()
        if parcel.answerable:
            label = " what is listed" if parcel.bundle else ""
            answers = tuple(
                Answer(verb=verb.value, label=LABELS[verb] + label, url=self.link(parcel, object, verb))
                for verb in verbs_of(object)
            )
        return Message(
            key=parcel.key, event=parcel.event, severity=parcel.severity, company=parcel.company,
            company_id=parcel.company_id, object=parcel.object, subject=f"{late}{parcel.subject}",
            text="\n".join(parcel.text), lines=lines, url=self.link(parcel, object, AnswerVerb.LOOK) if object else "",
            answers=answers, reply=named(object) if parcel.answerable and not object.startswith("RUN-") else "",
            thread=f"{parcel.company_id}/{parcel.object}" if parcel.object else "", update_of=parcel.last_id,
            pages=parcel.pages,
        )  # fmt: skip

    def link(self, parcel: Parcel, object: str, verb: AnswerVerb) -> str:
        """Where the person can answer, as long as an answer is valid."""
        allowed = Answerable(parcel.user_id, parcel.company_id, object, verb, self._clock.now() + VALID_FOR)
        return f"{self._public_url}/a/{allowed.token(self._vault.derived('answers'))}"


def _set_up(settings: Settings) -> frozenset[str]:
    """The channels that the settings allow."""
    from siems.channels import set_up

    return frozenset(name for name in registry if set_up(name, settings))
