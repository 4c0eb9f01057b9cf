"""The console over a past hour: the same board, read from the record, on a clock that is played."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from textual.message import Message

from siems.client import Client
from siems.errors import SiemsError, UsageError
from siems.tui import messages, saved
from siems.tui.actions import Deed, Where
from siems.tui.app import SiemsApp
from siems.tui.frame import LinkState
from siems.tui.hands import Hands
from siems.tui.link import Link
from siems.tui.looks import Piece
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.replay import PAST, ReplayDetail, ReplayScreen
from siems.tui.server_clock import ServerClock
from siems.tui.tape import SPEED, SPEEDS, Tape
from siems.tui.terminal import leave_with_terminal
from siems.wire import IncidentDetail, IncidentView, Me, PlaybackBoard, PlaybackStep, PlaybackSteps, PlaybackStory

TICK = 0.25
HOUR = timedelta(hours=1)
BOARD_PAGE, STEP_PAGE = 300, 500


@dataclass
class TapeLoaded(Message):
    """The board as the hour begins."""

    views: list[IncidentView]
    gaps: list[str]
    me: Me


@dataclass
class StepsLoaded(Message):
    """The steps that follow, and up to when that is all."""

    steps: list[PlaybackStep]
    known: datetime
    gaps: list[str]


class PlayedClock(ServerClock):
    """The time of the tape, whatever a daemon says."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self.tape = tape

    def now(self) -> datetime:
        return self.tape.at

    def sync(self, server_time: datetime) -> None:
        """Answers come from another time."""


class PlayedLink(Link):
    """Reads the record instead of following the stream. It asks for nothing of today."""

    def __init__(self, client: Client, post: Callable[[Message], object], tape: Tape) -> None:
        super().__init__(client, post)
        self.tape = tape

    def start(self) -> None:
        """Read the board, then all that happened, page by page."""
        self.reads.put("tape", self._load)

    def stop(self) -> None:
        self._generation += 1

    def _load(self) -> None:
        generation = self._generation
        try:
            me = msgspec.convert(self.client.me(), Me)
            views, gaps = self._board()
            self.post(TapeLoaded(views, gaps, me))
            after: datetime | None = self.tape.begin
            while after is not None and generation == self._generation:
                page = self._steps(after)
                self.post(StepsLoaded(page.items, page.next or self.tape.end, page.gaps))
                after = page.next
        except SiemsError as why:
            self.post(messages.LinkDown(why.message, why.hint, 0.0, 1))
        except msgspec.ValidationError as why:
            self.post(messages.LinkDown(f"the daemon's answer cannot be read: {why}", "upgrade siems", 0.0, 1))

    def _board(self) -> tuple[list[IncidentView], list[str]]:
        views: list[IncidentView] = []
        gaps: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.client.board_at(self.tape.begin.isoformat(), limit=BOARD_PAGE, cursor=cursor)
            page = msgspec.convert(answer, PlaybackBoard)
            views, gaps, cursor = views + page.items, gaps + page.gaps, page.next
        return views, gaps

    def _steps(self, after: datetime) -> PlaybackSteps:
        answer = self.client.steps_between(after.isoformat(), self.tape.end.isoformat(), limit=STEP_PAGE)
        return msgspec.convert(answer, PlaybackSteps)

    def read_story(self, ref: str) -> None:
        at = self.tape.at

        def run() -> None:
            try:
                told = msgspec.convert(self.client.story_at(ref, at.isoformat()), PlaybackStory)
            except SiemsError as why:
                self.post(messages.StoryFailed(ref, why.message, why.hint))
                return
            detail = IncidentDetail(incident=told.incident, priority_terms={}, undo=None, server_time=at)
            self.post(messages.StoryRead(ref, messages.Story(detail, told.timeline, told.alerts)))

        self.reads.put("story", run)

    def read_me(self) -> None:
        """Who is on call now has no place here."""

    def read_summary(self) -> None:
        """Nor what today was like."""

    def relist(self, query: str, sort: str) -> None:
        """Nor another list of today."""


class PlayedState(LinkState):
    """There is no link that could be live."""

    def word(self, monotonic: float) -> Piece:
        return ("REPLAY", "lost") if self.up or not self.lost_at else super().word(monotonic)


class TiedHands(Hands):
    """Nothing is done to the past."""

    def held_back(self, deed: Deed) -> str:
        return PAST

    def undo(self) -> None:
        self.app.tell(PAST, "error")


class ReplayApp(SiemsApp):
    """One past hour at one daemon."""

    def __init__(self, client: Client, tape: Tape, **how: Any) -> None:
        super().__init__(client, read_only=True, clock=PlayedClock(tape), **how)
        self.tape = tape
        self.link = PlayedLink(client, self.post_message, tape)
        self.state, self.hands = PlayedState(), TiedHands(self)
        before, self.saved = self.saved, saved.Saved()
        self.saved.pane, self.saved.zone = before.pane, before.zone
        self._heard_until = self.monotonic()

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
        self._show_anew()

    def on_steps_loaded(self, event: StepsLoaded) -> None:
        first = self.tape.known == self.tape.begin
        self.tape.extend(event.steps, event.known, event.gaps)
        if first:
            self.tape.running = True
            if self.tape.gaps:
                self.tell(f"not on record: {self.tape.gaps[0]}", "error")
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
                changed[view.id] = None if view.state == "CLOSED" else view
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
        self.model.load(self.tape.board(), other_list=True)
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

    # --- what there is not ----------------------------------------------------------------------------------

    def go_to(self, where: Where) -> None:
        self.tell("REPLAY has the incidents only: the other screens show today (Q leaves)", "error")

    def do_command(self) -> None:
        self.tell("REPLAY takes no commands: ? lists its keys", "error")


def run(
    client: Client, *, begin: datetime, now: datetime, speed: float = SPEED, theme: str = "", ascii_only: bool = False,
    color: str = "", mouse: bool = True,
) -> int:  # fmt: skip
    """Play the hour that begins then, until its reader leaves; returns the exit code. Raises UsageError."""
    if not 0 < speed <= SPEEDS[-1]:
        raise UsageError(f"the speed is more than 0 and at most {SPEEDS[-1]:g}", hint="60 is an hour in a minute")
    if os.environ.get("SIEMS_A11Y") == "1" or os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError("a replay needs a terminal that can be drawn on", hint="siems incident timeline INC-12")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a replay needs a terminal", hint="from a script:  siems audit list --json")
    tape = Tape(begin, min(begin + HOUR, now), speed=speed)
    utf8 = "utf" in (sys.stdout.encoding or "").lower()
    app = ReplayApp(client, tape, theme=theme, ascii_only=ascii_only or not utf8, color=color)
    leave_with_terminal(sys.stdin.fileno(), save=app.keep, leave=lambda: app.call_from_thread(app.leave))
    left = app.run(mouse=mouse)
    return app.return_code or left or 0
