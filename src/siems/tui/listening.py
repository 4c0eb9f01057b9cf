"""What the app does with what the workers tell it: the only place that changes the model from outside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from siems.tui import messages
from siems.tui.screens.choose import AssignTo
from siems.tui.screens.detail import DetailScreen
from siems.wire import IncidentView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

STORIES = 40
CHIMES = ("page", "escalated", "assigned")
"""Notices that call for somebody: they ring, once each."""


class Listening:
    """The half of the app that hears messages."""

    coalesce = 0.2
    """Seconds in which changes are gathered before they are asked for."""
    rest = 0.15
    """Seconds that the cursor rests before its incident is read."""
    _gathering = False
    _peeking = False
    _last_filter = ""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    # --- the link -------------------------------------------------------------------------------------------

    def _heard(self, server_time: datetime) -> None:
        self._app.clock.sync(server_time)
        self._app.state.as_of = server_time
        self._app.state.heard_at = self._app.monotonic()

    def on_link_up(self, event: messages.LinkUp) -> None:
        back = bool(self._app.state.lost_at) and self._app.state.ever
        self._heard(event.me.server_time)
        self._app.me = event.me
        self._app.state.returned()
        self._app.state.heartbeat = event.heartbeat
        self._app.state.told(self._app.monotonic())
        changed = self._app.model.load(event.views, total=event.total)
        self._app.loaded = True
        if back:
            changes = "1 change" if changed == 1 else f"{changed} changes"
            self._app.tell(f"back, {changes}")
        self._app.hands.look_up()
        self._app.catch_up()
        self._app.read_again()
        self._app.read_runs_again()
        self._app.link.read_summary()
        self._app.refreshed = self._app.monotonic()
        self.peek()
        for place in self._app.places():
            if isinstance(place, DetailScreen):
                self._app.link.read_story(place.ref)
        self._app.repaint_all()

    def on_link_down(self, event: messages.LinkDown) -> None:
        now = self._app.monotonic()
        self._app.state.up = False
        self._app.state.lost_at = self._app.state.lost_at or now
        self._app.state.retry_at, self._app.state.attempt = now + event.wait, event.attempt
        self._app.state.why, self._app.state.hint = event.why, event.hint
        self._app.repaint_all()

    def on_heard(self, _: messages.Heard) -> None:
        self._app.state.told(self._app.monotonic())

    def on_page_read(self, event: messages.PageRead) -> None:
        self._app.model.extend(event.views)
        self._app.repaint_all()

    def on_list_read(self, event: messages.ListRead) -> None:
        self._app.model.load(event.views, total=event.total, other_list=True)
        self.peek()
        self._app.repaint_all()

    def on_query_refused(self, event: messages.QueryRefused) -> None:
        self._app.saved.filter = self._last_filter
        self._app.tell(f"filter: {event.why}  {event.hint}", "error")
        self._app.repaint_all()

    def on_dirty(self, _: messages.Dirty) -> None:
        self._app.state.told(self._app.monotonic())
        if not self._gathering:
            self._gathering = True
            self._app.set_timer(self.coalesce, self._gather)

    def _gather(self) -> None:
        """Ask once for all that changed within a moment."""
        self._gathering = False
        refs = self._app.link.take_basket()
        if not refs:
            return
        self._app.link.refetch(refs)
        open_ = {place.ref for place in self._app.places() if isinstance(place, DetailScreen)}
        current = self._app.model.current
        if current is not None and not open_:
            open_ = {current.id}
        for ref in refs:
            if ref in open_:
                self._app.link.read_story(ref)
            else:
                self._app.stories.pop(ref, None)

    def on_refetched(self, event: messages.Refetched) -> None:
        self._heard(event.as_of)
        self._app.refresh_soon()
        if self._app.model.change(event.changes, busy=self._app.busy()):
            self._app.repaint_all()

    def on_noticed(self, event: messages.Noticed) -> None:
        self._app.link.read_me()
        what = str(event.data.get("event", ""))
        if any(word in what for word in CHIMES):
            self._app.bell()
        if self._app.inbox_screen in self._app.screen_stack:
            self._app.inbox_screen.read()

    def on_me_read(self, event: messages.MeRead) -> None:
        self._app.me = event.me
        self._heard(event.me.server_time)
        self._app.repaint_all()

    def on_summary_read(self, event: messages.SummaryRead) -> None:
        self._app.summary = event.summary
        self._app.repaint_all()

    def on_read_failed(self, event: messages.ReadFailed) -> None:
        if self._app.state.up:
            self._app.tell(f"{event.why}  {event.hint}".strip(), "error")

    # --- stories --------------------------------------------------------------------------------------------

    def peek(self) -> None:
        """Read the story of the incident under the cursor, once the cursor rests."""
        if not self._peeking:
            self._peeking = True
            self._app.set_timer(self.rest, self._peek)

    def _peek(self) -> None:
        self._peeking = False
        view = self._app.model.current
        if view is None or not self._app.state.up:
            return
        known = self._app.stories.get(view.id)
        if known is None or known.detail.incident.version != view.version:
            self._app.link.read_story(view.id)

    def read_story(self, ref: str) -> None:
        if self._app.state.up:
            self._app.link.read_story(ref)

    def on_story_read(self, event: messages.StoryRead) -> None:
        self._app.stories[event.ref] = event.story
        while len(self._app.stories) > STORIES:
            self._app.stories.pop(next(iter(self._app.stories)))
        self._heard(event.story.detail.server_time)
        self._app.repaint_all()

    def on_story_failed(self, event: messages.StoryFailed) -> None:
        for place in self._app.places():
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
        self._app.refresh_soon()
        text = self._app.desk.finish(event)
        failed = [result for result in event.results if result.why]
        hint = f"  {failed[0].hint}" if failed and failed[0].hint and not failed[0].lost else ""
        self._app.tell(text + hint, "error" if failed else "toast")
        self._own_changes(own)
        if any(result.lost for result in event.results):
            self._app.state.doubted_at = self._app.monotonic()
            self._app.link.start()

    def on_looked_up(self, event: messages.LookedUp) -> None:
        text = self._app.desk.look_up(event.found)
        if text:
            self._app.tell(text)
        self._own_changes({view.id: view for view in event.found.values() if view is not None})

    def _own_changes(self, views: dict[str, IncidentView | None]) -> None:
        known = {ref: view for ref, view in views.items() if ref in self._app.model.views}
        self._app.model.change(known, busy=True, own=True)
        for ref, view in views.items():
            story = self._app.stories.get(ref)
            if story is not None and view is not None:
                story.detail.incident = view
                self._app.link.read_story(ref)
        self._app.repaint_all()

    # --- windows that wait for data -------------------------------------------------------------------------

    def on_people_read(self, event: messages.PeopleRead) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, AssignTo):
                screen.fill(event.people)

    def on_notices_read(self, event: messages.NoticesRead) -> None:
        self._app.inbox_screen.fill(event.notices)
