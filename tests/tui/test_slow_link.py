"""The console over links that are slow, drip or stand still: what it says of them, and that it is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from driving import console
from scripted import ScriptedClient, view
from slow_line import HEARTBEAT, Daemon, Line, line_to, until

from siems.client import Client
from siems.tui.actions import BY_ID
from siems.tui.app import SiemsApp
from siems.tui.screens.board import BoardScreen
from siems.wire import IncidentView

TICK = 1.0


class Far:
    """An open console at the far end of a line."""

    def __init__(self, app: SiemsApp, daemon: Daemon, there: Line, back: Line, time: list[float]) -> None:
        self.app, self.daemon, self.there, self.back, self.time = app, daemon, there, back, time
        self.seen: list[str] = []
        self.beaten_at = time[0]

    @property
    def word(self) -> str:
        return self.app.state.word(self.time[0])[0]

    async def passes(self, seconds: float) -> None:
        """So much time, in ticks of the console; heartbeats come in it, and what they set off happens."""
        for _ in range(round(seconds / TICK)):
            for _ in range(2):
                self.time[0] += TICK / 2
                self.there.now = self.back.now = self.time[0]
                if self.time[0] - self.beaten_at >= HEARTBEAT:
                    self.beaten_at = self.time[0]
                    self.daemon.say(None)
                    await asyncio.sleep(0.01)
                await self.let_happen()
            self.app.tick()
            await self.let_happen()
            self.seen.append(self.word.split()[0])

    async def let_happen(self) -> None:
        """Until the line stands still at this moment, and the console has taken what came."""
        self.there.pass_on()
        self.back.pass_on()
        still = (-1, -1)
        while still != (still := (self.back.passed + self.there.passed, self.app.client.came)):
            await asyncio.sleep(0.005)
            self.there.pass_on()
            self.back.pass_on()


@asynccontextmanager
async def far(scripted: ScriptedClient | None = None, *, delay: float = 0.0, rate: float = 0.0) -> AsyncIterator[Far]:
    daemon, time = Daemon(scripted or ScriptedClient()), [1_000.0]
    async with line_to(daemon) as (url, there, back):
        there.now = back.now = time[0]
        there.delay = back.delay = delay
        there.rate = back.rate = rate or float("inf")
        app = console(Client(url), time)  # type: ignore[arg-type]
        async with app.run_test(size=(80, 24)):
            yield Far(app, daemon, there, back, time)
            app.link.stop()
            there.still = back.still = False
            there.now = back.now = float("inf")
            there.pass_on()
            back.pass_on()


async def up(it: Far) -> None:
    await until(lambda: it.app.state.up, "the console has its list")
    await it.let_happen()


def many() -> list[IncidentView]:
    """A list of a third of a megabyte."""
    return [view(number, minutes=30) for number in range(300)]


async def test_a_link_that_goes_dead_without_a_word_is_said_within_ten_seconds_and_given_up_soon_after() -> None:
    async with far() as it:
        await up(it)
        await it.passes(20)
        assert set(it.seen) == {"LIVE"}
        it.there.still = it.back.still = True
        it.seen.clear()
        await it.passes(14)
        words = "".join(word[0] for word in it.seen)
        assert words.startswith("LLLLLLLL"), words  # two heartbeats may be late
        assert words.index("S") + 1 <= 10
        assert words.index("O") + 1 <= 14
        screen = it.app.screen
        assert isinstance(screen, BoardScreen)
        assert screen.refusal(BY_ID["ack"])
        it.there.still = it.back.still = False
        await it.let_happen()
        await until(lambda: it.app.state.up, "it is back")
        await it.passes(20)
        assert it.word == "LIVE"
        assert it.daemon.opened == 2


async def test_a_slow_line_is_no_dead_one() -> None:
    """300 ms each way, 20 kB a second, a list that takes half a minute, and answers before every heartbeat."""
    scripted = ScriptedClient(many())
    async with far(scripted, delay=0.3, rate=20_000) as it:
        for _ in range(90):
            await it.passes(1)
            if it.app.state.up:
                break
        assert it.word == "LIVE"
        it.seen.clear()
        for number in range(12):
            await it.passes(4)
            scripted.now += timedelta(seconds=4)
            it.daemon.say({"type": "incident.noted", "object": f"INC-{number}", "cursor": str(number), "data": {}})
        assert set(it.seen) == {"LIVE"}
        assert it.daemon.opened == 1


async def test_while_a_great_answer_holds_up_the_stream_what_is_shown_is_old_but_the_link_is_kept() -> None:
    async with far(ScriptedClient(many())) as it:
        await up(it)
        await it.passes(8)
        it.back.rate = 20_000
        it.app.link.relist(it.app.link.query, "sla")
        await until(lambda: len(it.back.pieces) > 20, "an answer is on its way")
        it.seen.clear()
        await it.passes(24)
        assert "STALE" in it.seen
        assert "OFFLINE" not in it.seen
        it.back.rate = float("inf")
        await it.passes(60)
        assert it.word == "LIVE"
        assert it.daemon.opened == 1


async def test_a_stream_that_drips_is_alive_though_late() -> None:
    async with far() as it:
        await up(it)
        await it.passes(4)
        it.back.rate = 1  # bytes a second: one heartbeat has not come when the next two are sent
        it.seen.clear()
        await it.passes(40)
        assert "STALE" in it.seen
        assert "OFFLINE" not in it.seen
        assert it.daemon.opened == 1


async def test_a_console_that_itself_stood_still_listens_before_it_gives_up() -> None:
    async with far() as it:
        await up(it)
        await it.passes(4)
        it.time[0] += 3_600  # the machine slept
        it.app.tick()
        assert it.word.startswith("STALE")
        await it.passes(5)
        assert it.word == "LIVE"
        assert it.daemon.opened == 1
