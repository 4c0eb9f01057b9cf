"""The inbox: what the reader was told, newest first, and why they were told it."""

from __future__ import annotations

from textual.app import ComposeResult

from siems import present
from siems.tui import frame
from siems.tui.actions import Where
from siems.tui.link import NOTICES
from siems.tui.looks import Line, Piece, spread
from siems.tui.screens.list_place import ListPlace
from siems.tui.screens.place import bindings, filled
from siems.tui.shelf import Shelf
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.listing import Listing
from siems.wire import MessageView, NoticeView, ToldView

LOW = 17
WHEN, KIND, WHERE_TO = 8, 14, 10
SENT = {"sent": "sent", "pending": "waits", "sending": "is being sent", "failed": "failed, tried again",
        "dead": "could not be sent", "unknown": "perhaps sent", "cancelled": "cancelled"}  # fmt: skip


class InboxScreen(ListPlace):
    """Screen 8."""

    BINDINGS = bindings(Where.INBOX)
    WHERE = Where.INBOX

    def __init__(self) -> None:
        super().__init__()
        self.shelf: Shelf[NoticeView] = Shelf(lambda one: str(one.id))
        self.notices: list[NoticeView] = []
        self.unread_only = False
        self.reasons: dict[str, list[ToldView]] = {}
        self._asked = ""

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("screens", "view", "columns"):
            yield Lines(looks, id=name)
        yield Listing(self.shelf, looks, self._row, id="rows")
        yield Lines(looks, id="end")
        yield Lines(looks, id="lower")
        yield from self.compose_bottom()

    # --- data -----------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.read()

    def read(self) -> None:
        if self.siems.state.up:
            self.siems.link.read_notices(unread=self.unread_only)

    def fill(self, notices: list[NoticeView]) -> None:
        """Notices came."""
        self.notices = notices
        shown = [one for one in notices if not (self.unread_only and one.read)]
        self.shelf.replace(shown)
        self._ask_why()
        self.repaint()

    def _ask_why(self) -> None:
        """Why this one came, once for each object."""
        one = self.shelf.current
        if one is not None and one.object and one.object != self._asked and self.siems.state.up:
            self._asked = one.object
            if one.object not in self.reasons and one.object.startswith("INC-"):
                self.siems.records.why(one.object)

    # --- painting -------------------------------------------------------------------------------------------

    def _row(self, one: NoticeView, here: bool) -> list[Piece]:
        scene, width = self.scene(), self.size.width
        cut = scene.looks.cut
        what = width - WHEN - KIND - WHERE_TO - 8
        subject = one.subject.removeprefix(one.object).lstrip(" :") or one.subject
        return [
            (">" if here else " ", "mark"), ("   " if one.read else " o ", "stale"),
            (present.fit(present.ago(one.at, scene.now), WHEN) + " ", "dim"),
            (present.cell(one.kind.removeprefix("incident.").replace("_", " "), KIND, mark=cut) + " ", "dim"),
            (present.cell(subject, what, mark=cut) + " ", "" if one.read else "bold"),
            (present.cell(one.object, WHERE_TO, mark=cut), ""),
        ]  # fmt: skip

    def tick(self) -> None:
        if self.shown:
            super().tick()
            self.listing.repaint()
            self._paint_view()

    def repaint(self) -> None:
        if not self.shown:
            return
        width = self.size.width
        lower = 0 if self.size.height < LOW else 8 if self.wide else 4
        part = self.lines("lower")
        if part.display != bool(lower):
            part.display = bool(lower)
        if lower:
            part.styles.height = lower
            part.show(filled(self._why(width, lower), lower))
        self.listing.empty = self._empty()
        self.lines("screens").show([self.screens_line()])
        what = width - WHEN - KIND - WHERE_TO - 8
        words = f"    {'WHEN':<{WHEN}} {'KIND':<{KIND}} {present.fit('WHAT', what)} {'ABOUT':<{WHERE_TO}}"
        self.lines("columns").show([[(words, "head")]])
        self.lines("end").show([spread([("", "")], [(f"{self.end_of('notice')} ", "dim")], width)])
        self.tick()

    def _paint_view(self) -> None:
        app, width = self.siems, self.size.width
        if not app.state.up and app.state.lost_at:
            self.lines("view").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
            return
        unread, held = sum(not one.read for one in self.notices), len(self.notices)
        every = max(unread, app.me.unread if app.me else 0) if held >= NOTICES else unread
        all_ = f"the newest {held} are listed" if every > unread else f"{held} in all"
        view = "unread ones (f shows all)" if self.unread_only else "all (f shows unread ones)"
        left: list[Piece] = [(f"{every} unread", "bold" if every else ""), (f"  {all_}  ", ""),
                             ("view: ", "dim"), (view, "")]  # fmt: skip
        self.lines("view").show([spread(left, [], width)])

    def _why(self, width: int, height: int) -> list[Line]:
        """Which rule it came by, and by which other ways it was sent."""
        one, looks = self.shelf.current, self.siems.looks
        if one is None:
            return [[(looks.rule(width), "rule")]]
        lines: list[Line] = [frame.rule(looks, width, f"why this came: {one.object}")]
        told = next((told for told in self.reasons.get(one.object, ()) if told.subject == one.subject), None)
        if told is None:
            known = one.object in self.reasons or not one.object.startswith("INC-")
            nothing = "No more is kept about this notice." if known else "reading..."
            return [*lines, [(present.safe(one.subject[:300]), "bold")], [(nothing, "dim")]]
        lines.append([(present.safe(told.subject[:300]), "bold")])
        paged = "it pages" if told.pages else "it does not page"
        lines.append([("because ", "dim"), (present.safe(told.why[:300]) or paged, "")])
        scene = self.scene()
        sent = told.messages[: height - 3]
        return [*lines, *(self._sent(one, scene.time(one.sent_at or one.created_at)) for one in sent)]

    @staticmethod
    def _sent(one: MessageView, at: str) -> Line:
        word = SENT.get(one.state, one.state)
        role = "error" if one.state in ("dead", "unknown") else ""
        return [
            (present.cell(one.channel, 8), ""), (" ", ""), (present.safe(one.hint[:40]), "dim"), (f"  {at} ", "dim"),
            (present.safe(word[:30]), role), ("  ", ""), (present.safe(one.error[:80] or one.why[:80]), "dim"),
        ]  # fmt: skip

    def _empty(self) -> list[list[Piece]]:
        if lost := self.no_daemon():
            return lost
        if not self.shelf.loaded:
            return [[("reading...", "dim")]]
        if self.unread_only:
            return [[("Nothing unread.", "bold")], [("f", "key"), (" shows all", "")]]
        return [[("Nothing here.", "bold")], [("What is assigned or escalated to you comes here.", "dim")]]

    # --- keys -----------------------------------------------------------------------------------------------

    def moved(self) -> None:
        self._ask_why()
        self.repaint()

    def clicked_twice(self) -> None:
        self.do_open()

    def _mark(self, ids: list[int] | None) -> None:
        for one in self.notices:
            one.read = one.read or ids is None or one.id in ids
        self.siems.link.mark_read(ids, unread=self.unread_only)
        self.repaint()

    def do_open(self) -> None:
        """To what the notice is about; it is read then, unless nothing may be changed."""
        one = self.shelf.current
        if one is None:
            return
        app = self.siems
        if app.state.up and not app.read_only and not one.read:
            self._mark([one.id])
        if one.object.startswith("INC-"):
            app.open_incident(one.object)
        elif one.object.startswith("RUN-"):
            app.open_run(one.object)
        elif one.object.startswith("sch-") or one.kind.startswith(("oncall.", "swap.")):
            app.do_oncall()
        else:
            app.tell(f"this notice is about {present.safe(one.object[:40]) or 'nothing that has a screen'}")

    def do_read(self) -> None:
        one = self.shelf.current
        if one is not None:
            self._mark([one.id])
            self.shelf.move(1)
            self.moved()

    def do_read_all(self) -> None:
        self._mark(None)

    def do_unread(self) -> None:
        self.unread_only = not self.unread_only
        self.shelf.cursor = ""
        self.fill(self.notices)
        self.read()

    def do_copy(self) -> None:
        one = self.shelf.current
        if one is None:
            self.siems.tell("copy: nothing is selected")
            return
        choices = [("i", "id", one.object), ("t", "text", f"{one.at.isoformat()} {one.subject}"),
                   ("w", "why", f"siems notify why {one.object}")]  # fmt: skip
        self.siems.offer_copies(choices)
