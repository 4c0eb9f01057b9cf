"""The live stream: what was committed, in order, from where a reader stopped, and only what it may see."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from siems.vocabulary import Role

from .house import ALERT, House, until


async def types_until(following: Any, last: str) -> list[str]:
    found = []
    while not found or found[-1] != last:
        found.append((await following())["type"])
    return found


async def test_a_reader_is_greeted_and_then_told_what_happens(house: House) -> None:
    async with house.events("root") as following:
        hello = await following()
        assert hello["type"] == "hello"
        await house.alert()
        events = [await following(), await following()]
    assert [event["type"] for event in events] == ["alert.received", "incident.opened"]
    opened = events[1]
    assert set(opened) == {"cursor", "at", "type", "company_id", "object", "data"}
    assert (opened["company_id"], opened["object"], opened["data"]["severity"]) == ("comp-acme", "INC-1", "HIGH")


async def test_a_reader_goes_on_where_it_stopped(house: House) -> None:
    async with house.events("root") as following:
        cursor = (await following())["cursor"]
    await house.alert()
    await house.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
    async with house.events("root", f"?cursor={cursor}") as following:
        found = await types_until(following, "incident.acknowledged")
    assert found[0] == "hello"
    assert found[1:3] == ["alert.received", "incident.opened"]


async def test_the_last_event_id_of_a_browser_is_a_cursor(house: House) -> None:
    async with house.events("root") as following:
        cursor = (await following())["cursor"]
    await house.alert()
    async with house.events("root", headers=[("Last-Event-ID", cursor)]) as following:
        assert await types_until(following, "incident.opened") == ["hello", "alert.received", "incident.opened"]


async def test_nothing_is_missed_or_doubled_between_the_backlog_and_now(house: House) -> None:
    async with house.events("root") as following:
        cursor = (await following())["cursor"]
    house.runtime.limiter._buckets.clear()

    async def send(number: int) -> None:
        await house.alert(ALERT | {"signature": f"s{number}"})

    first = [asyncio.create_task(send(number)) for number in range(15)]
    async with house.events("root", f"?cursor={cursor}&types=incident.opened") as following:
        second = [asyncio.create_task(send(number)) for number in range(15, 30)]
        await asyncio.gather(*first, *second)
        await following()
        events = [await following() for _ in range(30)]
    cursors = [int(event["cursor"][1:], 16) for event in events]
    assert cursors == sorted(set(cursors))
    assert {event["object"] for event in events} == {f"INC-{n}" for n in range(1, 31)}


async def test_a_cursor_that_is_gone_is_410_and_one_that_never_was_422(house: House) -> None:
    await house.alert()
    for cursor in ("x", "e", "exyz", "e-5x", "7"):
        assert (await house.ask("root", "GET", f"/events?cursor={cursor}")).status == 422
    future = await house.ask("root", "GET", "/events?cursor=effffff")
    assert (future.status, future.code) == (410, "cursor_gone")
    await house.do(lambda uow: uow.connection.execute(text("DELETE FROM event WHERE cursor <= 3")) and None)
    assert (await house.ask("root", "GET", "/events?cursor=e1")).status == 410


async def test_a_cursor_is_gone_when_everything_after_it_has_been_forgotten(house: House) -> None:
    await house.alert()
    await house.do(lambda uow: uow.connection.execute(text("DELETE FROM event")) and None)
    assert (await house.ask("root", "GET", "/events?cursor=e1")).status == 410


async def test_a_reader_may_ask_for_some_kinds_only(house: House) -> None:
    async with house.events("root", "?types=incident.acknowledged,company") as following:
        await following()
        await house.alert()
        await house.ask("root", "PATCH", "/companies/acme", {"burst": 200})
        await house.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
        assert [(await following())["type"] for _ in range(2)] == ["company.edited", "incident.acknowledged"]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.TECHNICIAN, Role.CLIENT])
async def test_a_reader_hears_nothing_of_other_clients_or_of_the_msp(house: House, role: Role) -> None:
    await house.hire("eva", role, "comp-acme")
    async with house.events("root") as following:
        cursor = (await following())["cursor"]
    await house.alert(company=house.beta)
    await house.hire("zoe", Role.TECHNICIAN, "comp-beta")
    await house.ask("root", "POST", "/incidents/INC-1/actions/assign", {"to": "zoe"})
    await house.alert(company=house.acme)
    async with house.events("eva", f"?cursor={cursor}") as following:
        await following()
        heard = []
        while not heard or heard[-1]["type"] != "incident.opened":
            heard.append(await following())
    assert {event["company_id"] for event in heard} == {"comp-acme"}
    assert "comp-beta" not in json.dumps(heard)


async def test_a_notice_reaches_only_those_it_is_for(house: House) -> None:
    await house.hire("ana", Role.TECHNICIAN, "comp-acme")
    await house.hire("mara", Role.MANAGER, "comp-acme")
    async with house.events("ana") as ana, house.events("mara") as mara:
        await ana()
        await mara()
        await house.alert()
        assert "notice.created" in await types_until(ana, "notice.created")
        await house.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
        assert "notice.created" not in await types_until(mara, "incident.acknowledged")


async def test_without_a_token_there_is_no_stream(door: House) -> None:
    for path in ("/events", "/ws"):
        assert (await door.send("GET", f"/api/v1{path}")).status == 401


async def test_a_websocket_tells_the_same(house: House) -> None:
    url = f"http://127.0.0.1:{house.port}/api/v1/ws"
    headers = {"Authorization": f"Bearer {house.tokens['root']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.ws_connect(url) as ws:
            hello = json.loads(await ws.receive_str(timeout=10))
            await house.alert()
            told = [json.loads(await ws.receive_str(timeout=10)) for _ in range(2)]
        assert [event["type"] for event in told] == ["alert.received", "incident.opened"]
        async with session.ws_connect(f"{url}?cursor={hello['cursor']}") as ws:
            await ws.receive_str(timeout=10)
            again = [json.loads(await ws.receive_str(timeout=10)) for _ in range(2)]
        assert again == told
        async with session.get(f"{url}?cursor=effffff") as refused:
            assert refused.status == 410


async def test_a_reader_that_leaves_is_forgotten(house: House) -> None:
    async with house.events("root") as following:
        await following()
        assert house.runtime.hub.subscribers == 1

    async def gone() -> bool:
        house.runtime.limiter._buckets.clear()
        await house.alert()
        return house.runtime.hub.subscribers == 0

    await until(gone)


async def test_too_slow_a_reader_is_let_go_and_may_resume(house: House, monkeypatch) -> None:
    from siems.daemon import hub

    monkeypatch.setattr(hub, "QUEUE_LIMIT", 3)
    feed = house.runtime.hub.follow(house.root, cursor="", types=(), now=house.clock.now())
    hello = await anext(feed)
    assert hello is not None
    for number in range(4):
        await house.alert(ALERT | {"signature": f"s{number}"})

    async def caught_up() -> bool:
        return any(subscriber.lost for subscriber in house.runtime.hub._subscribers)

    await until(caught_up)
    seen = [event async for event in feed]
    assert len(seen) == 3
    again = house.runtime.hub.follow(
        house.root, cursor=hello["cursor"], types=("incident.opened",), now=house.clock.now()
    )
    assert [(await anext(again))["type"] for _ in range(3)] == ["hello", "incident.opened", "incident.opened"]
    await again.aclose()


@pytest.mark.parametrize("how", ["disabled", "another scope"])
async def test_a_stream_ends_with_the_rights_of_its_reader(
    house: House, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from siems.daemon.http import live

    monkeypatch.setattr(live, "ASK_AGAIN_SECONDS", 0.0)
    await house.hire("tess", Role.TECHNICIAN, "comp-acme")
    change = {
        "disabled": "UPDATE user_account SET disabled = :yes WHERE id = 'user-tess'",
        "another scope": "DELETE FROM user_company WHERE user_id = 'user-tess' AND :yes",
    }[how]
    async with house.events("tess") as following:
        assert (await following())["type"] == "hello"
        await house.alert()
        assert (await following())["company_id"] == "comp-acme"
        await house.do(lambda uow: uow.connection.execute(text(change), {"yes": True}))
        await house.alert(ALERT | {"signature": "later"})

        async def rest() -> None:
            while True:
                assert (await following())["data"].get("signature") != "later"

        with pytest.raises(EOFError):
            await rest()
