"""The list of what was refused: one line for what goes on, and only of whom and since when it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from siems.clock import ManualClock, rfc3339
from siems.vocabulary import Role

from .house import House, open_house

URL = "/api/webhooks/alerts"


async def listed(house: House, query: str = "", who: str = "root") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.ask(who, "GET", f"/rejections{query}")).json()["items"]
    return found


async def refused(house: House, key: str = "") -> None:
    """A request with the key of a client, or a wrong one; written down, as it is every second."""
    headers = [("X-API-Key", key or "sk_wrong")]
    assert (await house.send("POST", URL, headers, b"{}")).status == 401
    await house.runtime.flush_refusals()


async def test_what_goes_on_is_one_line_and_what_comes_later_is_another(door: House, clock: ManualClock) -> None:
    begun = clock.now()
    for _ in range(3):
        await refused(door)
        clock.advance(seconds=60)
    clock.advance(minutes=20)
    await refused(door)
    later, first = await listed(door)
    assert (first["cause"], first["count"], first["since"]) == ("unknown key", 3, rfc3339(begun))
    assert first["at"] == rfc3339(begun + timedelta(seconds=120))
    assert later["count"] == 1
    assert await listed(door, "?limit=1") == [later]


async def test_only_of_a_client_and_since_a_time(door: House, clock: ManualClock) -> None:
    await refused(door)
    clock.advance(minutes=20)
    later = clock.now()
    await refused(door, door.acme.api_key)
    assert [one["cause"] for one in await listed(door, "?company=acme")] == ["unsigned"]
    assert [one["cause"] for one in await listed(door, "?company=msp")] == ["unknown key"]
    assert [one["cause"] for one in await listed(door, f"?since={rfc3339(later)}")] == ["unsigned"]
    assert (await door.ask("root", "GET", "/rejections?since=yesterday")).status == 422
    await door.hire("mara", Role.MANAGER, "comp-acme")
    assert [one["cause"] for one in await listed(door, "", "mara")] == ["unsigned"]
    for foreign in ("beta", "msp", "nobody"):
        assert (await door.ask("mara", "GET", f"/rejections?company={foreign}")).status == 404


async def test_what_a_daemon_has_told_of_refusals_ends_though_it_was_restarted(
    database_url: str, clock: ManualClock
) -> None:
    note = {"source": "generic", "address": "192.0.2.1", "detail": "x"}
    async with open_house(database_url, clock) as house:
        for company in ("comp-acme", "comp-beta"):
            house.runtime.refusals.note(company, "rate limited", now=clock.now(), **note)
    clock.advance(minutes=4)
    async with open_house(database_url, clock, furnished=False) as again:
        again.tokens = house.tokens

        async def told() -> dict[str, tuple[str, str]]:
            await again.runtime.flush_refusals()
            items = (await again.ask("root", "GET", "/alerts?query=signature:alerts_refused")).json()["items"]
            return {item["asset_name"]: (item["status"], item["message"]) for item in items}

        again.runtime.refusals.note("comp-beta", "rate limited", now=clock.now(), **note)
        first = await told()
        assert first["comp-acme"] == ("active", "Acme: 1 alert refused since 12:00 UTC, they came too fast")
        assert first["comp-beta"] == ("active", "Beta: 1 alert refused since 12:04 UTC, they came too fast")
        clock.advance(minutes=4)
        again.runtime.refusals.note("comp-beta", "rate limited", now=clock.now(), **note)
        clock.advance(minutes=1)
        later = await told()
        assert [later[company][0] for company in ("comp-acme", "comp-beta")] == ["resolved", "active"]
        clock.advance(minutes=5)
        assert (await told())["comp-beta"][0] == "resolved"
