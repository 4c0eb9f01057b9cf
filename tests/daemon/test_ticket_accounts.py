"""Ways into ticket systems: what is kept of them, what is shown, and what goes with them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from siems.clock import ManualClock
from tickets.systems import SECRET

from .ticketing import Desk, open_desk


@pytest_asyncio.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """Jira Cloud, on both databases."""
    async with open_desk(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture
async def small(file: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """For what is not about databases."""
    async with open_desk(file, clock) as made:
        yield made


async def test_secrets_are_sealed_never_shown_and_do_not_go_to_another_address(desk: Desk) -> None:
    made = await desk.add(webhook=True)
    token = made["webhook_url"].rpartition("/")[2]
    shown = await desk.must("root", "GET", f"/ticket-accounts/{desk.account}")
    listed = await desk.must("root", "GET", "/ticket-accounts")
    kept = str(await desk.rows("SELECT * FROM ticket_account")) + str(
        await desk.rows("SELECT details FROM audit_detail")
    )
    for where in (str(made["account"]), str(shown), str(listed), kept):
        assert SECRET not in where
        assert token not in where
    moved = await desk.house.ask("maria", "PATCH", f"/ticket-accounts/{desk.account}", {"url": "http://127.0.0.1:9"})
    assert (moved.status, "secret once more" in moved.json()["detail"]) == (422, True)


async def test_a_test_says_who_we_are_or_why_not(small: Desk) -> None:
    await small.add()
    path = f"/ticket-accounts/{small.account}/test"
    assert "Operations" in (await small.must("maria", "POST", path, {}))["said"]
    small.system.secret = "another"
    refused = await small.house.ask("maria", "POST", path, {})
    assert (refused.status, "401" in refused.json()["detail"]) == (503, True)
    assert SECRET not in refused.body.decode()


async def test_a_system_in_a_network_of_ours_says_how_it_is_let_in(small: Desk) -> None:
    await small.add(url="http://10.20.0.9")
    refused = await small.house.ask("maria", "POST", f"/ticket-accounts/{small.account}/test", {})
    assert (refused.status, "a private network" in refused.json()["detail"]) == (422, True)
    assert refused.json()["hint"].startswith("siems config set webhooks.allow NETWORK")


async def test_removing_an_account_leaves_nothing_here_and_everything_there(desk: Desk) -> None:
    await desk.add()
    await desk.alert()
    await desk.settle()
    await desk.must("maria", "DELETE", f"/ticket-accounts/{desk.account}", {"reason": "moved to another tool"})
    for table in ("ticket", "ticket_job", "ticket_account"):
        assert await desk.rows(f"SELECT 1 FROM {table}") == []
    assert len(desk.system.issues) == 1
    await desk.act("INC-1", "start")
    await desk.settle()
    assert desk.system.only.status == "To Do"


async def test_an_account_of_the_msp_serves_every_client(desk: Desk) -> None:
    await desk.add(company="msp")
    await desk.house.alert(company=desk.house.beta)
    await desk.settle()
    assert "of Beta" in str(desk.system.only.fields["description"])
    assert (await desk.ticket())["company_id"] == "comp-beta"
    assert (await desk.house.ask("maria", "GET", "/tickets/TKT-1")).status == 404
