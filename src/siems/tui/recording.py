"""What the app does with the audit log, duty and notices: when it asks for them, and what it does with answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from siems.tui import board_messages, messages
from siems.tui.actions import BY_ID
from siems.tui.desk import LogLine
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.logs import Doctor
from siems.tui.screens.tables import WhoWindow

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


class Recording:
    """The half of the app that keeps the boards beside the incidents. Nothing is asked for while nobody looks."""

    calm = 1.0
    """Seconds in which changes are gathered before the boards ask again."""
    _rereading = False

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    # --- asking ---------------------------------------------------------------------------------------------

    def read_again(self) -> None:
        """Ask again for what is looked at."""
        app = self._app
        if not app.state.up:
            return
        for place in (app.audit_screen, app.oncall_screen, app.inbox_screen):
            if place in app.screen_stack:
                place.read()

    def on_happened(self, _: messages.Happened) -> None:
        app = self._app
        app.state.told(app.monotonic())
        watched = app.audit_screen in app.screen_stack or app.oncall_screen in app.screen_stack
        if watched and not self._rereading:
            self._rereading = True
            app.set_timer(self.calm * (5 if app.low_bandwidth else 1), self._reread)

    def _reread(self) -> None:
        self._rereading = False
        self.read_again()

    def change(self, job: Callable[[str], object], cli: str, said: str) -> None:
        """Make a change that is none of an incident, once, under a key of its own."""
        app = self._app
        if why := app.hands.held_back(BY_ID["override"]):
            app.tell(why, "error")
            return
        key = uuid.uuid4().hex
        app.records.change(lambda: job(key), cli=cli, said=said)

    def do_who(self) -> None:
        """Who would be paged for an incident like the selected one."""
        app = self._app
        view = next(iter(app.places()[-1].subjects()), None) or app.model.current
        if view is None:
            app.tell("who: select an incident on the board first", "error")
        elif not app.state.up:
            app.tell("who needs the daemon; it is unreachable (ctrl+r retry)", "error")
        else:
            app.push_screen(WhoWindow(view.id, f"{view.severity} of {view.company}"))
            app.records.who(view.id, view.company_id, view.severity)

    # --- hearing --------------------------------------------------------------------------------------------

    def on_trail_read(self, event: board_messages.TrailRead) -> None:
        self._app.audit_screen.take(event)

    def on_trail_refused(self, event: board_messages.TrailRefused) -> None:
        self._app.audit_screen.refused(event)

    def on_chains_read(self, event: board_messages.ChainsRead) -> None:
        self._app.audit_screen.chains = event.chains
        self._app.audit_screen.witness = event.witness or self._app.audit_screen.witness
        self._app.audit_screen.repaint()

    def on_verified(self, event: board_messages.Verified) -> None:
        self._app.audit_screen.verified(event)

    def on_duty_read(self, event: board_messages.DutyRead) -> None:
        self._app.oncall_screen.fill(event.duty)

    def on_load_read(self, event: board_messages.LoadRead) -> None:
        self._app.oncall_screen.loads[event.schedule] = event.load
        self._app.oncall_screen.repaint()

    def on_who_read(self, event: board_messages.WhoRead) -> None:
        self._app.oncall_screen.who = event
        self._app.oncall_screen.repaint()
        for screen in self._app.screen_stack:
            if isinstance(screen, WhoWindow):
                screen.fill(event)

    def on_why_read(self, event: board_messages.WhyRead) -> None:
        self._app.inbox_screen.reasons[event.object] = event.told
        self._app.inbox_screen.repaint()

    def on_past_read(self, event: board_messages.PastRead) -> None:
        for place in self._app.places():
            if isinstance(place, DetailScreen):
                place.take_past(event.ref, event.views)

    def on_done(self, event: board_messages.Done) -> None:
        app = self._app
        outcome = f"{event.why}  {event.hint}".strip() if event.why else event.said
        if event.cli:
            app.desk.log.append(LogLine(app.clock.now(), event.cli, outcome))
        app.tell(outcome, "error" if event.why else "toast")
        self.read_again()

    def on_status_read(self, event: board_messages.StatusRead) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, Doctor):
                screen.fill(event.status, event.why)

    def on_whos_read(self, event: board_messages.WhosRead) -> None:
        self._app.whos = event.whos

    def on_exported(self, event: board_messages.Exported) -> None:
        if event.why:
            self._app.tell(event.why, "error")
        else:
            self._app.tell(f"{event.rows} lines written to {event.path}")
