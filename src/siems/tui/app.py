"""The console itself: it holds the session, hears what the workers say, and shows it."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import ClassVar

from textual.app import App

from siems.client import Client, find_token
from siems.errors import UsageError
from siems.tui import saved
from siems.tui.actions import Where
from siems.tui.arrivals import Arrivals
from siems.tui.arriving import Arriving, Bodies
from siems.tui.chaining import Chaining
from siems.tui.desk import Desk
from siems.tui.feed import Feed
from siems.tui.figures import FigureReads
from siems.tui.frame import LinkState
from siems.tui.going import LINKS, Going, read_target
from siems.tui.hands import Hands
from siems.tui.keymap import Keymap, read_keymap
from siems.tui.link import Link, whole_query
from siems.tui.listening import Listening
from siems.tui.looks import THEMES, Looks
from siems.tui.measuring import Measuring
from siems.tui.messages import Story
from siems.tui.office import Office
from siems.tui.orders import SORTS
from siems.tui.plain import PlainBoard
from siems.tui.printouts import KnownRun
from siems.tui.recording import Recording
from siems.tui.records import Records
from siems.tui.run_reads import RunReads
from siems.tui.running import Running
from siems.tui.screens.alerts import AlertsScreen
from siems.tui.screens.audit import AuditScreen
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.chains import ChainsScreen
from siems.tui.screens.clients import ClientsScreen
from siems.tui.screens.inbox import InboxScreen
from siems.tui.screens.measures import MeasuresScreen
from siems.tui.screens.oncall import OncallScreen
from siems.tui.screens.overlay import Overlay
from siems.tui.screens.parents import ParentsScreen
from siems.tui.screens.people import PeopleScreen
from siems.tui.screens.place import Place
from siems.tui.screens.runs import RunsScreen
from siems.tui.screens.silences import SilencesScreen
from siems.tui.server_clock import ServerClock
from siems.tui.store import CALM, Board
from siems.tui.terminal import draws_utf8, leave_with_terminal
from siems.tui.view_deeds import ViewDeeds
from siems.wire import Me, Summary, WhoView

TOAST = 8.0
REFRESH = 30.0
RENEW = 300.0
SOON = 3.0
SLOW = 10
"""Over a slow line timers move at every tenth tick."""


class SiemsApp(
    Listening,
    Arriving,
    Recording,
    Measuring,
    Running,
    Going,
    Chaining,
    Office,
    ViewDeeds,
    App[int],
    inherit_bindings=False,
):
    """One session at one daemon."""

    TITLE = "siems"
    ENABLE_COMMAND_PALETTE = False
    ticking = True
    CSS_PATH = "app.tcss"
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(
        self,
        client: Client,
        *,
        target: str = "",
        under: str = "",
        read_only: bool = False,
        theme: str = "",
        ascii_only: bool = False,
        low_bandwidth: bool = False,
        armed: bool = False,
        color: str = "",
        clock: ServerClock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        quiet = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True)
        self.client, self.link = client, Link(client, self.post_message)
        self.looks = Looks("mono" if quiet else theme if theme in THEMES else "default", ascii_only)
        self.clock = clock or ServerClock()
        self.monotonic = monotonic
        self.read_only, self.low_bandwidth, self.target = read_only, low_bandwidth, target
        self.armed, self.color, self.under = armed, color, under
        self.saved = saved.load(client.url)
        self.model = Board(sort=self.saved.sort if self.saved.sort in SORTS else "sla")
        self.desk, self.state, self.hands = Desk(), LinkState(), Hands(self)
        self.feed, self.arrivals = Feed(client, self.post_message), Arrivals(self.saved.stream_filter)
        self.records = Records(client, self.post_message)
        self.alerts_screen, self.audit_screen = AlertsScreen(), AuditScreen()
        self.oncall_screen, self.inbox_screen = OncallScreen(), InboxScreen()
        self.measures_screen = MeasuresScreen()
        self.runs_screen, self.run_reads = RunsScreen(), RunReads(client, self.post_message)
        self.runs: dict[str, KnownRun] = {}
        self.runs_dirty: set[str] = set()
        self.runs_waiting: list[str] = []
        self.figures = FigureReads(client, self.post_message, self.records.lane)
        self.lists: dict[Where, Place] = {
            screen.WHERE: screen
            for screen in (
                self.alerts_screen,
                self.runs_screen,
                self.oncall_screen,
                self.measures_screen,
                self.audit_screen,
                self.inbox_screen,
                ClientsScreen(),
                PeopleScreen(),
                ChainsScreen(),
                SilencesScreen(),
                ParentsScreen(),
            )
        }
        self.bodies: Bodies = {}
        self.me: Me | None = None
        self.keymap = Keymap()
        self.summary: Summary | None = None
        self.whos: list[WhoView] = []
        self.stories: dict[str, Story] = {}
        self.zone: tzinfo = self.find_zone(self.saved.zone) or UTC
        self.loaded = False
        self._toast = ("", "", 0.0)
        self._touched = -CALM
        self.refreshed = 0.0
        self._ticks = 0
        self._renewed = monotonic()

    @property
    def context(self) -> str:
        return self.client.context

    # --- beginning and end ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.keymap = read_keymap()
        self.set_keymap(self.keymap.keys)
        target = read_target(self.target or self.saved.place)
        if target and target[0] is Where.BOARD and target[1]:
            self.saved.filter = target[1]
        elif self.under:  # the list that an incident lies on
            self.saved.filter = self.under
        self.link.query, self.link.sort = whole_query(self.saved.filter), self.model.sort
        self.model.marks = set(self.saved.marks)
        self.model.want((target[2] if target and target[0] is Where.DETAIL else "") or self.saved.cursor or None)
        self._first_paint()
        for where, screen in self.lists.items():
            self.install_screen(screen, where.value)
        self.push_screen(self.first_screen())
        self.open_target(self.target or self.saved.place)
        self.link.start()
        self.call_after_refresh(gc.enable)  # who opened the console has put it off
        if faults := self.keymap.faults:
            more = f"   and {len(faults) - 1} more" if len(faults) > 1 else ""
            self.tell(f"keys.toml: {faults[0]}{more}", "error")
        if self.ticking:
            self.set_interval(1.0, self.tick)

    def first_screen(self) -> BoardScreen:
        return BoardScreen()

    def _first_paint(self) -> None:
        """What was there last time, with its age, until the daemon has answered."""
        kept = saved.load_rows(self.client.url, saved.identity(self.client.token))
        if kept is not None and not self.saved.filter:
            marks = self.model.marks
            self.model.load(kept.rows)
            self.model.marks = marks
            self.state.as_of, self.loaded = kept.as_of, True

    def keep(self) -> None:
        """Save where the reader stands."""
        self.saved.cursor = self.model.cursor or ""
        self.saved.place = self.target_now()
        self.saved.marks = sorted(self.model.marks)
        self.keep_draft()
        self.saved.sort = self.model.sort
        saved.save(self.client.url, self.saved)
        if self.loaded and not self.saved.filter and self.state.as_of is not None:
            rows = [self.model.views[ref] for ref in self.model.order if ref != self.model.tombstone]
            saved.save_rows(self.client.url, saved.identity(self.client.token), rows, self.state.as_of)

    def leave(self) -> None:
        self.keep()
        self.link.stop()
        self.exit(0)

    # --- painting -------------------------------------------------------------------------------------------

    def places(self) -> list[Place]:
        return [screen for screen in self.screen_stack if isinstance(screen, Place)]

    def repaint_all(self) -> None:
        for place in self.places() if self.is_running else ():  # what comes while one leaves finds half a screen
            place.repaint()

    def tick(self) -> None:
        """Once a second: timers, and what waited for the reader to rest."""
        self._ticks += 1
        now = self.monotonic()
        if self.state.dead(self.client.came, now):
            self.link.give_up(now - self.state.carried_at)
        urgent = self.desk.undo is not None or not self.state.up or self.state.quiet(now) or bool(self._toast[0])
        if self.model.held and not self.busy() and self.model.release():
            self.repaint_all()
        elif self.places() and (not self.low_bandwidth or urgent or self._ticks % SLOW == 0):
            self.places()[-1].tick()
        for screen in self.screen_stack:
            if isinstance(screen, Overlay):
                screen.tick()
        pace = 2.0 if self.clock.rate != 1.0 else REFRESH
        if self.state.up and now - self.refreshed >= pace:
            self.refreshed = now
            if now - self._renewed >= RENEW:
                self._renewed = now
                self.link.reads.put("token", self.link.renew_token)
            self.link.read_me()
            self.link.read_summary()

    def refresh_soon(self) -> None:
        """The figures of today are likely to have changed."""
        self.refreshed = min(self.refreshed, self.monotonic() - REFRESH + SOON)

    def touched(self) -> None:
        """A key was pressed: rows keep their places for a moment."""
        self._touched = self.monotonic()

    def busy(self) -> bool:
        return self.monotonic() - self._touched < CALM or len(self.screen_stack) > 1 + len(self.places())

    def tell(self, text: str, role: str = "toast") -> None:
        """A sentence for the last line but one."""
        self._toast = (text, role, self.monotonic() + (1.5 * TOAST if role == "error" else TOAST))
        for place in self.places()[-1:]:
            place.tick()

    def toast_now(self) -> tuple[str, str]:
        text, role, until = self._toast
        if text and self.monotonic() < until:
            return text, role
        self._toast = ("", "", 0.0)
        if not self.state.up and self.state.lost_at:
            return "read only until the daemon answers", "dim"
        return "", ""


def run(
    client: Client,
    *,
    target: str = "",
    view: str = "",
    read_only: bool = False,
    theme: str = "",
    ascii_only: bool = False,
    low_bandwidth: bool = False,
    mouse: bool = True,
    armed: bool = False,
    color: str = "",
    at_end: Callable[[], object] = lambda: None,
) -> int:
    """Open the console until its user leaves; returns the exit code. `view` is a filter to begin with.

    `at_end` is called where it does not return: the terminal is gone, and the process ends with it.
    """
    found = read_target(target) if target else (Where.BOARD, "", "")
    if found is None:
        raise UsageError(f"{target!r} is no place in the console", hint=f"INC-12, RUN-9, {', '.join(LINKS.values())}")
    where, query, ref = found
    if view and (kept := saved.view_named(view)) is not None:
        view = kept.filter
    if (view or query) and where is not Where.DETAIL:
        target = f"{target.partition('?')[0] or 'incidents'}?{query or view}"
    if os.environ.get("SIEMS_A11Y") == "1" or os.environ.get("TERM", "") in ("", "dumb"):
        ref = ref if where is Where.DETAIL else ""
        gc.enable()
        return PlainBoard(client, read_only=read_only).run(sys.stdin, target=ref)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the console needs a terminal", hint="from a script:  siems incident list --json")
    app = SiemsApp(
        client,
        target=target,
        under=view if where is Where.DETAIL else "",
        read_only=read_only,
        theme=theme,
        ascii_only=ascii_only or not draws_utf8(os.environ, sys.stdout.encoding),
        low_bandwidth=low_bandwidth,
        armed=armed,
        color=color,
    )
    app.link.renew = lambda: find_token(client)
    leave_with_terminal(sys.stdin.fileno(), save=app.keep, leave=lambda: app.call_from_thread(app.leave), at_end=at_end)
    left = app.run(mouse=mouse and not low_bandwidth)
    return app.return_code or left or 0
