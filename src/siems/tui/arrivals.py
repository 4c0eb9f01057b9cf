"""The alert stream's model: rows newest first, a cursor that belongs to a row, following, pausing and freezing."""

from __future__ import annotations

from collections.abc import Sequence

from siems.wire import ArrivalView

KEEP = 1_500
"""Rows that are kept while new ones come; older ones are asked for again when somebody scrolls down to them."""
MOST = 2 * KEEP
NEAR = 50
"""This many rows before the end, older ones are asked for."""


class Arrivals:
    """What is shown and where. Nothing here draws, waits or asks the daemon.

    Following, the cursor is on the newest row. Paused, rows that come are put above the window, which stays where
    it is. Frozen, or when there is no room left, they are only counted until the reader goes on.
    """

    def __init__(self, query: str = "") -> None:
        self.query = query
        self.rows: list[ArrivalView] = []
        self.older: str | None = None
        self.latest = ""
        self.loaded = False
        self.following = True
        self.frozen = False
        self.index = 0
        self.top = 0
        self.height = 1
        self._above = 0
        self._held = 0
        self._more_held = False

    def __len__(self) -> int:
        return len(self.rows)

    # --- reading --------------------------------------------------------------------------------------------

    def at(self, line: int) -> ArrivalView | None:
        """The row on a screen line, counted from the top of the window."""
        index = self.top + line
        return self.rows[index] if 0 <= index < len(self.rows) else None

    @property
    def current(self) -> ArrivalView | None:
        return self.rows[self.index] if self.rows else None

    @property
    def cursor(self) -> str | None:
        return self.rows[self.index].cursor if self.rows else None

    @property
    def newer(self) -> int:
        """Rows that came and were not seen yet."""
        return self._above + self._held

    @property
    def newer_text(self) -> str:
        """`27 newer`, `1000+ newer`."""
        return f"{self.newer}{'+' if self._more_held else ''} newer"

    @property
    def below(self) -> int:
        return max(0, len(self.rows) - self.top - self.height)

    @property
    def wants_older(self) -> bool:
        """Whether the window is so near the end that older rows should be asked for."""
        return self.older is not None and self.below < max(NEAR, self.height)

    # --- what comes -----------------------------------------------------------------------------------------

    def replace(self, rows: Sequence[ArrivalView], older: str | None) -> None:
        """Another list: the first page of a query, or one that an interruption or a storm has cut off."""
        self.rows, self.older = list(rows), older
        if rows:
            self.latest = rows[0].cursor
        self.loaded = True
        self.index = self.top = self._above = self._held = 0
        self._more_held = False

    def take(self, rows: Sequence[ArrivalView], older: str | None) -> bool:
        """Rows newer than `latest`; `older` when more lie between these and those known. Returns whether any came."""
        if not rows:
            return False
        self.latest = rows[0].cursor
        gap = older is not None and bool(self.rows)
        if self.following and not self.frozen:
            if gap or not self.rows:
                self.replace(rows, older)
            else:
                self.rows = [*rows, *self.rows]
                self._trim(KEEP)
        elif self.frozen or self._held or gap or not self._room(len(rows)):
            self._held += len(rows)
            self._more_held |= gap
        else:
            self.rows = [*rows, *self.rows]
            if len(self.rows) > len(rows):
                self.index, self.top, self._above = (
                    self.index + len(rows),
                    self.top + len(rows),
                    self._above + len(rows),
                )
            self._trim(KEEP)
            self._show_cursor()  # a list that is shorter than its window has no room to stay where it was
        return True

    def extend(self, rows: Sequence[ArrivalView], older: str | None) -> None:
        """An older page. With too many rows the newest ones are let go: following asks for them again."""
        self.rows, self.older = [*self.rows, *rows], older
        spare = min(len(self.rows) - MOST, self.top)
        if spare > 0:
            del self.rows[:spare]
            self.index, self.top, self._above = self.index - spare, self.top - spare, max(0, self._above - spare)
            self._held += spare
            self._more_held = True

    def _room(self, coming: int) -> bool:
        """Whether as many fit above without letting go of what is on the screen."""
        return self.top + self.height + coming <= MOST

    def _trim(self, keep: int) -> None:
        keep = max(keep, self.top + self.height)
        if len(self.rows) > keep:
            self.older = self.rows[keep - 1].cursor
            del self.rows[keep:]

    # --- following, pausing, freezing -----------------------------------------------------------------------

    def follow(self) -> bool:
        """Go on with the newest. Returns whether rows that were only counted have to be asked for."""
        self.following, self.frozen = True, False
        self.index = self.top = self._above = 0
        self._trim(KEEP)
        return self._release()

    def pause(self) -> None:
        self.following = False

    def freeze(self) -> bool:
        """Freeze, or go on as before. Returns whether rows that were only counted have to be asked for."""
        self.frozen = not self.frozen
        return not self.frozen and self._release()

    def _release(self) -> bool:
        held, self._held, self._more_held = self._held, 0, False
        if held and self.rows:
            self.latest = self.rows[0].cursor
        elif held:
            self.latest = ""
        return bool(held)

    # --- moving ---------------------------------------------------------------------------------------------

    def go(self, index: int) -> None:
        """Put the cursor on a row, which pauses."""
        self.pause()
        self.index = max(0, min(len(self.rows) - 1, index))
        self._show_cursor()

    def scroll(self, rows: int) -> None:
        """Move the window, taking the cursor along at its edge."""
        self.pause()
        self.top = max(0, min(self.top + rows, len(self.rows) - self.height))
        self.index = max(self.top, min(self.index, self.top + self.height - 1))
        self._show_cursor()

    def resize(self, height: int) -> None:
        self.height = max(1, height)
        self._show_cursor()

    def _show_cursor(self) -> None:
        self.index = max(0, min(self.index, len(self.rows) - 1))
        self.top = max(min(self.top, self.index), self.index - self.height + 1)
        self.top = max(0, min(self.top, len(self.rows) - self.height))
        self._above = min(self._above, self.top)

    def critical(self, step: int) -> int | None:
        """The next critical row below (1) or above (-1) the cursor. The newest counts while following."""
        start = self.index if self.following and step > 0 else self.index + step
        places = range(start, len(self.rows)) if step > 0 else range(start, -1, -1)
        return next((place for place in places if is_critical(self.rows[place])), None)


def is_critical(row: ArrivalView) -> bool:
    return row.alert is not None and row.alert.severity == "CRITICAL" and row.kind != "recovered"
