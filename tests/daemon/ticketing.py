"""A daemon with a ticket system beside it, and hands on both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from siems.clock import ManualClock
from siems.vocabulary import Role
from tickets.jira import JiraSystem
from tickets.snow import SnowSystem
from tickets.systems import SECRET, USER, System, running

from .house import ALERT, House, open_house


class Desk:
    """Acme's incidents and their tickets. `dana` is a technician there, with an address that the system knows."""

    def __init__(self, house: House, system: System, kind: str) -> None:
        self.house, self.system, self.kind = house, system, kind
        self.account = ""

    async def add(self, **more: Any) -> dict[str, Any]:
        ask = {
            "company": "acme", "kind": self.kind, "url": self.system.url, "secret": SECRET,
            "username": "" if self.kind == "jira-server" else USER,
            "project": "incident" if self.kind == "servicenow" else "OPS", **more,
        }  # fmt: skip
        made = await self.must("root", "POST", "/ticket-accounts", ask)
        self.account = made["account"]["id"]
        return dict(made)

    async def must(self, who: str, method: str, path: str, body: Any = None) -> Any:
        reply = await self.house.ask(who, method, path, body)
        assert reply.status in (200, 201), reply
        return reply.json()

    async def alert(self, severity: str = "high", signature: str = "disk_full", **more: Any) -> str:
        reply = await self.house.alert(ALERT | {"severity": severity, "signature": signature, **more})
        assert reply.status == 202, reply
        return str(reply.json()["incident_id"])

    async def act(self, ref: str, action: str, who: str = "dana", **ask: Any) -> Any:
        return await self.must(who, "POST", f"/incidents/{ref}/actions/{action}", ask)

    async def settle(self) -> None:
        await self.house.runtime.ticketing.jobs.settle()

    async def poll(self) -> None:
        """As the turn of the account does it, now."""
        await self.must("root", "POST", f"/ticket-accounts/{self.account}/sync", {})
        await self.settle()

    def passes(self, **span: float) -> None:
        assert isinstance(self.house.clock, ManualClock)
        self.house.clock.advance(**span)

    async def ticket(self, ref: str = "TKT-1") -> dict[str, Any]:
        return dict(await self.must("root", "GET", f"/tickets/{ref}"))

    async def incident(self, ref: str = "INC-1") -> dict[str, Any]:
        return dict((await self.must("root", "GET", f"/incidents/{ref}"))["incident"])

    async def story(self, ref: str = "INC-1") -> list[str]:
        """The timeline, oldest first."""
        return [
            line["text"] for line in reversed((await self.must("root", "GET", f"/incidents/{ref}/timeline"))["items"])
        ]

    async def rows(self, statement: str) -> list[Any]:
        return await self.house.runtime.database.read(lambda c: c.execute(text(statement)).all())

    async def audited(self, action: str) -> list[dict[str, Any]]:
        items = (await self.must("root", "GET", "/audit?limit=500"))["items"]
        return [item for item in items if item["action"] == action]


@asynccontextmanager
async def open_desk(url: str, clock: ManualClock, kind: str = "jira") -> AsyncIterator[Desk]:
    """A daemon and a system of this kind, on the same clock."""
    system: System = SnowSystem(clock.now) if kind == "servicenow" else JiraSystem(clock.now, cloud=kind == "jira")
    with running(system):
        async with open_house(url, clock, sections={"webhooks": {"allow": "127.0.0.1"}}) as house:
            await house.hire("dana", Role.TECHNICIAN, "comp-acme")
            await house.hire("maria", Role.MANAGER, "comp-acme")
            desk = Desk(house, system, kind)
            yield desk
