"""The record in the place of the live stream: a clock that is played, and reads that ask for the past only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from textual.message import Message

from siems.client import Client
from siems.errors import SiemsError
from siems.tui import messages
from siems.tui.frame import LinkState
from siems.tui.link import Link
from siems.tui.looks import Piece
from siems.tui.server_clock import ServerClock
from siems.tui.tape import Tape
from siems.wire import IncidentDetail, IncidentView, Me, PlaybackBoard, PlaybackStep, PlaybackSteps, PlaybackStory

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

    def start(self, attempt: int = 0) -> None:
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
    """There is no link that could be live, nor one that could fall silent."""

    def quiet(self, monotonic: float) -> bool:
        return False

    def word(self, monotonic: float) -> Piece:
        return ("REPLAY", "lost") if self.up or not self.lost_at else super().word(monotonic)
