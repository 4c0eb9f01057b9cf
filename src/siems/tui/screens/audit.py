"""The audit log: who did what, newest first, the entry under the cursor, and whether the chains are whole."""

from __future__ import annotations

from datetime import datetime

from textual import events
from textual.app import ComposeResult

from siems import present
from siems.tui import board_messages, frame, trail_lines
from siems.tui.actions import Where
from siems.tui.looks import Line, Piece, spread
from siems.tui.screens.list_place import ListPlace
from siems.tui.screens.place import bindings, filled
from siems.tui.shelf import Shelf
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.listing import Listing
from siems.tui.widgets.window import WHEEL
from siems.wire import AuditView, ChainHead, VerifyAnswer, WitnessState

LOW = 17
ENTRY, WIDE_ENTRY = 4, 9
KEEP = 500
"""So many older entries stay with the newest ones while somebody is at the top; they are asked for again."""
NEAR = 50
"""So many rows before the end of what was read, older ones are asked for."""


class AuditScreen(ListPlace):
    """Screen 7."""

    BINDINGS = bindings(Where.AUDIT)
    WHERE = Where.AUDIT

    def __init__(self) -> None:
        super().__init__()
        self.shelf: Shelf[AuditView] = Shelf(lambda one: f"{one.chain}:{one.seq}")
        self.query_text, self.query_before = "", ""
        self.older: str | None = None
        self.asked_older = ""
        self.chains: list[ChainHead] = []
        self.witness: WitnessState | None = None
        self.proof: VerifyAnswer | None = None
        self.proof_at: datetime | None = None
        self.proving = False
        self.open = False
        self.entry_top = 0

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "chain", "view", "columns"):
            yield Lines(looks, id=name)
        yield Listing(self.shelf, looks, self._row, id="rows")
        yield Lines(looks, id="end")
        yield Lines(looks, id="lower")
        yield from self.compose_bottom()

    # --- data -----------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.read()

    def begin_with(self, query: str) -> None:
        self.query_text = query

    def read(self) -> None:
        """The newest entries, and how far the chains have come."""
        if self.siems.state.up:
            self.siems.records.trail(self.query_text)
            self.siems.records.chains(signed=self._can_verify())

    def take(self, event: board_messages.TrailRead) -> None:
        """Entries came: the newest ones, or older ones for the end of the list."""
        if event.query != self.query_text:
            return
        if event.after:
            if event.after == self.older:
                self.shelf.extend(event.entries)
                self.older = event.older
        else:
            known = {self.shelf.key(one) for one in event.entries}
            joins = any(self.shelf.key(one) in known for one in self.shelf.items)
            before = self.shelf.items if self.shelf.loaded and joins else []
            rest = [one for one in before if self.shelf.key(one) not in known]
            at_top = max(self.shelf.index, self.shelf.top) + self.shelf.height < len(event.entries)
            if len(rest) > KEEP and at_top:
                rest = []
            self.shelf.replace([*event.entries, *rest])
            if not rest:
                self.older, self.asked_older = event.older, ""
        self._ask_older()
        self.repaint()

    def refused(self, event: board_messages.TrailRefused) -> None:
        """The daemon does not take this filter: the one before goes on."""
        self.query_text = "" if event.query == self.query_before else self.query_before
        self.siems.tell(f"filter: {event.why}  {event.hint}", "error")
        self.read()

    def verified(self, event: board_messages.Verified) -> None:
        self.proving = False
        if event.answer is None:
            self.siems.tell(f"not verified: {event.why}", "error")
        else:
            self.proof, self.proof_at = event.answer, self.siems.clock.now()
            self.witness = event.answer.witness or self.witness
            word = "whole" if event.answer.ok else "NOT whole"
            entries = present.plural(event.answer.entries, "entry").replace("entrys", "entries")
            self.siems.tell(f"{entries} recomputed: the record is {word}", "toast" if event.answer.ok else "error")
        self.repaint()

    def _ask_older(self) -> None:
        near = self.shelf.below < NEAR
        if near and self.older and self.older != self.asked_older and self.siems.state.up:
            self.asked_older = self.older
            self.siems.records.trail(self.query_text, self.older)

    # --- painting -------------------------------------------------------------------------------------------

    def _row(self, one: AuditView, here: bool) -> list[Piece]:
        return trail_lines.row(one, self.scene(), self.size.width, here=here)

    def tick(self) -> None:
        if self.shown:
            super().tick()
            self._paint_view()

    def repaint(self) -> None:
        if not self.shown:
            return
        width, scene = self.size.width, self.scene()
        lower = self._arrange()
        listing = self.listing
        listing.empty = self._empty()
        listing.repaint()
        self.lines("screens").show([self.screens_line()])
        self.lines("columns").show([trail_lines.heading(width)])
        self.lines("end").show([spread([("", "")], [(f"{self._end()} ", "dim")], width)])
        if lower:
            self.lines("lower").show(self._entry(lower))
        proof = trail_lines.Proof(self.chains, self.proof, self.proof_at, self.proving, self.witness)
        self.lines("chain").show([trail_lines.state(proof, scene, width, can=self._can_verify())])
        self.tick()

    def _can_verify(self) -> bool:
        return self.siems.me is not None and self.siems.may("verify_audit")

    def _arrange(self) -> int:
        """Room for the entry under the cursor; returns its lines."""
        height = self.size.height
        rows = 0 if height < LOW else WIDE_ENTRY if self.wide and height >= 32 else ENTRY
        if self.open and height >= LOW:
            rows = max(rows, height // 2)
        part = self.lines("lower")
        if part.display != bool(rows):
            part.display = bool(rows)
        if rows:
            part.styles.height = rows
        return rows

    def _entry(self, height: int) -> list[Line]:
        one, looks = self.shelf.current, self.siems.looks
        if one is None:
            return filled([[(looks.rule(self.size.width), "rule")], [("nothing selected", "dim")]], height)
        lines = trail_lines.entry(one, self.scene(), self.size.width, whole=self.open)
        self.entry_top = max(0, min(self.entry_top, len(lines) - height)) if self.open else 0
        head, *rest = lines
        return filled([head, *rest[self.entry_top :]][:height], height)

    def _paint_view(self) -> None:
        app, width = self.siems, self.size.width
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        left: list[Piece] = [("filter: ", "dim")]
        left.append((self.query_text, "bold") if self.query_text else ("none", ""))
        own = app.me is not None and app.me.user.role == "technician"
        more = "+" if self.older else ""
        right: list[Piece] = [("  what you did  ", "dim")] if own else []
        right.append((f"  {len(self.shelf)}{more} read", ""))
        self.lines("view").show([spread(left, right, width)])

    def _end(self) -> str:
        if self.shelf.below:
            return f"{self.shelf.below} more below"
        if not self.shelf.loaded:
            return ""
        if self.older:
            return "reading older ones..." if self.siems.state.up else "older ones need the daemon"
        return self.end_of("row")

    def _empty(self) -> list[list[Piece]]:
        if lost := self.no_daemon():
            return lost
        if not self.shelf.loaded:
            return [[("reading the log...", "dim")]]
        if self.query_text:
            return [[("No entry matches this filter.", "bold")], [("esc", "key"), (" clears it", "")]]
        return [[("Nothing was done yet.", "bold")], [("Every change appears here, with who made it and why.", "dim")]]

    # --- keys -----------------------------------------------------------------------------------------------

    def moved(self) -> None:
        self.entry_top = 0
        self._ask_older()
        self.repaint()

    def clicked_twice(self) -> None:
        self.do_entry()

    def do_entry(self) -> None:
        self.open, self.entry_top = not self.open, 0
        self._arrange()
        self.call_after_refresh(self.repaint)

    def do_pane_down(self) -> None:
        self._scroll(WHEEL)

    def do_pane_up(self) -> None:
        self._scroll(-WHEEL)

    def _scroll(self, rows: int) -> None:
        if not self.open:
            self.siems.tell("enter shows the whole entry, which J and K scroll")
        self.entry_top = max(0, self.entry_top + rows)
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(-WHEEL)

    def do_incident(self) -> None:
        one = self.shelf.current
        ref = trail_lines.incident_of(one) if one is not None else ""
        if ref:
            self.siems.open_incident(ref)
        elif one is not None:
            self.siems.tell(f"this entry is about {present.safe(one.object[:40]) or 'nothing'}, which is no incident")

    def do_verify(self) -> None:
        if not self._can_verify():
            self.siems.tell("verify is for admins: it reads every chain", "error")
        elif not self.siems.state.up:
            self.siems.tell("verify needs the daemon; it is unreachable (ctrl+r retry)", "error")
        elif not self.proving:
            self.proving = True
            self.siems.records.verify()
            self.repaint()

    def do_undo(self) -> None:
        """Take back what this entry is about, where that is still possible; else the last act."""
        one = self.shelf.current
        self.siems.hands.undo_of(trail_lines.incident_of(one) if one is not None else "")

    def do_export(self) -> None:
        if not self.siems.state.up:
            self.siems.tell("export needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self.siems.tell("exporting what the filter shows")
        self.siems.records.export_trail(self.query_text, self.siems.clock.now())

    def do_copy(self) -> None:
        one = self.shelf.current
        if one is None:
            self.siems.tell("copy: nothing is selected")
        else:
            self.siems.offer_copies(trail_lines.copies(one))

    def do_filter(self) -> None:
        self.prompt("filter", "/", value=self.query_text, hint="actor:maria action:incident object:INC-12 since:<24h")

    def take_filter(self, text: str) -> None:
        if not self.siems.state.up:
            self.siems.tell("a filter needs the daemon; it is unreachable (ctrl+r retry)", "error")
            return
        self.query_before, self.query_text = self.query_text, text.strip()
        self.shelf.loaded, self.older, self.asked_older = False, None, ""
        self.shelf.replace([])
        self.shelf.loaded = False
        self.siems.records.trail(self.query_text)
        self.repaint()

    def prompted(self, purpose: str, value: str) -> None:
        if purpose == "filter":
            self.take_filter(value)
        else:
            super().prompted(purpose, value)

    def do_back(self) -> None:
        if self.open:
            self.do_entry()
        elif self.query_text:
            self.take_filter("")
        else:
            super().do_back()
