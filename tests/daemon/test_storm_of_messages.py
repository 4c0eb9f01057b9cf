"""R10: many messages over receivers that fail in every way: none is lost, and none arrives twice but after a break."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from providers import DRIP, HELD, RESET, Trouble
from providers.hook import SECRET, Receiver
from siems.channels.webhook import webhook_id
from siems.clock import ManualClock
from siems.daemon import delivering
from siems.services.delivered import Outcome
from siems.services.delivery import Parcel, next_send
from siems.services.giving_up import LIVE
from siems.vocabulary import Role

from .house import House, open_house

STEP = 10.0
"""Seconds; what is due within them is sent together."""
SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}
FINE, BUSY, ASKS = Trouble(), Trouble(status=503), Trouble(status=429, headers={"Retry-After": "45"})
GONE, FAILS = Trouble(status=410), Trouble(status=500)
MOODS = {
    "well": [(FINE, 1)],
    "busy": [(FINE, 4), (BUSY, 2), (ASKS, 2), (FAILS, 1)],
    "breaks": [(FINE, 5), (RESET, 3)],
    "slow": [(FINE, 30), (HELD, 1), (DRIP, 1)],
    "refuses": [(FINE, 3), (GONE, 1), (FAILS, 1)],
}
"""What a receiver does, and how often of all."""


@pytest.mark.parametrize("alerts", [100, pytest.param(2_000, marks=pytest.mark.faults)])
async def test_none_is_lost_and_none_is_doubled_over_receivers_that_fail(
    database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, alerts: int
) -> None:
    monkeypatch.setattr(delivering, "PROVIDER_SECONDS", 0.5)
    unheard = listening(monkeypatch)
    rng = random.Random(10)
    with ExitStack() as stack:
        hooks = {mood: stack.enter_context(Receiver()) for mood in MOODS}
        for mood, hook in hooks.items():
            faults, weights = zip(*MOODS[mood], strict=True)
            hook.then(*rng.choices(faults, weights, k=alerts * 8))
        async with open_house(database_url, clock, sections=SECTIONS) as house:
            await arrange(house, hooks)
            for begin in range(0, alerts, 100):
                await fire(house, begin, 100)
            await send_all(house, clock)
            rows = await house.runtime.database.read(kept)
        compare(rows, hooks, alerts, unheard)


def listening(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the answer to a message did not come in time: whoever sends cannot know whether it was taken."""
    unheard: Counter[str] = Counter()
    send = delivering.Delivering._send

    async def sent(self: delivering.Delivering, parcel: Parcel) -> Outcome:
        outcome = await send(self, parcel)
        unheard[webhook_id(parcel.key)] += outcome.error.startswith("no answer within")
        return outcome

    monkeypatch.setattr(delivering.Delivering, "_send", sent)
    return unheard


async def arrange(house: House, hooks: dict[str, Receiver]) -> None:
    """Maria is told of every new incident at each of the receivers."""
    await house.hire("maria", Role.TECHNICIAN, "comp-acme")
    reply = await house.ask("root", "PATCH", "/companies/comp-acme", {"correlation_enabled": False})
    assert reply.status == 200
    for mood, hook in hooks.items():
        ask = {"user": "maria", "channel": "webhook", "address": f"{hook.url}/{mood}", "about": ["incident.opened"]}
        reply = await house.ask("root", "POST", "/notify/rules", ask)
        assert reply.status == 201, reply


async def fire(house: House, begin: int, count: int) -> None:
    bodies = [{"asset_name": f"a{begin + n}", "signature": "down", "severity": "high"} for n in range(count)]
    reply = await house.ask("root", "POST", "/alerts", {"company": "comp-acme", "body": json.dumps(bodies)})
    assert reply.status in (200, 201, 202), reply


async def send_all(house: House, clock: ManualClock) -> None:
    """Time goes from what is due to what is due next, until there is none."""
    worker, database = house.runtime.delivering, house.runtime.database
    while True:
        while await worker.round():
            pass
        await worker.settled()
        due = await database.read(next_send)
        if due is None:
            return
        clock.advance(seconds=max(STEP, (due - clock.now()).total_seconds()))


def kept(connection: Any) -> list[Any]:
    return list(connection.exec_driver_sql("SELECT dedup_key, state, contact_id, object FROM message"))


def compare(rows: list[Any], hooks: dict[str, Receiver], alerts: int, unheard: Counter[str]) -> None:
    """The receivers' own journals against the table: who accepted what, and whether siems could know."""
    clean: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for hook in hooks.values():
        for seen in hook.seen:
            trouble = seen.trouble
            clean[seen.headers["webhook-id"]] += trouble == FINE
            broken[seen.headers["webhook-id"]] += trouble == RESET
    states = Counter(row[1] for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    assert not states.keys() & set(LIVE)
    assert len(rows) == alerts * len(hooks)
    assert len({row[3] for row in rows}) == alerts
    for key, state, *_ in rows:
        name = webhook_id(key)
        wanted = 1 if state == "sent" else 0
        assert wanted <= clean[name] <= wanted + unheard[name], (key, state)
    assert not clean.keys() - {webhook_id(row[0]) for row in rows}, "nobody gets what was never written down"
    assert states["sent"] > 0.8 * len(rows)
    assert states["dead"] > 0, "some were refused for good"
    assert sum(broken.values()) > 0
