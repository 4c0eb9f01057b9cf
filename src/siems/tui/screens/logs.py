"""Windows about the session: saved views, how siems is, what was done."""

from __future__ import annotations

from contextlib import suppress

from siems import present
from siems.tui.looks import Line, Piece, wrap
from siems.tui.saved import STOCK, View, drop_view, own_views
from siems.tui.screens.overlay import ListOverlay
from siems.wire import Status


class ViewsWindow(ListOverlay[View | None]):
    """Saved views, one's own first; Enter shows one, x forgets one's own."""

    WIDTH = 76

    def __init__(self, current: str) -> None:
        super().__init__(" views ")
        self.current = current
        self.own = own_views()

    @property
    def all_views(self) -> list[View]:
        names = {one.name for one in self.own}
        return [*self.own, *(one for one in STOCK if one.name not in names)]

    def size_of_list(self) -> int:
        return len(self.all_views)

    def content(self) -> list[Line]:
        rows: list[Line] = []
        for place, one in enumerate(self.all_views):
            here = place == self.at
            rows.append([
                (">" if here else " ", "mark"), ("*" if one.name == self.current else " ", "mark"),
                (" " + present.cell(one.name, 20) + " ", "bold" if here else ""),
                (present.cell(one.filter or "not closed", self.width - 38) + " ", "dim"),
                (present.cell({"sla": "by SLA", "-priority_score": "by score"}.get(one.sort, "newest"), 9), "dim"),
                ("own" if place < len(self.own) else "", ""),
            ])  # fmt: skip
        keys: Line = [("enter", "key"), (" show   ", ""), ("j k", "key"), (" choose   ", ""), ("x", "key"),
                      (" forget one's own   ", ""), ("esc", "key"), (" close", "")]  # fmt: skip
        return [*self.window(rows, self.room - 2), [], keys]

    def chosen(self) -> None:
        self.dismiss(self.all_views[self.at])

    def key_pressed(self, key: str) -> None:
        if key == "x" and self.at < len(self.own):
            with suppress(OSError):
                drop_view(self.own[self.at].name)
            self.own = own_views()
            self.at = min(self.at, self.size_of_list() - 1)
            self.repaint()
        else:
            super().key_pressed(key)


class Doctor(ListOverlay[None]):
    """How the link is, and what the daemon says of itself."""

    WIDTH = 100

    def __init__(self) -> None:
        super().__init__(" doctor ")
        self.status: Status | None = None
        self.why = ""

    def fill(self, status: Status | None, why: str) -> None:
        self.status, self.why = status, why
        self.repaint()

    def tick(self) -> None:
        self.repaint()

    def _lines(self) -> list[Line]:
        app, state = self.siems, self.siems.state
        word, role = state.word(app.monotonic())
        where = app.client.socket_path or app.client.url
        lines: list[Line] = [
            [("link     ", "dim"), (word, role), (f"  context {app.context}, {where}", "")],
        ]  # fmt: skip
        if not state.up:
            lines += [[("cause    ", "dim"), (text, "")] for text in wrap(state.why, self.width - 10, most=3)]
            lines.append([("fix      ", "dim"), (state.hint or "siems up -d, on the daemon's machine", "key")])
            lines.append([("then     ", "dim"), ("ctrl+r", "key"), (" asks again at once", "")])
        if self.why:
            lines.append([("daemon   ", "dim"), (self.why, "error")])
        if self.status is None:
            return lines if self.why or not state.up else [*lines, [("reading...", "dim")]]
        one = self.status
        up = present.duration((one.server_time - one.started_at).total_seconds())
        lines.append([("daemon   ", "dim"), (f"siems {one.version}, up {up}, {one.queue} waiting to be written, ", ""),
                      (f"{one.overdue} overdue", "error" if one.overdue else "")])  # fmt: skip
        for check in one.checks:
            first, *more = wrap(check.cause, self.width - 26, most=4) or [""]
            lines.append([(f"{'ok' if check.ok else 'FAILS':<8} ", "v" if check.ok else "x"),
                          (present.cell(check.name, 16) + " ", "bold"), (first, "")])  # fmt: skip
            lines += [[(" " * 26, ""), (part, "")] for part in more]
            if not check.ok and check.fix:
                lines += [[(" " * 26, ""), (part, "key")] for part in wrap(check.fix, self.width - 26, most=4)]
        return lines

    def size_of_list(self) -> int:
        return max(1, len(self._lines()) - (self.room - 2) + 1)

    def content(self) -> list[Line]:
        lines, height = self._lines(), self.room - 2
        keys: list[Piece] = [("ctrl+r", "key"), (" ask again   ", ""), ("esc", "key"), (" close", "")]
        if len(lines) > height:
            keys = [("j k", "key"), (" scroll   ", ""), *keys]
        return [*lines[self.at : self.at + height], [], keys]

    def key_pressed(self, key: str) -> None:
        if key == "ctrl+r":
            self.siems.do_retry()
            if self.siems.state.up:
                self.siems.records.status()
        else:
            super().key_pressed(key)


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
