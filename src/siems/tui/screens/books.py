"""The help: every key of a screen, and how things are written there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult

from siems import present
from siems.tui import frame
from siems.tui.actions import BY_ID, DEEDS, Deed, Where, keys_of, shown
from siems.tui.looks import Line, Piece
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field

BESIDE = {
    "down": "up",
    "first": "last",
    "page_down": "page_up",
    "mark_all": "mark_none",
    "previous": "following",
    "next_critical": "previous_critical",
    "pane_down": "pane_up",
    "day_on": "day_back",
    "next_event": "previous_event",
    "step_on": "step_back",
    "faster": "slower",
}
"""Deeds that share a line of the help with their opposites."""
KEYS = 10
HEADINGS = {
    Where.BOARD: "incidents", Where.DETAIL: "incident", Where.ALERTS: "alerts", Where.ONCALL: "on call",
    Where.AUDIT: "audit log", Where.INBOX: "inbox", Where.CLIENTS: "companies", Where.PEOPLE: "users",
    Where.CHAINS: "escalation policies", Where.REPLAY: "replay", Where.REPLAYED: "replay",
    Where.SILENCES: "silences and windows", Where.PARENTS: "common causes", Where.SLA: "SLA and numbers",
    Where.RUNS: "runs", Where.RUN: "run",
}  # fmt: skip
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
_ONCALL = (
    ("bars", "|maria--- a shift  |sam=== an override  !!! nobody"),
    ("times", "14:00, Tue 14:00, 2026-03-10 14:00, 4h"),
    ("command", ":oncall override  :oncall swap  :handoff  :oncall export"),
)
_AUDIT = (
    ("chain", "each client has one, msp is the provider's own; V recomputes all"),
    ("filter", "actor:maria @me action:incident object:INC-12 #acme via:cli since:<24h"),
    ("command", ":audit @me since:<1h  :audit verify  :audit export"),
)
_INBOX = (("mark", "o unread"), ("command", ":notify read --all  :oncall  :inc 121"))
_CLIENTS = (
    ("health", "NO KEY  NO ALERTS yet  key ends in 14 days  refusals today  shadow  old key: over a year"),
    ("command", ":company onboard  :users  :policies  :co acme"),
)
_PEOPLE = (
    ("now", "available, busy or away, as they say themselves or a manager says for them"),
    ("command", ":user create  :oncall"),
)
_CHAINS = (("times", "2026-03-10 03:00 in the zone of the first line"), ("command", ":oncall  :companies"))
_SILENCES = (
    ("match", "asset=dc* severity!=CRITICAL message~.*timeout.* label.env=x: all of them"),
    ("until", "2h, 18:00, 'tomorrow 6am', 2026-03-10T22:00Z"),
    ("command", ":silence add  :maintenance  :alerts suppressed_by:SIL-3"),
)
_PARENTS = (
    ("ack", "acknowledges the whole group; what joins later calls nobody"),
    ("clients", "none learns of the others: name no client in notes to all"),
    ("command", ":parent create  :silences"),
)
_REPLAY = (
    ("record", "the board is as it was; line 2 says what is not on record"),
    ("speed", "x1 is as it went, x60 an hour in a minute; --speed begins with it"),
)
_RUNS = (
    ("STATE", "? waits for an answer; a request that nobody answers within an hour has expired"),
    ("filter", "state:failed,running risk:high #acme requested:<24h restart"),
    ("command", ":run 91  :run high-cpu-fix  :runs state:failed  :runbook approve"),
)
_RUN = (
    ("host", "v done  x failed, these come first  > running  . queued  - skipped"),
    ("answers", "Y asks for the number of the run; HIGH for the id of the company"),
    ("command", ":run 91  :runs  :inc 121"),
)
_SLA = (
    ("numbers", "of the range in line 3; enter shows the incidents behind one"),
    ("in time", "of those whose target was met or missed; what runs does not count"),
)
_NOTES = {
    Where.BOARD: _INCIDENTS, Where.DETAIL: _INCIDENTS, Where.ALERTS: _ALERTS, Where.ONCALL: _ONCALL,
    Where.AUDIT: _AUDIT, Where.INBOX: _INBOX, Where.CLIENTS: _CLIENTS, Where.PEOPLE: _PEOPLE, Where.CHAINS: _CHAINS,
    Where.REPLAY: _REPLAY, Where.REPLAYED: _REPLAY, Where.SILENCES: _SILENCES, Where.PARENTS: _PARENTS,
    Where.RUNS: _RUNS, Where.RUN: _RUN, Where.SLA: _SLA,
}  # fmt: skip
NOTES = (
    ("mouse", "click selects, twice opens, wheel scrolls, shift+drag copies"),
    ("keys", 'change them in keys.toml of the configuration folder:  resolve = "r"'),
)


def key_words(deed: Deed, own: Mapping[str, str]) -> str:
    """The keys of a deed, or of it and its opposite, as people write them."""
    beside = BY_ID.get(BESIDE.get(deed.id, ""))
    keys = keys_of(deed, own)
    return " ".join(shown(key) for key in (keys[:1] + keys_of(beside, own)[:1] if beside else keys[:2]))


def title_of(deed: Deed) -> str:
    beside = BY_ID.get(BESIDE.get(deed.id, ""))
    return f"{deed.title}, {beside.title}" if beside else deed.title


class Help(Overlay[str | None]):
    """Every key, from the table; typing searches, Enter runs what is marked."""

    WIDTH = 80
    FIELD_FIRST = True

    def __init__(self, where: Where, greyed: Sequence[str], why: str) -> None:
        super().__init__(f" help: {HEADINGS[where]} ")
        self.where, self.greyed, self.why, self.at = where, greyed, why, 0
        self.top = 0

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, "search: ", hint="type; enter runs the marked one, esc closes", id="search")
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#search", Field).focus()

    def _keys(self, deed: Deed) -> str:
        return key_words(deed, self.siems.keymap.keys)

    @property
    def found(self) -> list[Deed]:
        words = self.query_one("#search", Field).value.lower().split()
        return [
            deed
            for deed in DEEDS
            if self.where in deed.where and deed.keys and deed.id not in BESIDE.values()
            and all(word in f"{deed.id} {deed.title} {self._keys(deed)}".lower() for word in words)
        ]  # fmt: skip

    @property
    def room(self) -> int:
        return max(6, self.app.size.height - 3)

    def content(self) -> list[Line]:
        found, searching = self.found, bool(self.query_one("#search", Field).value)
        marked = found[min(self.at, len(found) - 1)].id if searching and found else ""
        acts = [self._entry(deed, marked) for deed in found if deed.changes or deed.id == "undo"]
        rest = [self._entry(deed, marked) for deed in found if not (deed.changes or deed.id == "undo")]
        acts += [[]] if acts else []
        rows = (len(acts) + len(rest) + 1) // 2
        height = min(rows, self.room - 3)
        self.top = max(0, min(self.top, rows - height))
        below = self._below(rows - height)[: self.room - height]
        left = [*acts, *rest[rows:]]
        lines = [self._side_by_side(left, rest[:rows], row) for row in range(self.top, self.top + height)]
        return [*(lines if found else [[("nothing of that name", "dim")]]), *below]

    def _side_by_side(self, left: list[list[Piece]], right: list[list[Piece]], row: int) -> list[Piece]:
        first = left[row] if row < len(left) else []
        pad = self.width // 2 - sum(present.cell_width(text) for text, _ in first)
        return [*first, (" " * pad, ""), *(right[row] if row < len(right) else [])]

    def _below(self, hidden: int) -> list[Line]:
        """Under the keys; `hidden`: lines of them that there is no room for."""
        looks = self.siems.looks
        lines: list[Line] = [[(looks.rule(self.width), "rule")]]
        if hidden:
            lines = [frame.rule(looks, self.width, "down, up: the other keys")]
        if self.greyed:
            own = self.siems.keymap.keys
            names = ", ".join(f"{shown(keys_of(BY_ID[name], own)[0])} {name}" for name in self.greyed)
            lines.append([("not now ", "stale"), (f"{names}  ({self.why})", "")])
        notes = (*_NOTES[self.where], *NOTES)
        return [*lines, *([(f"{name:<8}", "dim"), (text, "")] for name, text in notes)]

    def _entry(self, deed: Deed, marked: str) -> list[Piece]:
        here, off = deed.id == marked, deed.id in self.greyed
        role = "off" if off else ("bold" if here else "")
        return [
            (">" if here else " ", "mark"),
            (f"{self._keys(deed):<{KEYS}}", "off" if off else "key"),
            (present.cell(title_of(deed), self.width // 2 - KEYS - 2, mark=self.siems.looks.cut), role),
        ]

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.at = 0
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        by = 1 if event.key == "down" else -1
        if event.field.value:
            self.at = max(0, min(len(self.found) - 1, self.at + by))
        else:
            self.top += by
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        found = self.found
        self.dismiss(found[min(self.at, len(found) - 1)].id if event.value and found else None)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)
