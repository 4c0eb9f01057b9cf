"""Tickets go out and come back: jobs are claimed with leases and done, a few at a time for each account.

Whoever dies in between leaves a lease that runs out; the job is then done again, after a look at whether it was done.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection as Link
from sqlalchemy import select

from siems.clock import Clock
from siems.daemon.tending import Tending
from siems.domain.ticket import JobVerb, TicketAccount
from siems.domain.ticket_sync import Connection, Remote, mark
from siems.errors import InvalidField, SiemsError, Unavailable
from siems.outward import Guard
from siems.services import ticket_inbound, ticket_jobs
from siems.services.ticket_jobs import Work
from siems.storage import tables as t
from siems.storage.database import Database
from siems.storage.ticket_tag import ticket_tag
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.tickets import SYSTEMS, Refused, TicketSystem, TryLater
from siems.vocabulary import MSP

log = structlog.get_logger()
A = TypeVar("A")

AT_ONCE = 16
PER_ACCOUNT = 2
SEND_SECONDS = 10.0
POLL_SECONDS = 100.0
LONGEST_SLEEP = 30.0
SHARED_SLEEP = 1.0
"""Where other daemons queue jobs too, they are looked for at least this often."""


class Ticketing:
    """What one daemon does about tickets."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, url: Callable[[], str], guard: Guard
    ) -> None:  # fmt: skip
        self.tag = ""
        self._database = database
        self._clock = clock
        self._vault = vault
        self._url = url
        self.guard = guard
        self._owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._systems: dict[str, tuple[Connection, TicketSystem]] = {}
        self._accounts: bool | None = None
        self.jobs = Tending[tuple[int, str]]("tickets", self.begin, self._turn)
        """By their numbers and accounts."""

    # --- the loop ----------------------------------------------------------------------------------------------

    def wake(self, *, accounts: bool = False) -> None:
        """Something may be due; `accounts`: they were changed."""
        if accounts:
            self._accounts = None
        if self._accounts is not False:
            self.jobs.wake()

    async def _turn(self) -> float:
        """Begin what is due; for how long to sleep then. Without any account nothing is asked at each commit."""
        if not self._accounts or self._database.dialect.shared:
            self._accounts = await self._database.peek(_any_account)
        if not self._accounts:
            return SHARED_SLEEP if self._database.dialect.shared else LONGEST_SLEEP
        await self.begin()
        return await self._pause()

    async def _pause(self) -> float:
        longest = SHARED_SLEEP if self._database.dialect.shared else LONGEST_SLEEP
        if len(self.jobs.under_way) >= AT_ONCE:
            return longest  # the end of each wakes us
        found = await self._database.peek(ticket_jobs.next_at)
        if found is None:
            return longest
        wait = self._clock.seconds_until(found)
        # what is due and has no room yet begins when something ends, and that wakes us
        return longest if wait == 0 and self.jobs.under_way else min(longest, max(0.2, wait))

    async def begin(self) -> int:
        """Begin what is due and has room; how many."""
        if not self.tag:
            self.tag = await self._database.write(_tag, self._vault, companies=(MSP,))
        busy = {job for job, _ in self.jobs.under_way}
        load = Counter(account for _, account in self.jobs.under_way)
        begun = 0
        for job, company, account in await self._database.peek(ticket_jobs.due, self._clock.now(), 200):
            if self.jobs.stopping or len(self.jobs.under_way) >= AT_ONCE:
                break
            if job in busy or load[account] >= PER_ACCOUNT:
                continue
            load[account] += 1
            begun += 1
            self.jobs.go(self._work(job, company), (job, account))
        return begun

    async def stop(self) -> None:
        """Begin nothing more; what is under way has as long as a call may take."""
        await self.jobs.stop(SEND_SECONDS)
        for _, system in self._systems.values():
            await system.close()
        self._systems.clear()

    # --- a job -------------------------------------------------------------------------------------------------

    async def _work(self, job: int, company: str) -> None:
        work = await self._database.write(
            ticket_jobs.claim, job, self._owner, self.tag, self._url(), companies=(company, MSP)
        )  # fmt: skip
        if work is None:
            return
        if work.verb is JobVerb.POLL:
            await self._poll(work)
            return
        try:
            system = await self.system(work.account)
            async with asyncio.timeout(SEND_SECONDS):
                remote, comment = await self._do(system, work)
        except Refused as why:
            await self._failed(work, str(why), final=True)
        except InvalidField as why:
            await self._failed(work, f"{why.message} ({why.hint})", final=True)
        except TryLater as why:
            await self._failed(work, str(why), retry_after=why.retry_after)
        except TimeoutError:
            await self._failed(work, f"no answer within {SEND_SECONDS:.0f} s")
        except (SiemsError, Exception) as why:
            said = why.message if isinstance(why, SiemsError) else f"it answered something unexpected ({why!r})"
            log.warning("tickets.job_failed", job=job, verb=work.verb.value, account=work.account.id, why=said)
            await self._failed(work, said)
        else:
            if work.verb is JobVerb.READ and remote is not None:
                await self._take(work.company_id, work.account, int(work.ticket.id if work.ticket else 0), remote)
            await self._write(work, ticket_jobs.done, remote, comment)

    async def _do(self, system: TicketSystem, work: Work) -> tuple[Remote | None, str]:
        """(the ticket as it is now, the id of a comment), as far as the job is about them."""
        assert work.ticket is not None
        assert work.draft is not None
        if work.verb is JobVerb.OPEN:
            found = await system.find(work.draft.correlation) if work.again else None
            return found or await system.open(work.draft), ""
        there = work.ticket.external_id
        if there is None:
            raise Refused("there is no ticket yet")
        match work.verb:
            case JobVerb.COMMENT:
                end = mark(self.tag, work.job_id)
                known = await system.commented(there, end) if work.again else None
                said = f"{work.text}\n\n{end}"
                return None, known if known is not None else await system.comment(there, said, public=work.public)
            case JobVerb.TRANSITION:
                return await system.transition(there, work.stage, work.text), ""
            case JobVerb.UPDATE:
                await system.update(there, work.draft, linked=bool(work.body.get("linked")))
            case JobVerb.LINK:
                await system.link(there, work.other)
            case JobVerb.READ:
                return await system.read(there), ""
            case _:
                raise Refused(f"nobody knows how to {work.verb.value}")
        return None, ""

    async def _failed(
        self, work: Work, error: str, *, final: bool = False, retry_after: float | None = None
    ) -> None:  # fmt: skip
        log.warning("tickets.not_done", verb=work.verb.value, account=work.account.id, why=error, final=final)
        await self._write(
            work, lambda uow, held: ticket_jobs.failed(uow, held, error, final=final, retry_after=retry_after)
        )

    async def _write(self, work: Work, verb: Callable[..., A], *args: Any) -> A:
        return await self._database.write(verb, work, *args, companies=ticket_jobs.companies_of(work))

    # --- polls -------------------------------------------------------------------------------------------------

    async def _poll(self, work: Work) -> None:
        """Read what has changed since, ticket by ticket; only then move on."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                system = await self.system(work.account)
                known = await self._database.peek(_known, work.account.id)
                changed, since = await system.changed(work.account.since, known.keys(), self._clock.now())
                for external_id in changed:
                    ticket, company = known[external_id]
                    with contextlib.suppress(Refused):  # it was deleted over there, or hidden from us
                        await self._take(company, work.account, ticket, await system.read(external_id))
        except Exception as why:
            said = why.message if isinstance(why, SiemsError) else str(why) or f"no answer in {POLL_SECONDS:.0f} s"
            log.warning("tickets.not_read", account=work.account.id, why=said)
            await self._write(work, ticket_jobs.poll_failed, said)
            return
        await self._write(work, ticket_jobs.polled, since)

    async def _take(self, company: str, account: TicketAccount, ticket: int, remote: Remote) -> None:
        companies = tuple(sorted({company, account.company_id, MSP}))
        await self._database.write(ticket_inbound.take, ticket, remote, self.tag, companies=companies)

    # --- systems -----------------------------------------------------------------------------------------------

    async def system(self, account: TicketAccount) -> TicketSystem:
        """The system behind an account, opened once for as long as the account is not changed.

        Raises Unavailable, InvalidField, NotFound.
        """
        wanted = connection_of(account, self._vault)
        held = self._systems.get(account.id)
        if held is not None and held[0] == wanted:
            return held[1]
        opened = SYSTEMS.get(account.kind)(wanted, self.guard)
        self._systems[account.id] = wanted, opened
        if held is not None:
            await held[1].close()
        return opened

    async def asked(self, account: TicketAccount, ask: Callable[[TicketSystem], Any], *, hint: str = "") -> Any:
        """What a system says to a question of somebody who waits. Raises InvalidField and Unavailable, with why.

        `hint` is what to type when the refusal itself does not say what helps; by default to test the account.
        """
        hint = hint or f"siems ticket account test {account.id}"
        try:
            async with asyncio.timeout(SEND_SECONDS - 1):
                return await ask(await self.system(account))
        except Refused as why:
            raise InvalidField(str(why), hint=why.hint or hint) from why
        except TryLater as why:
            raise Unavailable(str(why), hint=hint) from why
        except TimeoutError as why:
            raise Unavailable(f"{account.url} does not answer", hint="try again") from why


def connection_of(account: TicketAccount, vault: Vault) -> Connection:
    """An account as its system needs it."""
    return Connection(
        kind=account.kind, url=account.url, project=account.project, username=account.username,
        secret=vault.unseal(account.secret), rules=account.rules,
    )  # fmt: skip


def _tag(uow: UnitOfWork, vault: Vault) -> str:
    return ticket_tag(uow.connection, vault)


def _any_account(link: Link) -> bool:
    return link.execute(select(t.ticket_account.c.id).limit(1)).first() is not None


def _known(link: Link, account_id: str) -> dict[str, tuple[int, str]]:
    """(ticket, company) by what the other system calls it: those of an account that are open over there or here."""
    c = t.ticket.c
    rows = link.execute(
        select(c.external_id, c.id, c.company_id).where(c.account_id == account_id, c.external_id.is_not(None))
    )
    return {row.external_id: (row.id, row.company_id) for row in rows}
