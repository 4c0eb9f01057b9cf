"""Two daemons on one PostgreSQL: what one commits the other knows, and what is due fires once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import URL

import postgres
from siems.clock import ManualClock
from siems.vocabulary import Role

from .house import ALERT, House, open_house, until


@pytest_asyncio.fixture
async def pair(postgres_server: URL, postgres_template: str, clock: ManualClock) -> AsyncIterator[tuple[House, House]]:
    """Both read and write the same database."""
    name = f"siems_pair_{id(clock)}"
    postgres.run(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    url = postgres.text_of(postgres_server.set(database=name))
    try:
        async with open_house(url, clock) as one, open_house(url, clock, furnished=False) as two:
            two.acme, two.beta, two.root, two.tokens = one.acme, one.beta, one.root, one.tokens
            await two.runtime.reload_keys()
            yield one, two
    finally:
        postgres.run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


async def test_the_same_alert_at_both_is_one_alert(pair: tuple[House, House]) -> None:
    one, two = pair
    replies = [await house.alert() for house in (one, two, one, two)]
    assert [reply.json()["message"] for reply in replies] == ["accepted", "repeated", "repeated", "repeated"]
    [item] = (await two.ask("root", "GET", "/alerts")).json()["items"]
    assert item["count"] == 4


async def test_alerts_to_both_at_once_are_numbered_without_gaps_or_doubles(pair: tuple[House, House]) -> None:
    sent = [
        house.alert(ALERT | {"signature": f"s{n % 20}", "asset_name": f"a{n % 20}"}, delivery=f"d-{n}")
        for n, house in enumerate(pair * 40)
    ]
    replies = await asyncio.gather(*sent)
    assert {reply.status for reply in replies} == {202}
    one, two = pair
    items = (await one.ask("root", "GET", "/alerts?limit=1000")).json()["items"]
    assert sorted(item["id"] for item in items) == sorted(f"ALR-{n}" for n in range(1, 21))
    assert {item["count"] for item in items} == {4}
    assert (await two.ask("root", "POST", "/audit/verify")).json()["ok"] is True


async def test_a_delivery_that_reaches_both_is_stored_once(pair: tuple[House, House]) -> None:
    replies = await asyncio.gather(*(house.alert(delivery="d-1") for house in pair * 10))
    assert sorted(reply.json()["duplicate"] for reply in replies) == [False] + [True] * 19


async def test_what_folded_at_one_takes_joins_at_the_other(pair: tuple[House, House]) -> None:
    one, two = pair
    for house, asset in zip((one, two, one), "abc", strict=True):
        await house.alert(ALERT | {"asset_name": asset})
    reply = await two.alert(ALERT | {"asset_name": "d"})
    assert reply.json()["incident_id"] == "INC-1"


async def test_a_deadline_fires_once_when_both_tick(pair: tuple[House, House], clock: ManualClock) -> None:
    one, two = pair
    await one.hire("mara", Role.MANAGER, "comp-acme")
    for number in range(10):
        await one.alert(ALERT | {"signature": f"s{number}", "asset_name": f"a{number}"})
    clock.advance(minutes=15)
    await asyncio.gather(*(house.runtime.scheduler.tick() for house in pair * 3))

    async def none_due() -> bool:
        return await one.runtime.scheduler.overdue() == 0

    await until(none_due)
    count = text("SELECT count(*) FROM timeline WHERE kind = 'escalation'")
    assert await two.runtime.database.read(lambda c: c.execute(count).scalar()) == 10
    shown = (await two.ask("root", "GET", "/incidents?query=escalation_level:2")).json()
    assert shown["total"] == 10


async def test_events_of_one_reach_a_reader_of_the_other_in_order(pair: tuple[House, House]) -> None:
    one, two = pair
    async with two.events("root", "?types=incident.opened") as following:
        await following()
        for number in range(10):
            await (one, two)[number % 2].alert(ALERT | {"signature": f"s{number}", "asset_name": f"a{number}"})
        told = [await following() for _ in range(10)]
    assert [event["object"] for event in told] == [f"INC-{n}" for n in range(1, 11)]
    cursors = [int(event["cursor"][1:], 16) for event in told]
    assert cursors == sorted(cursors)


async def test_a_silence_made_at_one_holds_at_the_other_and_its_end_is_made_once(
    pair: tuple[House, House], clock: ManualClock
) -> None:
    one, two = pair
    ask = {"company": "acme", "matchers": ["asset=web*"], "seconds": 3_600, "comment": "swap"}
    assert (await one.ask("root", "POST", "/silences", ask)).json()["id"] == "SIL-1"
    for number in range(8):
        reply = await pair[number % 2].alert(ALERT | {"signature": f"s{number}"})
        assert reply.json()["message"] == "suppressed"
    assert (await two.ask("root", "GET", "/silences/SIL-1")).json()["suppressed"] == 8
    clock.advance(minutes=60)
    await asyncio.gather(*(house.runtime.scheduler.tick() for house in pair * 3))

    async def let_go() -> bool:
        return (await two.ask("root", "GET", "/incidents")).json()["total"] == 8

    await until(let_go)
    ended = text("SELECT count(*) FROM audit_entry WHERE action = 'silence.ended'")
    assert await one.runtime.database.read(lambda c: c.execute(ended).scalar()) == 1
    assert (await one.alert(ALERT | {"signature": "new"})).json()["incident_id"] == "INC-9"


async def test_an_ack_at_one_stops_the_chain_at_the_other(pair: tuple[House, House], clock: ManualClock) -> None:
    one, two = pair
    await one.alert()
    await two.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
    clock.advance(minutes=20)
    await asyncio.gather(one.runtime.scheduler.tick(), two.runtime.scheduler.tick())
    shown = (await one.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
    assert (shown["state"], shown["escalation_level"]) == ("ASSIGNED", 1)


async def test_a_new_colleague_and_new_settings_are_known_to_both(pair: tuple[House, House]) -> None:
    one, two = pair
    await two.alert(ALERT | {"signature": "first"})
    await one.hire("ana", Role.TECHNICIAN, "comp-acme")
    await one.ask("root", "PATCH", "/companies/acme", {"min_alerts": 2})
    assert (await two.alert(ALERT | {"signature": "second"})).json()["incident_id"] is None
    reply = await two.ask("root", "POST", "/incidents/INC-1/actions/assign", {"to": "ana"})
    assert reply.json()["incident"]["assignee"] == "user-ana"


async def test_a_key_that_was_made_at_one_opens_the_other_within_seconds(pair: tuple[House, House]) -> None:
    one, two = pair
    gamma = await one.onboard("Gamma")

    async def opens() -> bool:
        return (await two.alert(company=gamma)).status == 202

    await until(opens)


async def test_of_two_writes_against_one_version_at_two_daemons_one_wins(pair: tuple[House, House]) -> None:
    one, two = pair
    await one.alert()
    replies = await asyncio.gather(
        *(house.ask("root", "POST", "/incidents/INC-1/actions/ack", {"version": 1}) for house in (one, two))
    )
    assert sorted(reply.status for reply in replies) == [200, 409]


@pytest.mark.parametrize("round_", range(3))
async def test_a_refused_write_between_others_costs_no_number_at_either(pair: tuple[House, House], round_: int) -> None:
    one, _two = pair
    await one.alert()
    asks = []
    for number in range(12):
        house = pair[number % 2]
        asks.append(house.ask("root", "POST", "/incidents/INC-1/actions/ack?dry_run=true", {}))
        asks.append(house.alert(ALERT | {"signature": f"s{round_}.{number}", "asset_name": f"a{number}"}))
        asks.append(house.ask("root", "POST", "/incidents/INC-1/actions/note", {"note": "x"}))
    replies = await asyncio.gather(*asks)
    assert {reply.status for reply in replies} <= {200, 202}, [r for r in replies if r.status > 202]


async def test_a_key_that_is_revoked_at_one_ends_at_the_other_within_five_seconds(pair: tuple[House, House]) -> None:
    one, two = pair
    assert (await two.alert()).status == 202
    new = (await one.ask("root", "POST", "/integrations/int-acme-generic-1/rotate", {})).json()
    assert (await two.alert()).status == 202  # the old one is still taken
    await one.ask("root", "POST", "/integrations/int-acme-generic-1/revoke", {})

    async def refused() -> bool:
        return (await two.alert()).status == 401

    assert await until(refused, seconds=5.0)
    assert new["api_key"]
