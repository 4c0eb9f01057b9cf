"""Ticket systems: one file each, found by name; what siems asks of them is said here.

A system is opened with a connection and kept. It knows no database, no rules and no other system. To add one, write a
file with a class of these methods and one line in `SYSTEMS` (or an entry point of the group `siems.ticket_system`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from siems.domain.ticket import Stage
from siems.domain.ticket_sync import Connection, Draft, Remote
from siems.outward import Guard
from siems.registry import Registry


class Refused(Exception):
    """It will never do this: no such ticket, no such field, no such move. Not tried again.

    `hint` is what would help, where that is known.
    """

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class TryLater(Exception):
    """Not now: it throttles, fails, or does not let us in. `retry_after` in seconds where it said so.

    Whatever else a system raises, and running out of time, counts as this. The call may have been done all the same.
    """

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class TicketSystem(Protocol):
    """One ticket system, as one account sees it. Every call may raise Refused and TryLater; the caller limits the time.

    Calls are made again when their outcome is unknown: those that change something must be safe to repeat, or say how
    to find out (`find`, `commented`).
    """

    async def check(self) -> str:
        """Who we are there and where tickets go, in one line. Asks, and changes nothing."""
        ...

    async def open(self, draft: Draft) -> Remote:
        """A new ticket, which `find` finds by the draft's correlation."""
        ...

    async def find(self, correlation: str) -> Remote | None:
        """The ticket that was opened with this correlation."""
        ...

    async def read(self, key: str) -> Remote:
        """A ticket by its key or id, with its comments and who gave it its state."""
        ...

    async def update(self, external_id: str, draft: Draft, *, linked: bool) -> None:
        """Its priority follows the draft's severity; `linked`: it was there before, and is one of ours from now on."""
        ...

    async def comment(self, external_id: str, text: str, *, public: bool) -> str:
        """The id of the new comment, "" where the system does not say; `public`: its client may read it."""
        ...

    async def commented(self, external_id: str, mark: str) -> str | None:
        """The id of a comment that ends with this mark; None when there is none."""
        ...

    async def transition(self, external_id: str, stage: Stage, note: str) -> Remote:
        """Bring it to a stage, by as many steps as its workflow takes; nothing to do where it stands there already."""
        ...

    async def link(self, external_id: str, other_key: str) -> None:
        """The two tickets are about the same trouble."""
        ...

    async def changed(self, since: datetime, ids: Collection[str], now: datetime) -> tuple[list[str], datetime]:
        """(which of these tickets have changed since then, up to when that is known)."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Opening(Protocol):
    """How a system is opened. Raises InvalidField for a connection that it cannot use."""

    def __call__(self, connection: Connection, guard: Guard | None = None) -> TicketSystem: ...


SYSTEMS: Registry[Opening] = Registry(
    "ticket_system",
    {
        "jira": "siems.tickets.jira:open_cloud",
        "jira-server": "siems.tickets.jira:open_server",
        "servicenow": "siems.tickets.servicenow:open_system",
    },
    aliases={"jira-cloud": "jira", "jira-datacenter": "jira-server", "snow": "servicenow"},
)
