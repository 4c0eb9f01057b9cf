"""The console itself: it holds the session, hears what the workers say, and shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from textual.app import App

from siems.client import Client
from siems.tui import messages, saved
from siems.tui.desk import Desk
from siems.tui.frame import LinkState
from siems.tui.hands import Hands
from siems.tui.keymap import read_keymap
from siems.tui.link import Link, whole_query
from siems.tui.looks import THEMES, Looks
from siems.tui.messages import Story
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.books import Inbox
from siems.tui.screens.choose import AssignTo
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.overlay import Overlay
from siems.tui.screens.place import Place
from siems.tui.server_clock import ServerClock
from siems.tui.store import CALM, Board
from siems.tui.view_deeds import ViewDeeds
from siems.wire import IncidentView, Me, Summary

COALESCE = 0.2
PEEK = 0.15
TOAST = 8.0
STORIES = 40
REFRESH = 30.0
CHIMES = ("page", "escalat", "assign")


class SiemsApp(ViewDeeds, App[int], inherit_bindings=False):
    """One session at one daemon."""

    TITLE = "siems"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "app.tcss"
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(
        self,
        client: Client,
        *,
        target: str = "",
        read_only: bool = False,
        theme: str = "",
        ascii_only: bool = False,
        low_bandwidth: bool = False,
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
        self.saved = saved.load(client.url)
        self.model = Board(
            sort=self.saved.sort if self.saved.sort in ("sla", "-priority_score", "-created_at") else "sla"
        )
        self.desk, self.state, self.hands = Desk(), LinkState(), Hands(self)
        self.me: Me | None = None
        self.summary: Summary | None = None
        self.stories: dict[str, Story] = {}
        self.zone: tzinfo = self.find_zone(self.saved.zone) or UTC
        self.loaded = False
        self._toast = ("", "", 0.0)
        self._touched = -CALM
        self._gathering = self._peeking = False
        self._refreshed = 0.0

    @property
    def context(self) -> str:
        return self.me.context if self.me else self.client.context

    # --- beginning and end ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_keymap(read_keymap())
        self.link.query, self.link.sort = whole_query(self.saved.filter), self.model.sort
        self.model.marks = set(self.saved.marks)
        self.model.want(self.target or self.saved.cursor or None)
        self._first_paint()
        self.push_screen(BoardScreen())
        if self.target:
            self.open_incident(self.target)
        self.link.start()
        self.set_interval(10.0 if self.low_bandwidth else 1.0, self.tick)

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
        self.saved.marks = sorted(self.model.marks)
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
        for place in self.places():
            place.repaint()

    def tick(self) -> None:
        """Once a second: timers, and what waited for the reader to rest."""
        if self.model.held and not self._busy() and self.model.release():
            self.repaint_all()
        elif self.places():
            self.places()[-1].tick()
        for screen in self.screen_stack:
            if isinstance(screen, Overlay):
                screen.tick()
        now = self.monotonic()
        pace = 2.0 if self.clock.rate != 1.0 else REFRESH
        if self.state.up and now - self._refreshed >= pace:
            self._refreshed = now
            self.link.read_me()
            self.link.read_summary()

    def touched(self) -> None:
        """A key was pressed: rows keep their places for a moment."""
        self._touched = self.monotonic()

    def _busy(self) -> bool:
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
        if not self.state.up and self.state.lost_at:
            return "read only until the daemon answers", "dim"
        return "", ""

    # --- the link -------------------------------------------------------------------------------------------

    def _heard(self, server_time: datetime) -> None:
        self.clock.sync(server_time)
        self.state.as_of = server_time
        self.state.heard_at = self.monotonic()

    def on_link_up(self, event: messages.LinkUp) -> None:
        back = self.state.lost_at and self.state.ever
        self._heard(event.me.server_time)
        self.me = event.me
        self.state.up, self.state.ever, self.state.lost_at, self.state.attempt = True, True, 0.0, 0
        changed = self.model.load(event.views, total=event.total)
        self.loaded = True
        if back:
            changes = "1 change" if changed == 1 else f"{changed} changes"
            self.tell(f"back, {changes}")
        self.hands.look_up()
        self.link.read_summary()
        self._refreshed = self.monotonic()
        self.peek()
        for place in self.places():
            if isinstance(place, DetailScreen):
                self.link.read_story(place.ref)
        self.repaint_all()

    def on_link_down(self, event: messages.LinkDown) -> None:
        now = self.monotonic()
        self.state.up = False
        self.state.lost_at = self.state.lost_at or now
        self.state.retry_at, self.state.attempt = now + event.wait, event.attempt
        self.state.why, self.state.hint = event.why, event.hint
        self.repaint_all()

    def on_heard(self, _: messages.Heard) -> None:
        self.state.heard_at = self.monotonic()

    def on_page_read(self, event: messages.PageRead) -> None:
        self.model.extend(event.views)
        self.repaint_all()

    def on_list_read(self, event: messages.ListRead) -> None:
        self.model.load(event.views, total=event.total)
        self.peek()
        self.repaint_all()

    def on_query_refused(self, event: messages.QueryRefused) -> None:
        self.saved.filter = self._last_filter
        self.tell(f"filter: {event.why}  {event.hint}", "error")
        self.repaint_all()

    def on_dirty(self, _: messages.Dirty) -> None:
        self.state.heard_at = self.monotonic()
        if not self._gathering:
            self._gathering = True
            self.set_timer(COALESCE, self._gather)

    def _gather(self) -> None:
        """Ask once for all that changed within a moment."""
        self._gathering = False
        refs = self.link.take_basket()
        if not refs:
            return
        self.link.refetch(refs)
        open_ = {place.ref for place in self.places() if isinstance(place, DetailScreen)}
        current = self.model.current
        if current is not None and not open_:
            open_ = {current.id}
        for ref in refs:
            if ref in open_:
                self.link.read_story(ref)
            else:
                self.stories.pop(ref, None)

    def on_refetched(self, event: messages.Refetched) -> None:
        self._heard(event.as_of)
        if self.model.change(event.changes, busy=self._busy()):
            self.repaint_all()

    def on_noticed(self, event: messages.Noticed) -> None:
        self.link.read_me()
        kind, to = str(event.data.get("kind", "")), event.data.get("user_id")
        mine = to is None or (self.me is not None and to == self.me.user.id)
        if mine and any(word in kind for word in CHIMES):
            self.bell()
        for screen in self.screen_stack:
            if isinstance(screen, Inbox):
                self.link.read_notices()

    def on_me_read(self, event: messages.MeRead) -> None:
        self.me = event.me
        self._heard(event.me.server_time)
        self.repaint_all()

    def on_summary_read(self, event: messages.SummaryRead) -> None:
        self.summary = event.summary
        self.repaint_all()

    def on_read_failed(self, event: messages.ReadFailed) -> None:
        if self.state.up:
            self.tell(f"{event.why}  {event.hint}".strip(), "error")

    # --- stories --------------------------------------------------------------------------------------------

    def peek(self) -> None:
        """Read the story of the incident under the cursor, once the cursor rests."""
        if not self._peeking:
            self._peeking = True
            self.set_timer(PEEK, self._peek)

    def _peek(self) -> None:
        self._peeking = False
        view = self.model.current
        if view is None or not self.state.up:
            return
        known = self.stories.get(view.id)
        if known is None or known.detail.incident.version != view.version:
            self.link.read_story(view.id)

    def read_story(self, ref: str) -> None:
        if self.state.up:
            self.link.read_story(ref)

    def on_story_read(self, event: messages.StoryRead) -> None:
        self.stories[event.ref] = event.story
        while len(self.stories) > STORIES:
            self.stories.pop(next(iter(self.stories)))
        self._heard(event.story.detail.server_time)
        self.repaint_all()

    def on_story_failed(self, event: messages.StoryFailed) -> None:
        for place in self.places():
            if isinstance(place, DetailScreen) and place.ref == event.ref:
                place.why = f"{event.why}  {event.hint}".strip()
                place.repaint()

    # --- acts -----------------------------------------------------------------------------------------------

    def on_acted(self, event: messages.Acted) -> None:
        for result in event.results:
            if result.server_time is not None:
                self._heard(result.server_time)
        own: dict[str, IncidentView | None] = {
            result.view.id: result.view for result in event.results if result.view is not None
        }
        text = self.desk.finish(event)
        failed = [result for result in event.results if result.why]
        hint = f"  {failed[0].hint}" if failed and failed[0].hint and not failed[0].lost else ""
        self.tell(text + hint, "error" if failed else "toast")
        self._own_changes(own)
        if any(result.lost for result in event.results):
            self.link.start()

    def on_looked_up(self, event: messages.LookedUp) -> None:
        text = self.desk.look_up(event.found)
        if text:
            self.tell(text)
        self._own_changes({view.id: view for view in event.found.values() if view is not None})

    def _own_changes(self, views: dict[str, IncidentView | None]) -> None:
        known = {ref: view for ref, view in views.items() if ref in self.model.views}
        self.model.change(known, busy=True, own=True)
        for ref, view in views.items():
            story = self.stories.get(ref)
            if story is not None and view is not None:
                story.detail.incident = view
                self.link.read_story(ref)
        self.repaint_all()

    # --- windows that wait for data -------------------------------------------------------------------------

    def on_people_read(self, event: messages.PeopleRead) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, AssignTo):
                screen.fill(event.people)

    def on_notices_read(self, event: messages.NoticesRead) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Inbox):
                screen.fill(event.notices)
