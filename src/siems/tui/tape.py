"""A past hour as it is played: where it stands, what has happened until then, and how fast it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise

from siems.wire import IncidentView, PlaybackStep

SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
SPEED = 60.0
QUIET = frozenset({"repeat"})
"""What does not count where one jumps to what happened next."""


class Tape:
    """The played clock and the board at it. Nothing here draws, waits or asks the daemon.

    Steps come by pages: `known` is the moment up to which all of them are there, and the clock goes no further.
    """

    def __init__(self, begin: datetime, end: datetime, *, speed: float = SPEED) -> None:
        self.begin, self.end, self.speed = begin, end, speed
        self.at = self.known = begin
        self.running = False
        self.steps: list[PlaybackStep] = []
        self.place = 0
        self.gaps: list[str] = []
        self._base: dict[str, IncidentView] = {}
        self._board: dict[str, IncidentView] = {}

    # --- filling --------------------------------------------------------------------------------------------

    def load(self, views: Iterable[IncidentView], gaps: Iterable[str]) -> None:
        """The board as the hour begins."""
        self._base = {view.id: view for view in views}
        self._board = dict(self._base)
        self.add_gaps(gaps)

    def extend(self, steps: Sequence[PlaybackStep], known: datetime, gaps: Iterable[str]) -> None:
        """The steps that follow, and up to when that is all."""
        self.steps += steps
        self.known = known
        self.add_gaps(gaps)

    def add_gaps(self, gaps: Iterable[str]) -> None:
        self.gaps += [gap for gap in gaps if gap not in self.gaps]

    # --- reading --------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.at >= self.end

    @property
    def share(self) -> float:
        """How much of the hour has been played, 0 to 1."""
        whole = (self.end - self.begin).total_seconds()
        return min(1.0, (self.at - self.begin).total_seconds() / whole) if whole > 0 else 1.0

    def board(self) -> list[IncidentView]:
        """What is on the board now."""
        return [view for view in self._board.values() if view.state != "CLOSED"]

    def last(self, most: int) -> list[PlaybackStep]:
        """What happened last, the newest first; that an alert came again is seen in its count."""
        loud = (step for step in reversed(self.steps[: self.place]) if step.kind not in QUIET)
        return list(islice(loud, most))

    # --- playing --------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> list[PlaybackStep]:
        """So much time of the reader's passes: the steps that happen in it."""
        if not self.running:
            return []
        passed = self._to(min(self.at + timedelta(seconds=seconds * self.speed), self.known, self.end))
        if self.ended:
            self.running = False
        return passed

    def on(self, *, loud: bool = False) -> list[PlaybackStep]:
        """To the next moment at which something happened (`loud`: something that counts), else to the end."""
        ahead = (step for step in self.steps[self.place :] if not loud or step.kind not in QUIET)
        step = next(ahead, None)
        return self._to(step.at if step is not None else min(self.known, self.end))

    def back(self, *, loud: bool = False) -> None:
        """To the moment before at which something happened; the beginning before the first."""
        moments = [step.at for step in self.steps[: self.place] if not loud or step.kind not in QUIET]
        self.seek(next((at for at in reversed(moments) if at < self.at), self.begin))

    def seek(self, at: datetime) -> None:
        """To any moment that is known: the board is made anew."""
        self.at, self.place = self.begin, 0
        self._board = dict(self._base)
        self._to(max(self.begin, min(at, self.known, self.end)))

    def _to(self, at: datetime) -> list[PlaybackStep]:
        begin = self.place
        while self.place < len(self.steps) and self.steps[self.place].at <= at:
            view = self.steps[self.place].incident
            if view is not None:
                self._board[view.id] = view
            self.place += 1
        self.at = at
        return self.steps[begin : self.place]

    def faster(self) -> None:
        self.speed = next((speed for speed in SPEEDS if speed > self.speed), SPEEDS[-1])

    def slower(self) -> None:
        self.speed = next((slow for slow, speed in pairwise(SPEEDS) if speed >= self.speed), SPEEDS[0])
