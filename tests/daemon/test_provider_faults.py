"""R10: whatever a provider does, a message keeps its schedule, arrives once, or goes on to the next channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from providers import DRIP, HELD, RESET, Trouble
from providers.hook import SECRET, Receiver
from siems.channels import calling
from siems.clock import ManualClock
from siems.daemon import delivering
from siems.domain.reach import JITTER, RETRIES
from siems.services.delivery import EACH, next_send
from siems.vocabulary import Role

from .house import House, open_house, until

SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}
PATIENCE = 0.3
"""Seconds that a provider has here; ten in earnest."""
ILLS = {
    "500": Trouble(status=500), "time-out": HELD, "reset after accepting": RESET, "drip": DRIP,
    "429": Trouble(status=429), "redirect of an overload": Trouble(status=503, headers={"Location": "https://x"}),
}  # fmt: skip


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def second() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def post(database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(delivering, "PROVIDER_SECONDS", PATIENCE)
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        await house.hire("maria", Role.TECHNICIAN, "comp-acme")
        yield house


async def rule(house: House, hook: Receiver, path: str = "/x", **more: Any) -> None:
    ask = {"user": "maria", "channel": "webhook", "address": f"{hook.url}{path}"} | more
    assert (await house.ask("root", "POST", "/notify/rules", ask)).status == 201


async def messages(house: House) -> list[dict[str, Any]]:
    return list((await house.ask("root", "GET", "/messages?limit=200")).json()["items"])


async def all_are(house: House, state: str) -> list[dict[str, Any]]:
    async def look() -> Any:
        found = await messages(house)
        return found if found and all(m["state"] == state for m in found) else None

    return list(await until(look))


def alert(number: int) -> dict[str, Any]:
    return {
        "asset_name": f"web-{number}", "signature": f"down_{number}", "severity": "high", "message": "down",
        "tool_source": "X",
    }  # fmt: skip


def keys(hook: Receiver) -> list[str]:
    return [seen.headers["webhook-id"] for seen in hook.seen]


@pytest.mark.parametrize("ill", ILLS)
async def test_after_any_fault_it_is_tried_again_when_the_schedule_says(
    post: House, hook: Receiver, clock: ManualClock, ill: str
) -> None:
    hook.then(ILLS[ill])
    await rule(post, hook)
    await post.alert()
    [failed] = await all_are(post, "failed")
    assert failed["error"]
    due = await post.runtime.database.read(next_send)
    assert due is not None
    share = (due - clock.now()) / RETRIES[0]
    assert 1 - JITTER <= share <= 1 + JITTER
    clock.advance(seconds=(due - clock.now()).total_seconds() - 0.001)
    assert await post.runtime.delivering.round() == 0, "not before"
    clock.advance(seconds=0.001)
    await post.runtime.delivering.round()
    await all_are(post, "sent")
    hook.release()
    assert len(set(keys(hook))) == 1
    assert len(hook.seen) == 2
    assert len(hook.taken) == 1, "who took it before the fault knows the key"


@pytest.mark.parametrize(("said", "waits"), [("90", 90), ("2", RETRIES[0].seconds), ("nonsense", RETRIES[0].seconds)])
async def test_a_provider_is_left_alone_for_as_long_as_it_asks(
    post: House, hook: Receiver, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, said: str, waits: int
) -> None:
    monkeypatch.setattr(delivering.random, "random", lambda: 0.5)  # the middle of the jitter
    hook.then(Trouble(status=429, headers={"Retry-After": said}))
    await rule(post, hook)
    await post.alert()
    await all_are(post, "failed")
    assert await post.runtime.database.read(next_send) == clock.now() + timedelta(seconds=waits)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410])
async def test_only_an_acceptance_is_one_and_what_is_refused_goes_to_the_next_channel(
    post: House, hook: Receiver, second: Receiver, status: int
) -> None:
    hook.then(Trouble(status=status, headers={"Location": f"{second.url}/elsewhere"}))
    await rule(post, hook)
    await rule(post, second, "/next", after_seconds=600)
    await post.alert()
    await second.until_seen(1)

    async def done() -> bool:
        return sorted(m["state"] for m in await messages(post)) == ["dead", "sent"]

    await until(done)
    assert [seen.path for seen in second.taken] == ["/next"], "no redirect is followed"
    assert len(hook.seen) == 1


async def test_when_all_tries_are_used_up_it_is_dead_and_the_next_channel_has_it(
    post: House, hook: Receiver, second: Receiver, clock: ManualClock
) -> None:
    hook.then(*[Trouble(status=500)] * (len(RETRIES) + 1))
    await rule(post, hook)
    await rule(post, second, "/next", after_seconds=7_200)
    await post.alert()
    for tries in range(1, len(RETRIES) + 1):

        async def failed(tries: int = tries) -> bool:
            return any((m["state"], m["attempt"]) == ("failed", tries) for m in await messages(post))

        await until(failed)
        clock.advance(seconds=RETRIES[tries - 1].total_seconds() * (1 + JITTER))
        await post.runtime.delivering.round()
    await second.until_seen(1)

    async def done() -> bool:
        return sorted(m["state"] for m in await messages(post)) == ["dead", "sent"]

    await until(done)
    assert len(hook.seen) == len(RETRIES) + 1
    assert len(set(keys(hook))) == 1


async def test_an_address_that_hangs_keeps_its_own_messages_only(
    post: House, hook: Receiver, second: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than all slots of its channel wait for it, and the others go out while it still hangs."""
    monkeypatch.setattr(delivering, "PROVIDER_SECONDS", 60.0)
    monkeypatch.setattr(calling, "TIMEOUT", httpx.Timeout(60.0))
    number = delivering.SLOTS + 9
    hook.then(*[HELD] * number)
    await rule(post, hook, "/stuck")
    await rule(post, second, "/fine")
    for one in range(number):
        assert (await post.alert(alert(one))).status == 202
    await second.until_seen(number)
    found = await messages(post)
    states = [m["state"] for m in found]
    assert len(hook.seen) <= EACH
    assert not hook.taken
    assert states.count("sending") >= EACH
    assert "failed" not in states, "nobody's time was up"
    hook.release()
    await all_are(post, "sent")
    assert len(hook.ids) == number
    assert len(second.taken) == number
