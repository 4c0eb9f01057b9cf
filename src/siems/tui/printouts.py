"""What the hosts of a run printed, as lines: taken in piece by piece, as it comes over the stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from siems.wire import RunDetail, RunPiece, RunScripts

LONGEST = 4_000
"""Characters of one line that are kept."""


@dataclass(slots=True)
class Printout:
    """One line of a host; `step` is the number of the step that printed it, `attempt` which try of it."""

    host: str
    step: int
    name: str
    at: datetime
    error: bool
    text: str
    attempt: int = 1

    @property
    def said(self) -> str:
        return self.text.rstrip("\r")


class Output:
    """All that was printed, in order, and by host. A line may come in several pieces."""

    def __init__(self) -> None:
        self.all: list[Printout] = []
        self.hosts: dict[str, list[Printout]] = {}
        self.next = 0
        self._open: dict[tuple[str, int, int, bool], Printout] = {}

    def take(self, pieces: Iterable[RunPiece]) -> None:
        """Further pieces; those that are there already are left out."""
        for piece in pieces:
            if piece.id > self.next:
                self.next = piece.id
                self._take(piece)

    def _take(self, piece: RunPiece) -> None:
        key = (piece.host, piece.number, piece.attempt, piece.error)
        *whole, rest = piece.text.split("\n")
        for text in whole:
            self._add(key, piece, text)
            self._open.pop(key, None)
        if rest:
            self._add(key, piece, rest)

    def _add(self, key: tuple[str, int, int, bool], piece: RunPiece, text: str) -> None:
        line = self._open.get(key)
        if line is None:
            line = Printout(piece.host, piece.number, piece.step, piece.at, piece.error, "", piece.attempt)
            self._open[key] = line
            self.all.append(line)
            self.hosts.setdefault(piece.host, []).append(line)
        # a progress bar writes over itself: what is left of it is what counts
        whole = line.text + text
        back = "\r" if whole.endswith("\r") else ""
        line.text = whole.rstrip("\r").rpartition("\r")[2][:LONGEST] + back

    def of(self, host: str) -> Sequence[Printout]:
        """The lines of a host; of all of them without a name."""
        return self.hosts.get(host, ()) if host else self.all

    def last(self, host: str) -> str:
        """The newest line of a host that says anything."""
        return next((line.said for line in reversed(self.hosts.get(host, ())) if line.text.strip()), "")


@dataclass(slots=True)
class KnownRun:
    """What the console knows of a run."""

    ref: str
    run: RunDetail | None = None
    why: str = ""
    output: Output = field(default_factory=Output)
    scripts: list[RunScripts] = field(default_factory=list)
