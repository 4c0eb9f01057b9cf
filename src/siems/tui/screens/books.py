"""Windows to read: help, the command log, the inbox."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult

from siems import present
from siems.tui.actions import BY_ID, DEEDS, Deed, Where, shown
from siems.tui.looks import Line, Piece
from siems.tui.screens.overlay import ListOverlay, Overlay
from siems.tui.widgets.field import Field
from siems.wire import NoticeView

BESIDE = {
    "down": "up",
    "first": "last",
    "page_down": "page_up",
    "mark_all": "mark_none",
    "previous": "following",
    "next_critical": "previous_critical",
    "pane_down": "pane_up",
}
"""Deeds that share a line of the help with their opposites."""
HEADINGS = {Where.BOARD: "incidents", Where.DETAIL: "incident", Where.ALERTS: "alerts"}
_INCIDENTS = (
    ("SLA", "x breached  ! <10m  ~ <25% left  = paused  v met"),
    ("filter", 'severity:>=HIGH #acme @me sla:<1h -flapping:true "disk full"'),
    ("command", ":ack 12 13  :inc 121  :co acme  :sort score  :theme cb-safe  :quit"),
)
_ALERTS = (
    ("SEV", "CR HI ME LO  ok: it is over  rej: refused, and kept out"),
    ("INC", "waits: for more of its kind  silenced: by a silence  over: had none"),
    ("filter", 'severity:>=HIGH #acme source:zabbix received:<1h "disk full"'),
    ("command", ":alerts severity:CRITICAL  :inc 121  :co acme  :tz local  :quit"),
)
NOTES = (
    ("mouse", "click selects, twice opens, wheel scrolls, shift+drag copies"),
    ("keys", 'change them in keys.toml of the configuration folder:  resolve = "r"'),
)


def keys_of(deed: Deed) -> str:
    beside = BY_ID.get(BESIDE.get(deed.id, ""))
    return " ".join(shown(key) for key in (deed.keys[:1] + beside.keys[:1] if beside else deed.keys[:2]))


def title_of(deed: Deed) -> str:
    beside = BY_ID.get(BESIDE.get(deed.id, ""))
    return f"{deed.title}, {beside.title}" if beside else deed.title


class Help(Overlay[str | None]):
    """Every key, from the table; typing searches, Enter runs what is marked."""

    WIDTH = 80
    FIELD_FIRST = True

    def __init__(self, where: Where, greyed: Sequence[str], why: str) -> None:
        super().__init__(f" help: {HEADINGS.get(where, where.value)} ")
        self.where, self.greyed, self.why, self.at = where, greyed, why, 0

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, "search: ", hint="type; enter runs the marked one, esc closes", id="search")
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#search", Field).focus()

    @property
    def found(self) -> list[Deed]:
        words = self.query_one("#search", Field).value.lower().split()
        return [
            deed
            for deed in DEEDS
            if self.where in deed.where and deed.keys and deed.id not in BESIDE.values()
            and all(word in f"{deed.id} {deed.title} {keys_of(deed)}".lower() for word in words)
        ]  # fmt: skip

    @property
    def room(self) -> int:
        return max(6, self.app.size.height - 3)

    def content(self) -> list[Line]:
        found, searching = self.found, bool(self.query_one("#search", Field).value)
        marked = found[min(self.at, len(found) - 1)].id if searching and found else ""
        acts = [self._entry(deed, marked) for deed in found if deed.acts or deed.id == "undo"]
        rest = [self._entry(deed, marked) for deed in found if not (deed.acts or deed.id == "undo")]
        rows = min((len(acts) + len(rest) + 2) // 2, self.room - 3)
        below = self._below()[: self.room - rows]
        left = [*acts, [], *rest[rows:]]
        lines = [self._side_by_side(left, rest[:rows], row) for row in range(rows)]
        return [*(lines if found else [[("nothing of that name", "dim")]]), *below]

    def _side_by_side(self, left: list[list[Piece]], right: list[list[Piece]], row: int) -> list[Piece]:
        first = left[row] if row < len(left) else []
        pad = self.width // 2 - sum(present.cell_width(text) for text, _ in first)
        return [*first, (" " * pad, ""), *(right[row] if row < len(right) else [])]

    def _below(self) -> list[Line]:
        lines: list[Line] = [[(self.siems.looks.rule(self.width), "rule")]]
        if self.greyed:
            names = ", ".join(f"{shown(BY_ID[name].keys[0])} {name}" for name in self.greyed)
            lines.append([("not now ", "stale"), (f"{names}  ({self.why})", "")])
        notes = (*(_ALERTS if self.where is Where.ALERTS else _INCIDENTS), *NOTES)
        return [*lines, *([(f"{name:<8}", "dim"), (text, "")] for name, text in notes)]

    def _entry(self, deed: Deed, marked: str) -> list[Piece]:
        here, off = deed.id == marked, deed.id in self.greyed
        role = "off" if off else ("bold" if here else "")
        return [
            (">" if here else " ", "mark"),
            (f"{keys_of(deed):<12}", "off" if off else "key"),
            (title_of(deed), role),
        ]

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.at = 0
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        self.at = max(0, min(len(self.found) - 1, self.at + (1 if event.key == "down" else -1)))
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        found = self.found
        self.dismiss(found[min(self.at, len(found) - 1)].id if event.value and found else None)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)


class CommandLog(ListOverlay[None]):
    """The shell line of each action of this session, and what became of it."""

    def __init__(self) -> None:
        super().__init__(" command log ")

    def size_of_list(self) -> int:
        return len(self.siems.desk.log)

    def on_mount(self) -> None:
        self.at = max(0, len(self.siems.desk.log) - 1)
        super().on_mount()

    def content(self) -> list[Line]:
        rows: list[Line] = []
        for place, line in enumerate(self.siems.desk.log):
            at = present.clock_time(line.at, self.siems.zone)
            lead = ">" if place == self.at else " "
            cut = self.siems.looks.cut
            rows.append(
                [
                    (lead, "mark"),
                    (f"{at}  ", "dim"),
                    (present.cell(line.cli, self.width - 11, mark=cut), "bold"),
                ]
            )
            rows.append([(" " * 11, ""), (present.cell(line.outcome, self.width - 11, mark=cut), "dim")])
        if not rows:
            rows = [[("Nothing was done yet. Each action appears here as its shell command.", "dim")]]
        height = self.room - 3
        top = max(0, min(2 * self.at - height // 2, len(rows) - height))
        keys: Line = [("y", "key"), (" copy the line   ", ""), ("j k", "key"), (" choose   ", ""),
                      ("q esc", "key"), (" close", "")]  # fmt: skip
        return [*rows[top : top + height], [], keys]

    def key_pressed(self, key: str) -> None:
        if key == "y" and self.siems.desk.log:
            self.siems.copy(self.siems.desk.log[self.at].cli)
        elif key == "at":
            self.dismiss(None)
        else:
            super().key_pressed(key)


class Inbox(ListOverlay[str | None]):
    """Notices for the reader, newest first; leaves with the id of the incident to open."""

    WIDTH = 100

    def __init__(self) -> None:
        super().__init__(" inbox ")
        self.notices: list[NoticeView] | None = None

    def fill(self, notices: list[NoticeView]) -> None:
        here = self.notices[self.at].id if self.notices and self.at < len(self.notices) else 0
        self.notices = notices
        self.at = next((place for place, one in enumerate(notices) if one.id == here), 0)
        self.repaint()

    def size_of_list(self) -> int:
        return len(self.notices or ())

    def content(self) -> list[Line]:
        if self.notices is None:
            return [[("reading...", "dim")]]
        unread = sum(not one.read for one in self.notices)
        now, cut = self.siems.clock.now(), self.siems.looks.cut
        what = self.width - 34
        lines: list[Line] = [
            [(f"{unread} unread  {len(self.notices)} in all", "bold")],
            [(f"    {'WHEN':<9} {'KIND':<10} {'WHAT':<{what}} WHERE", "head")],
        ]
        rows: list[Line] = []
        for place, one in enumerate(self.notices):
            subject = one.subject.removeprefix(one.object).lstrip(" :") or one.subject
            rows.append([
                (">" if place == self.at else " ", "mark"), ("  " if one.read else " o", "stale"),
                (f" {present.fit(present.ago(one.at, now), 9)} ", "dim"),
                (present.cell(one.kind.rpartition(".")[2], 10) + " ", ""),
                (present.cell(subject, what, mark=cut), "" if one.read else "bold"), (" ", ""),
                (present.cell(one.object, 8), ""),
            ])  # fmt: skip
        if not rows:
            rows = [[("Nothing here. What is assigned or escalated to you comes here.", "dim")]]
        keys: Line = [("enter", "key"), (" open   ", ""), ("m", "key"), (" read   ", ""), ("M", "key"),
                      (" all read   ", ""), ("q esc", "key"), (" close", "")]  # fmt: skip
        return [*lines, *self.window(rows, self.room - 4), [], keys]

    def chosen(self) -> None:
        if self.notices:
            one = self.notices[self.at]
            self.siems.link.mark_read([one.id])
            self.dismiss(one.object)

    def key_pressed(self, key: str) -> None:
        if key == "m" and self.notices:
            self.siems.link.mark_read([self.notices[self.at].id])
            self.step("j")
        elif key == "M" and self.notices:
            self.siems.link.mark_read(None)
        elif key == "8":
            self.dismiss(None)
        else:
            super().key_pressed(key)

    def on_click(self, event: events.Click) -> None:
        event.stop()
