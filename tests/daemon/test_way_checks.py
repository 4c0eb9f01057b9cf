"""What doctor says of the ways out: which ticket account fails, which channel cannot be opened, and what to do."""

from __future__ import annotations

from typing import Any

from siems.clock import ManualClock
from siems.vocabulary import Role
from tickets.systems import Trouble

from .house import House, open_house
from .ticketing import open_desk


async def checks(house: House, name: str, who: str = "root") -> list[dict[str, Any]]:
    reply = await house.ask(who, "GET", "/status")
    assert reply.status == 200, reply
    return [check for check in reply.json()["checks"] if check["name"].startswith(name)]


async def test_a_ticket_account_that_fails_is_named_with_what_to_do(file: str, clock: ManualClock) -> None:
    async with open_desk(file, clock) as desk:
        await desk.house.hire("bea", Role.MANAGER, "comp-beta")
        assert await checks(desk.house, "tickets") == []
        await desk.add()
        await desk.alert()
        await desk.settle()
        assert [check["ok"] for check in await checks(desk.house, "tickets")] == [True]
        desk.passes(minutes=1)
        desk.system.troubles = [Trouble(status=500, path="search")]
        await desk.poll()
        [said] = await checks(desk.house, "tickets")
        assert (said["ok"], desk.account in said["cause"], "500" in said["cause"]) == (False, True, True)
        assert f"siems ticket account test {desk.account}" in said["fix"]
        assert await checks(desk.house, "tickets", "bea") == [], "it is not Beta's"
        await desk.must("root", "PATCH", f"/ticket-accounts/{desk.account}", {"paused": True})
        assert await checks(desk.house, "tickets") == [], "what is paused does not fail"


async def test_a_channel_that_cannot_be_opened_is_named_with_what_to_set(file: str, clock: ManualClock) -> None:
    sections = {"email": {"host": "mail.msp.example"}, "webpush": {"private_key": "no key"}}
    async with open_house(file, clock, sections=sections) as house:
        found = await checks(house, "channel")
        assert [(c["name"], c["ok"]) for c in found] == [("channel email", False), ("channel webpush", False)]
        assert "sender is not set" in found[0]["cause"]
        assert found[0]["fix"] == "sender in [email] of siems.toml"
        assert found[1]["fix"]
    async with open_house(file, clock, furnished=False) as house:
        assert house.runtime.delivering.unopened() == []
