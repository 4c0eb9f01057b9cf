"""The console over a past hour: the same board, read from the record, on a clock that is played."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import msgspec

from siems.client import Client
from siems.errors import InvalidField, UsageError
from siems.tui import commands, saved
from siems.tui.actions import Deed, Where
from siems.tui.app import SiemsApp
from siems.tui.hands import Hands
from siems.tui.matching import Moment, compiled, moves_with_time
from siems.tui.played import PlayedClock, PlayedLink, PlayedState, StepsLoaded, TapeLoaded
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.replay import PAST, ReplayDetail, ReplayScreen
from siems.tui.tape import SPEED, SPEEDS, Tape
from siems.tui.terminal import draws_utf8, leave_with_terminal
from siems.wire import IncidentView, PlaybackStep

TICK = 0.25
HOUR = timedelta(hours=1)
COMMANDS = "INC-42, 14:30, view late, filter QUERY, co acme, sort score"


def moment_of(text: str, here: datetime) -> datetime | None:
    """`14:30` or `14:30:20` of the day that is played; None for anything else."""
    try:
        clock = time.fromisoformat(text.strip()) if ":" in text else None
    except ValueError:
        return None
    if clock is None or clock.tzinfo is not None:
        return None
    return here.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)


class TiedHands(Hands):
    """Nothing is done to the past."""

    def held_back(self, deed: Deed) -> str:
        return PAST

    def undo(self) -> None:
        self.app.tell(PAST, "error")


class ReplayApp(SiemsApp):
    """One past hour at one daemon; `wanted` is the incident to begin with."""

    def __init__(self, client: Client, tape: Tape, *, begin_filter: str = "", wanted: str = "", **how: Any) -> None:
        super().__init__(client, read_only=True, clock=PlayedClock(tape), **how)
        self.tape = tape
        self.link = PlayedLink(client, self.post_message, tape)
        self.state, self.hands = PlayedState(), TiedHands(self)
        before, self.saved = self.saved, saved.Saved()
        self._matches = compiled("")
        self.saved.pane, self.saved.zone = before.pane, before.zone
        self._heard_until = self.monotonic()
        self.begin_filter, self.wanted = begin_filter, wanted

    def on_mount(self) -> None:
        """Besides what the console does then, which is called by itself."""
        if self.ticking:
            self.set_interval(TICK, self.play)

    def first_screen(self) -> BoardScreen:
        return ReplayScreen()

    def incident_screen(self, ref: str) -> DetailScreen:
        return ReplayDetail(ref)

    def _first_paint(self) -> None:
        """The last session has nothing to do with this."""

    def keep(self) -> None:
        """And nothing of this is for the next one."""

    # --- the record -----------------------------------------------------------------------------------------

    def on_tape_loaded(self, event: TapeLoaded) -> None:
        # how many notices wait, and who is on call, is of today
        self.me = msgspec.structs.replace(event.me, unread=0, on_call_until=None)
        self.loaded = True
        self.state.returned()
        self.tape.load(event.views, event.gaps)
        self.set_filter(self.begin_filter)

    def on_steps_loaded(self, event: StepsLoaded) -> None:
        first = self.tape.known == self.tape.begin
        self.tape.extend(event.steps, event.known, event.gaps)
        if first:
            self.tape.running = True
            if self.tape.gaps:
                self.tell(f"not on record: {self.tape.gaps[0]}", "error")
        if self.wanted and self.tape.known >= self.tape.end:
            ref, self.wanted = self.wanted, ""
            self.find(ref)
        self.repaint_all()

    def do_retry(self) -> None:
        """Read it again, from the beginning."""
        if self.state.up:
            self.tell("the record is there: , and . jump to what happened")
            return
        self.state.lost_at = 0.0
        self.link.start()

    # --- playing --------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Some time has passed for the reader, and more on the tape."""
        now = self.monotonic()
        gone, self._heard_until = now - self._heard_until, now
        if self.tape.running:
            self.show(self.tape.advance(gone))

    def show(self, steps: list[PlaybackStep]) -> None:
        """What happened just now, on the board."""
        changed: dict[str, IncidentView | None] = {}
        for step in steps:
            if step.incident is not None:
                view = step.incident
                changed[view.id] = None if view.state == "CLOSED" or not self._fits(view) else view
        if moves_with_time(self.saved.filter):
            here = {view.id: view for view in self._filtered()}
            shown = {ref for ref in self.model.views if ref != self.model.tombstone}
            changed |= {ref: None for ref in shown if ref not in here}
            changed |= {ref: view for ref, view in here.items() if ref not in shown}
        if changed:
            self.model.change(changed)
        self._tell_again({step.incident_id for step in steps if step.incident_id})
        self.repaint_all()

    def jump(self, move: Callable[[], object]) -> None:
        """Go somewhere else on the tape; the board there is another one."""
        self.tape.running = False
        move()
        self._show_anew()

    def _show_anew(self) -> None:
        self.model.load(self._filtered(), other_list=True)
        self.stories.clear()
        self._tell_again(set())
        self.repaint_all()

    def _tell_again(self, refs: set[str]) -> None:
        """The stories of these go on."""
        for ref in refs:
            self.stories.pop(ref, None)
        for place in self.places():
            if isinstance(place, DetailScreen) and (place.ref in refs or not refs):
                self.link.read_story(place.ref)
        self.peek()

    # --- what is looked at ----------------------------------------------------------------------------------

    def _fits(self, view: IncidentView) -> bool:
        return self._matches(view, Moment(self.tape.at, self.me.user.id if self.me else ""))

    def _filtered(self) -> list[IncidentView]:
        return [view for view in self.tape.board() if self._fits(view)]

    def set_filter(self, text: str) -> None:
        """Only what matches at the played moment; nobody is asked."""
        try:
            self._matches = compiled(text)
        except InvalidField as why:
            self.tell(f"{why.message}   {why.hint or ''}", "error")
            return
        self.saved.filter, self.saved.view = text, ""
        self._show_anew()

    def seek(self, at: datetime) -> None:
        """To a moment of the hour, as far as it is read."""
        if not self.tape.begin <= at <= self.tape.end:
            self.tell(f"{self.scene_time(at)} is not in what is played: siems tui --replay plays another hour", "error")
        elif at > self.tape.known:
            self.tell("still reading the record", "error")
        else:
            self.jump(lambda: self.tape.seek(at))

    def scene_time(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def find(self, ref: str) -> None:
        """To an incident: on the board as it is, else at the moment at which it comes first."""
        if ref not in {view.id for view in self.tape.board()}:
            first = next((step.at for step in self.tape.steps if step.incident and step.incident.id == ref), None)
            if first is None:
                more = "" if self.tape.known >= self.tape.end else ", as far as it is read"
                self.tell(f"{ref} is on no board of this hour{more}", "error")
                return
            self.jump(lambda: self.tape.seek(first))
        if ref not in self.model.views:
            self.tell(f"{ref} does not match the filter: esc clears it", "error")
            return
        self.model.go(ref)
        self.peek()
        self.repaint_all()

    def run_command(self, text: str) -> None:
        """`:INC-42`, `:14:30`, `:view late`, `:filter QUERY`, `:co acme`, `:sort score`, `:quit`."""
        here = self.tape.at.astimezone(self.zone)
        if (found := moment_of(text, here)) is not None:
            # the hour may go on past midnight
            self.seek(found if found >= self.tape.begin else found + timedelta(days=1))
            return
        try:
            wish = commands.parse(text)
        except ValueError as why:
            self.tell(str(why), "error")
            return
        if wish.word == "open" and wish.refs:
            self.find(wish.refs[0])
        elif wish.word == "view" and (view := saved.view_named(wish.rest)) is not None:
            self.use_view(view)
        elif wish.word in ("filter", "co", "company", "sort", "tz", "theme", "view"):
            self._run_view(wish)
        elif wish.word == "quit":
            self.leave()
        elif wish.word:
            self.tell(f"REPLAY takes no {wish.word}: {COMMANDS}", "error")

    # --- what there is not ----------------------------------------------------------------------------------

    def go_to(self, where: Where) -> None:
        self.tell("REPLAY has the incidents only: the other screens show today (Q leaves)", "error")

    def do_command(self) -> None:
        self.places()[-1].prompt("command", ":", hint=COMMANDS)


def run(
    client: Client, *, begin: datetime, now: datetime, speed: float = SPEED, theme: str = "", ascii_only: bool = False,
    color: str = "", mouse: bool = True, view: str = "", target: str = "",
) -> int:  # fmt: skip
    """Play the hour that begins then, until its reader leaves; returns the exit code. Raises UsageError.

    `view` is a saved view or a query to begin with, `target` an incident.
    """
    wanted = commands.ref(target) if target else ""
    if wanted is None:
        raise UsageError(f"{target!r} is no incident", hint="siems tui INC-12 --replay -3h")
    kept = saved.view_named(view) if view else None
    compiled(begin_filter := kept.filter if kept else view)
    if not 0 < speed <= SPEEDS[-1]:
        raise UsageError(f"the speed is more than 0 and at most {SPEEDS[-1]:g}", hint="60 is an hour in a minute")
    if os.environ.get("SIEMS_A11Y") == "1" or os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError("a replay needs a terminal that can be drawn on", hint="siems incident timeline INC-12")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a replay needs a terminal", hint="from a script:  siems audit list --json")
    tape = Tape(begin, min(begin + HOUR, now), speed=speed)
    app = ReplayApp(
        client,
        tape,
        begin_filter=begin_filter,
        wanted=wanted,
        theme=theme,
        ascii_only=ascii_only or not draws_utf8(os.environ, sys.stdout.encoding),
        color=color,
    )
    leave_with_terminal(sys.stdin.fileno(), save=app.keep, leave=lambda: app.call_from_thread(app.leave))
    left = app.run(mouse=mouse)
    return app.return_code or left or 0
