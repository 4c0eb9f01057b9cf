"""The board's model: rows by id, a cursor that belongs to an incident, held changes, tombstones and marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from siems.tui.orders import SORTS
from siems.wire import IncidentView

CALM = 2.0
"""Seconds after a key press in which rows keep their places."""


class Board:
    """What is shown and where. Nothing here draws, waits or asks the daemon."""

    def __init__(self, *, sort: str = "sla") -> None:
        self.views: dict[str, IncidentView] = {}
        self.order: list[str] = []
        self.marks: set[str] = set()
        self.cursor: str | None = None
        self.tombstone: str | None = None
        self.held: dict[str, IncidentView | None] = {}
        self.top = 0
        self.height = 1
        self.sort = sort
        self.frozen = False
        self.total = 0
        self.widest = 0
        self._counts: dict[str, int] = {}
        self._late = 0
        self._place: dict[str, int] = {}
        self._keys: dict[str, tuple[Any, ...]] = {}
        """By what each row is sorted: thousands of rows are not looked at again because one has changed."""
        self._span: tuple[str, int] | None = None
        self._wanted: tuple[str, int] | None = None

    # --- reading --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.order)

    def at(self, line: int) -> IncidentView | None:
        """The incident on a screen line, counted from the top of the list's window."""
        index = self.top + line
        return self.views[self.order[index]] if 0 <= index < len(self.order) else None

    @property
    def current(self) -> IncidentView | None:
        """The incident under the cursor; None on a tombstone."""
        if self.cursor is None or self.cursor == self.tombstone:
            return None
        return self.views.get(self.cursor)

    def tally(self) -> tuple[dict[str, int], int]:
        """How many unresolved incidents of each severity, and how many of them are late."""
        gone = self.views.get(self.tombstone or "")
        if gone is not None:
            self._count(gone, -1)
        found = ({severity: count for severity, count in self._counts.items() if count}, self._late)
        if gone is not None:
            self._count(gone, 1)
        return found

    def _count(self, view: IncidentView, by: int) -> None:
        if view.state not in ("RESOLVED", "CLOSED"):
            self._counts[view.severity] = self._counts.get(view.severity, 0) + by
            self._late += by * (view.sla.response.breached or view.sla.resolution.breached)

    @property
    def index(self) -> int:
        return self._place.get(self.cursor or "", 0)

    def targets(self) -> list[IncidentView]:
        """What an action would act on: the marked rows in their order, else the one under the cursor."""
        if self.marks:
            marked = [self.views[ref] for ref in self.order if ref in self.marks and ref != self.tombstone]
            if marked:
                return marked
        return [self.current] if self.current is not None else []

    # --- changing -------------------------------------------------------------------------------------------

    def load(self, views: Iterable[IncidentView], *, total: int | None = None, other_list: bool = False) -> int:
        """Put the whole list in place; the cursor and the marks stay with their ids. Returns what changed.

        A row under the cursor that is gone leaves a tombstone, unless its reader asked for another list.
        """
        before = {ref: view for ref, view in self.views.items() if ref != self.tombstone}
        fresh = {view.id: view for view in views}
        vanished = self.cursor if self.cursor in self.views and self.cursor not in fresh else None
        changed = sum(1 for ref, view in fresh.items() if ref not in before or before[ref].version != view.version)
        changed += sum(1 for ref in before if ref not in fresh)
        if other_list:
            vanished = None
        kept = {vanished: self.views[vanished]} if vanished is not None else {}
        self.held.clear()
        self.views = {}
        self._keys, self._counts, self._late = {}, {}, 0
        for view in (fresh | kept).values():
            self._put(view)
        self.tombstone = vanished
        self.total = len(fresh) if total is None else total
        self.marks &= fresh.keys()
        self._settle()
        return changed

    def extend(self, views: Iterable[IncidentView]) -> None:
        """A further page of the same list."""
        for view in views:
            self._put(view)
        self.total = max(self.total, len(self.views))
        self._settle()

    def change(self, changes: Mapping[str, IncidentView | None], *, busy: bool = False, own: bool = False) -> bool:
        """Take in changed rows (None: gone). What would move rows waits while the reader is busy or froze it.

        The reader's `own` changes show in place even when frozen. Returns whether anything looks different.
        """
        moved: dict[str, IncidentView | None] = {}
        shown = False
        for ref, view in changes.items():
            known = self.views.get(ref)
            if view is None and (known is None or ref == self.tombstone):
                self.held.pop(ref, None)
            elif (self.frozen and not own) or (
                (busy or self.frozen) and (ref in self.held or self._moves(known, view))
            ):
                self.held[ref] = view
                if known is not None and view is not None and (own or not self.frozen):
                    self._show(view)  # it keeps its place until it is let in
                shown = True
            else:
                self.held.pop(ref, None)
                moved[ref] = view
        if moved:
            self._take_in(moved)
        return shown or bool(moved)

    def release(self) -> bool:
        """Let the held changes in, unless frozen."""
        if self.frozen or not self.held:
            return False
        held, self.held = self.held, {}
        self._take_in(held)
        return True

    def resort(self, sort: str) -> None:
        self.sort = sort
        self._keys = {ref: SORTS[sort](view) for ref, view in self.views.items()}
        self._settle()

    def _moves(self, known: IncidentView | None, view: IncidentView | None) -> bool:
        if known is None or view is None:
            return True
        return self._keys.get(known.id) != SORTS[self.sort](view)

    def _take_in(self, changes: Mapping[str, IncidentView | None]) -> None:
        stays = True
        for ref, view in changes.items():
            if view is not None:
                self.total += ref not in self.views
                stays &= self._put(view) and self.tombstone != ref
                if self.tombstone == ref:
                    self.tombstone = None
                    self.total += 1
                continue
            stays = False
            if ref in self.views and ref != self.tombstone:
                self.total -= 1
                self.marks.discard(ref)
                if ref == self.cursor:
                    self._bury()
                    self.tombstone = ref
                else:
                    self._drop(ref)
        if not stays:
            self._settle()

    def _put(self, view: IncidentView) -> bool:
        """Take a row in; whether it keeps its place."""
        key = SORTS[self.sort](view)
        known = self._keys.get(view.id)
        self._keys[view.id] = key
        self._show(view)
        return known == key

    def _show(self, view: IncidentView) -> None:
        if (before := self.views.get(view.id)) is not None:
            self._count(before, -1)
        self.views[view.id] = view
        self._count(view, 1)

    def _drop(self, ref: str) -> None:
        if (before := self.views.pop(ref, None)) is not None:
            self._count(before, -1)
        self._keys.pop(ref, None)

    def _bury(self) -> None:
        """Take an earlier tombstone away."""
        if self.tombstone is not None:
            self._drop(self.tombstone)
            self.tombstone = None

    def _settle(self) -> None:
        """Sort again; the row under the cursor keeps its screen line."""
        line = self.index - self.top
        keys = self._keys
        # as they were sorted before, so that little is left to sort
        known = [ref for ref in self.order if ref in keys]
        rest = [*known, *(keys.keys() - set(known))] if len(known) < len(keys) else known
        rest.sort(key=keys.__getitem__)
        if self.tombstone is not None:
            rest.remove(self.tombstone)
            rest.insert(min(self.index, len(rest)), self.tombstone)
        self.order = rest
        at = self.index
        self._place = {ref: place for place, ref in enumerate(self.order)}
        self.widest = max(map(len, self.order), default=0)
        if self._wanted is not None and self._wanted[0] in self._place:
            (self.cursor, line), self._wanted = self._wanted, None
        if self.cursor not in self._place:
            self.cursor = self.order[min(at, len(self.order) - 1)] if self.order else None
        self.top = self.index - line
        self._clamp()

    # --- moving ---------------------------------------------------------------------------------------------

    def want(self, ref: str | None, line: int = 0) -> None:
        """Put the cursor on an id, as soon as it is there."""
        if ref is None:
            return
        if ref in self._place:
            self.go(ref)
        else:
            self._wanted = (ref, line)

    def go(self, ref: str) -> None:
        """Put the cursor on a row that is there."""
        if ref not in self._place or ref == self.cursor:
            return
        self._wanted = None
        self.cursor = ref
        if self.tombstone is not None and ref != self.tombstone:
            self._bury()
            self._settle()
        self._extend_span()
        self.scroll_to_cursor()

    def move(self, rows: int) -> None:
        """Move the cursor by rows, stopping at the ends."""
        if self.order:
            self.go(self.order[max(0, min(len(self.order) - 1, self.index + rows))])

    def scroll(self, rows: int) -> None:
        """Move the window, taking the cursor along at its edge."""
        self.top += rows
        self._clamp()
        line = self.index - self.top
        if line < 0:
            self.move(-line)
        elif line >= self.height:
            self.move(self.height - 1 - line)

    def resize(self, height: int) -> None:
        self.height = max(1, height)
        self.scroll_to_cursor()

    def scroll_to_cursor(self) -> None:
        self.top = max(min(self.top, self.index), self.index - self.height + 1)
        self._clamp()

    def _clamp(self) -> None:
        self.top = max(0, min(self.top, len(self.order) - self.height))

    # --- marks ----------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        if self.current is None:
            return
        self.marks ^= {self.current.id}
        self.move(1)

    def mark_all(self) -> None:
        self.marks = {ref for ref in self.order if ref != self.tombstone}

    def mark_none(self) -> None:
        self.marks.clear()
        self._span = None

    def span(self) -> bool:
        """Begin marking a range at the cursor, or end it; returns whether one is open."""
        if self._span is not None or self.current is None:
            self._span = None
            return False
        self._span = (self.current.id, self.index)
        self.marks.add(self.current.id)
        return True

    def _extend_span(self) -> None:
        if self._span is None or self._span[0] not in self._place:
            return
        first, last = sorted((self._place[self._span[0]], self.index))
        self.marks |= {ref for ref in self.order[first : last + 1] if ref != self.tombstone}
