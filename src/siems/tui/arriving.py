"""What the app does with what arrives: when it asks for it, and how the alert stream takes it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from siems.tui import messages
from siems.tui.bodies import Body, body_of

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

BODIES = 40
SLOW = 5
"""Over a slow line arrivals are gathered for so many times as long."""


class Arriving:
    """The half of the app that keeps the alert stream. Nothing is asked for while nobody looks."""

    _gathering_arrivals = False
    _resting = False
    _older_asked = ""
    _filter_before = ""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    @property
    def _watched(self) -> bool:
        return self._app.alerts_screen in self._app.screen_stack

    # --- asking ---------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Ask for what came since, or for the newest."""
        model, app = self._app.arrivals, self._app
        if not (self._watched and app.state.up):
            return
        if model.loaded and model.latest:
            app.feed.since(model.query, model.latest)
        else:
            app.feed.first(model.query)

    def filter_arrivals(self, text: str) -> None:
        """Ask for the stream that a query describes."""
        app = self._app
        if not app.state.up:
            app.tell("a filter needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self._filter_before, app.arrivals.query = app.arrivals.query, text.strip()
        app.saved.stream_filter = app.arrivals.query
        app.arrivals.loaded, self._older_asked = False, ""
        app.feed.first(app.arrivals.query)
        app.repaint_all()

    def ask_older(self) -> None:
        """The page behind the last row, once, when the reader comes near it."""
        model = self._app.arrivals
        if model.loaded and model.wants_older and model.older != self._older_asked and self._app.state.up:
            self._older_asked = model.older or ""
            self._app.feed.older(model.query, self._older_asked)

    def read_body(self) -> None:
        """The body of the alert under the cursor, once the cursor rests."""
        if not self._resting:
            self._resting = True
            self._app.set_timer(self._app.rest, self._read_body)

    def _read_body(self) -> None:
        self._resting = False
        row = self._app.arrivals.current
        if row is not None and row.alert is not None and row.alert.id not in self._app.bodies and self._app.state.up:
            self._app.feed.body(row.alert.id)

    # --- hearing --------------------------------------------------------------------------------------------

    def on_arrived(self, _: messages.Arrived) -> None:
        app = self._app
        app.state.told(app.monotonic())
        if self._watched and not self._gathering_arrivals:
            self._gathering_arrivals = True
            app.set_timer(app.coalesce * (SLOW if app.low_bandwidth else 1), self._gather_arrivals)

    def _gather_arrivals(self) -> None:
        self._gathering_arrivals = False
        self.catch_up()

    def on_arrivals_read(self, event: messages.ArrivalsRead) -> None:
        app, model = self._app, self._app.arrivals
        if event.query != model.query or (event.after and event.after != model.latest):
            if event.query == model.query and event.rows and event.rows[0].cursor != model.latest:
                self.catch_up()  # it was asked before the last answer came, and knows more than that
            return
        if event.after and model.loaded:
            came = model.take(event.rows, event.older)
        else:
            model.replace(event.rows, event.older)
            model.following, model.frozen, came = True, False, True
        if came:
            app.refresh_soon()
            app.alerts_screen.arrived()
        self.ask_older()

    def on_older_read(self, event: messages.OlderRead) -> None:
        model = self._app.arrivals
        if event.query == model.query and event.before == model.older:
            model.extend(event.rows, event.older)
            self._app.alerts_screen.arrived()
            self.ask_older()

    def on_arrivals_refused(self, event: messages.ArrivalsRefused) -> None:
        app = self._app
        app.arrivals.query = app.saved.stream_filter = "" if event.query == self._filter_before else self._filter_before
        app.tell(f"filter: {event.why}  {event.hint}", "error")
        app.arrivals.loaded = bool(app.arrivals.rows)
        self.catch_up()
        app.repaint_all()

    def on_arrivals_failed(self, event: messages.ArrivalsFailed) -> None:
        self._older_asked = ""
        if self._app.state.up:
            self._app.tell(f"{event.why}  {event.hint}".strip(), "error")

    def on_body_read(self, event: messages.BodyRead) -> None:
        bodies = self._app.bodies
        found = body_of(event.alert) if event.alert is not None else None
        bodies[event.ref] = found or (event.why or "The body as it came is for staff.")
        while len(bodies) > BODIES:
            bodies.pop(next(iter(bodies)))
        self._app.alerts_screen.repaint()


Bodies = dict[str, Body | str]
"""Alert → its body, or why there is none to show."""
