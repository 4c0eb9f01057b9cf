"""Driving the console in tests: open it over the scripted daemon, press keys, read the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from scripted import NOW, ScriptedClient
from textual.pilot import Pilot

from siems.tui.app import SiemsApp
from siems.tui.server_clock import ServerClock


class Session:
    """An open console: `press` waits until everything that follows has happened."""

    def __init__(self, app: SiemsApp, client: ScriptedClient, time: list[float]) -> None:
        self.app, self.client, self.time = app, client, time
        self.pilot: Pilot[int]

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.time[0] += 1.0
            await self.pilot.press(key)
            await self.settle()

    async def write(self, text: str) -> None:
        """Type into an open field."""
        self.time[0] += 1.0
        await self.pilot.press(*["space" if char == " " else char for char in text])
        await self.pilot.pause()

    async def settle(self) -> None:
        await settle(self.app, self.pilot)

    async def later(self, seconds: float) -> None:
        """Time passes for the console, and the daemon's with it."""
        self.time[0] += seconds
        self.client.now += timedelta(seconds=seconds)
        if self.client.beats and self.app.state.up:
            self.app.state.told(self.time[0])
        self.app.tick()
        await self.settle()

    async def until(self, text: str) -> str:
        """Wait for a text to appear; long, since a busy machine may take its time."""
        for _ in range(400):
            if text in self.screen:
                return self.screen
            await self.pilot.pause(0.03)
        raise AssertionError(f"{text!r} did not appear in\n{self.screen}")

    @property
    def screen(self) -> str:
        rows = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in rows)

    @property
    def cursor(self) -> str | None:
        return self.app.model.cursor

    @property
    def acts(self) -> list[tuple[str, str, dict[str, Any]]]:
        return self.client.calls


async def settle(app: SiemsApp, pilot: Pilot[Any]) -> None:
    """Until no worker has anything to do, no message waits for its handler, and the screen is painted.

    An answer may make its handler ask for more, so rest is what still holds after everything was handled.
    """
    for _ in range(4_000):
        assert app._exception is None, app._exception
        if _busy(app):
            await asyncio.sleep(0.005)
            continue
        await pilot.pause()
        if not _busy(app):
            return
    raise AssertionError("the console does not come to rest")


def _busy(app: SiemsApp) -> bool:
    timers = app._gathering or app._peeking or app._gathering_arrivals or app._resting or app._rereading
    lanes = (app.link.reads, app.link.acts, app.feed.lane, app.records.lane, app.records.slow, app.run_reads.lane)
    pumps = (app, *app.screen_stack)
    return bool(
        timers
        or app._run_gathering
        or not all(lane.idle for lane in lanes)
        or any(pump.message_queue_size for pump in pumps)
    )


def console(client: ScriptedClient, time: list[float] | None = None, **options: Any) -> SiemsApp:
    """The app over a scripted daemon, with time standing still."""
    ticks = time if time is not None else [1_000.0]
    clock = ServerClock(monotonic=lambda: ticks[0], wall=lambda: NOW)
    app = SiemsApp(client, clock=clock, monotonic=lambda: ticks[0], **options)  # type: ignore[arg-type]
    app.ticking, app.coalesce, app.rest, app.calm = False, 0.01, 0.01, 0.01
    return app


@asynccontextmanager
async def opened(
    client: ScriptedClient | None = None, *, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Session]:
    client = client or ScriptedClient()
    time = [1_000.0]
    app = console(client, time, **options)
    session = Session(app, client, time)
    async with app.run_test(size=size) as pilot:
        session.pilot = pilot
        await connected(app, pilot)
        yield session
        app.link.stop()
        client.lose()


async def connected(app: SiemsApp, pilot: Pilot[Any]) -> None:
    """Until the first answer is on the screen."""
    for _ in range(2_000):
        if app.state.up or app.state.lost_at:
            break
        await pilot.pause(0.02)
    else:
        raise AssertionError("the console has neither found the daemon nor given up")
    await settle(app, pilot)


def looks_as_kept(
    snap_compare: Callable[..., bool], size: tuple[int, int], steps: Callable[[Session], Awaitable[Any]],
    client: ScriptedClient | None = None, **options: Any,
) -> bool:  # fmt: skip
    """Whether a screen, after these steps, is as its snapshot shows it. The daemon is gone by then: nothing moves."""
    client, time = client or ScriptedClient(), [1_000.0]
    app = console(client, time, **options)

    async def drive(pilot: Pilot[Any]) -> None:
        it = Session(app, client, time)
        it.pilot = pilot
        await connected(app, pilot)
        await steps(it)
        await it.settle()
        assert app._exception is None, "it has ended, and what is seen is an empty screen"
        app.link.stop()
        client.lose()

    return snap_compare(app, terminal_size=size, run_before=drive)
