"""S2 and S3: a delivery repeated a thousand times at once is one row; keys change under load without a failure."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import URL

from conftest import Copy
from daemon.house import ALERT, House, Reply, open_house
from siems.clock import ManualClock
from siems.domain import signature

pytestmark = pytest.mark.faults

REPLAYS = 1_000
AT_ONCE = 100
REVOKED_WITHIN = 5.0


@pytest_asyncio.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with open_house(database_url, clock) as made:
        made.runtime.intake._native_rate = 10**9
        yield made


async def all_of(asks: list[Any]) -> list[Reply]:
    """The answers, so many at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(ask: Any) -> Reply:
        async with room:
            found: Reply = await ask
            return found

    return await asyncio.gather(*map(one, asks))


async def counted(house: House, sql: str) -> int:
    return int(await house.runtime.database.read(lambda c: c.execute(text(sql)).scalar_one()))


async def fast(house: House) -> None:
    for company in ("acme", "beta"):
        reply = await house.ask("root", "PATCH", f"/companies/{company}", {"rate_per_minute": 500_000})
        assert reply.status == 200
    await house.runtime.reload_keys()


async def test_a_thousand_replays_at_once_are_one_row_and_one_answer(house: House) -> None:
    await fast(house)
    replies = await all_of([house.alert(delivery="same") for _ in range(REPLAYS)])
    assert {reply.status for reply in replies} == {202}
    said = [reply.json() for reply in replies]
    assert Counter(one["duplicate"] for one in said) == {False: 1, True: REPLAYS - 1}
    assert {(one["alert_id"], one["incident_id"]) for one in said} == {("ALR-1", "INC-1")}
    assert await counted(house, "SELECT count(*) FROM alert") == 1
    assert await counted(house, "SELECT max(count) FROM alert") == 1
    assert await counted(house, "SELECT count(*) FROM delivery") == 1


async def test_of_two_bodies_under_one_id_one_is_taken_and_the_other_refused_every_time(house: House) -> None:
    await fast(house)
    bodies = [ALERT, ALERT | {"message": "another"}]
    replies = await all_of([house.alert(bodies[n % 2], delivery="same") for n in range(200)])
    assert Counter(reply.status for reply in replies) == {202: 100, 422: 100}
    assert len({reply.status for reply in replies[::2]}) == 1
    assert await counted(house, "SELECT count(*) FROM alert") == 1


async def test_the_ids_of_one_client_say_nothing_about_those_of_another(house: House) -> None:
    await fast(house)
    replies = await all_of(
        [house.alert(delivery="same", company=[house.acme, house.beta][n % 2]) for n in range(200)]
    )  # fmt: skip
    assert {reply.status for reply in replies} == {202}
    assert sum(not reply.json()["duplicate"] for reply in replies) == 2
    assert await counted(house, "SELECT count(*) FROM alert") == 2


async def test_keys_change_under_load_without_a_failure_and_end_on_every_daemon(
    postgres_server: URL, postgres_template: str, clock: ManualClock
) -> None:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(Copy(postgres_server, postgres_template))
        one = await stack.enter_async_context(open_house(url, clock))
        two = await stack.enter_async_context(open_house(url, clock, furnished=False))
        await fast(one)
        await two.runtime.reload_keys()
        two.acme = one.acme
        seen, ending, number = Counter[int](), asyncio.Event(), iter(range(10**6))
        keys = [(one.acme.api_key, one.acme.hmac_secret)]

        async def send(house: House, key: str, secret: str) -> Reply:
            body = json.dumps(ALERT | {"signature": f"s{next(number)}"}).encode()
            headers = [("X-API-Key", key), *signature.sign(secret, body, at=clock.now()).items()]
            return await house.send("POST", "/api/webhooks/alerts", headers, body)

        async def load(house: House) -> None:
            while not ending.is_set():
                for key, secret in tuple(keys):
                    seen[(await send(house, key, secret)).status] += 1

        loads = [asyncio.create_task(load(house)) for house in (one, two)]
        made = (await one.ask("root", "POST", "/integrations/int-acme-generic-1/rotate", {})).json()
        new = made["api_key"], made["hmac_secret"]
        knows = time.monotonic()
        while (await send(two, *new)).status != 202:
            assert time.monotonic() - knows < REVOKED_WITHIN
        keys.append(new)  # the old and the new one are both in use
        before = seen[202]
        while seen[202] < before + 200:
            await asyncio.sleep(0.01)
        ending.set()
        await asyncio.gather(*loads)
        assert set(seen) == {202}, seen
        assert (await one.ask("root", "POST", "/integrations/int-acme-generic-1/revoke", {})).status == 200
        begun = time.monotonic()
        for house in (one, two):
            for key in keys:
                while (reply := await send(house, *key)).status != 401:
                    assert (reply.status, time.monotonic() - begun < REVOKED_WITHIN) == (202, True)
        took = time.monotonic() - begun
        print(f"\n{seen[202]} alerts over a rotation, none refused; revoked everywhere in {took:.1f} s")
