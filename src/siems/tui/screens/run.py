"""One run: its hosts, what they print while they print it, and what it waits for."""

from __future__ import annotations

from textual.app import ComposeResult

from siems import present
from siems.tui import frame, run_lines
from siems.tui.actions import BY_ID, Deed, Where, keys_of, shown
from siems.tui.looks import Line, Piece
from siems.tui.printouts import KnownRun, Printout
from siems.tui.screens.list_place import ListPlace
from siems.tui.screens.place import bindings, filled
from siems.tui.shelf import Shelf
from siems.tui.widgets.lines import Lines
from siems.tui.widgets.listing import Listing
from siems.wire import RunDetail, RunHostView

HOSTS_LOW, HOSTS_WIDE = 5, 14
"""So many hosts are listed at once, on small terminals and on large ones."""


class RunScreen(ListPlace):
    """Screen 4. The cursor is on a host; what it printed stands below and follows its end."""

    BINDINGS = bindings(Where.RUN)
    WHERE = Where.RUN

    def __init__(self, ref: str) -> None:
        super().__init__()
        self.ref = ref
        self.shelf: Shelf[RunHostView] = Shelf(lambda one: one.name)
        self.all_hosts = self.whole = self.exact = False
        self.top: int | None = None
        """The first line of what is shown below; None while it follows the end."""
        self._rows, self._told = 0, False

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("path", "about", "steps", "columns"):
            yield Lines(looks, id=name)
        yield Listing(self.shelf, looks, self._row, id="hosts")
        for name in ("progress", "rule", "printed", "gate", "shell"):
            yield Lines(looks, id=name)
        yield from self.compose_bottom()

    # --- what is known --------------------------------------------------------------------------------------

    @property
    def known(self) -> KnownRun:
        return self.siems.runs.setdefault(self.ref, KnownRun(self.ref))

    @property
    def run(self) -> RunDetail | None:
        return self.known.run

    def able(self) -> set[str]:
        if self.run is None or self.siems.read_only:
            return set()
        return {"approve" if one == "answer" else one for one in self.run.actions}

    def idle(self) -> tuple[str, ...]:
        return (*super().idle(), *(("next_host", "all_output") if len(self.shelf) < 2 else ()))

    def standing(self) -> str:
        return f"{one.id} is {one.state.replace('_', ' ')}" if (one := self.run) is not None else "no run"

    def refusal(self, deed: Deed) -> str:
        return super().refusal(deed) or self.siems.run_refusal(deed, self.run)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.run is None:
            self.siems.read_run(self.ref)

    def filled(self) -> None:
        """Something of it has been read."""
        if self.run is not None:
            self.shelf.replace(run_lines.in_order(self.run.hosts))
        if self._told and not self.tells:
            self.top = None
        self._told = self.tells
        self.repaint()

    @property
    def host(self) -> RunHostView | None:
        return self.shelf.current

    @property
    def tells(self) -> bool:
        """Whether what it would do stands where output will be: before it begins nothing else can."""
        return self.exact or (self.run is not None and self.run.started_at is None and not self.known.output.all)

    # --- painting -------------------------------------------------------------------------------------------

    def _row(self, one: RunHostView, here: bool) -> list[Piece]:
        return run_lines.host(one, self.known.output, self.scene(), self.size.width, here=here and not self.all_hosts)

    def tick(self) -> None:
        if not self.shown:
            return
        super().tick()
        run, width, scene = self.run, self.size.width, self.scene()
        app = self.siems
        if not app.state.up and app.state.lost_at:
            self.lines("path").show([frame.lost_banner(app.state, app.monotonic(), app.zone)])
        elif run is not None:
            self.lines("path").show([run_lines.path(run, scene, width)])
        if run is None:
            return
        self.lines("about").show([run_lines.head(run, scene, width, wide=self.wide)])
        self.lines("steps").show([run_lines.steps(self.host, self.known.scripts, scene, width)])
        self.lines("progress").show([run_lines.progress(run, app.looks, width)])
        self.lines("gate").show(self._gate(run))
        self.listing.repaint()

    def repaint(self) -> None:
        if not self.shown:
            return
        self._shape()
        if self.run is None:
            why = self.known.why
            self.lines("path").show([[("Runs > ", ""), (self.ref, "bold")]])
            self.lines("about").show([[(why or "reading...", "error" if why else "dim")]])
        self.lines("columns").show([run_lines.columns(self.size.width)])
        self.lines("shell").show([self._shell()])
        self.tick()
        self._paint_printed()
        self.call_after_refresh(self._paint_printed)

    def _shape(self) -> None:
        """How high the parts are: what was printed takes what is left."""
        run, below = self.run, not (self.whole or self.exact)
        for name in ("steps", "columns", "progress"):
            self.lines(name).display = below
        self.listing.display = below
        most = HOSTS_WIDE if self.wide else HOSTS_LOW
        height = max(1, min(most, len(self.shelf)))
        if self.listing.styles.height is None or self.listing.styles.height.value != height:
            self.listing.styles.height = height
        gate = len(self._gate(run)) if run is not None and below else 0
        self.lines("gate").display = bool(gate)
        self.lines("gate").styles.height = max(1, gate)
        self.lines("shell").display = self.wide

    def _gate(self, run: RunDetail) -> list[Line]:
        if run.state == "pending_approval":
            app = self.siems
            key = shown(keys_of(BY_ID["approve"], app.keymap.keys)[0])
            me = app.me.user.id if app.me is not None else ""
            return run_lines.gate(run, self.scene(), self.size.width, me, key)
        if run.hosts_asking and run.state not in run_lines.OVER:
            key = shown(keys_of(BY_ID["approve"], self.siems.keymap.keys)[0])
            return run_lines.question(run, self.host, self.scene(), self.size.width, key)
        if run.state in run_lines.OVER and run.detail:
            told: list[Piece] = [(present.safe(run.detail[:300]), "error" if run.state == "failed" else "")]
            if "rollback" in run.actions and run.hosts_failed:
                told += [("   B", "key"), (" rolls back where anything may have been changed", "")]
            return [told]
        return []

    def _shell(self) -> Line:
        return [("same from a shell:  ", "dim"), (f"siems runbook logs {self.ref} --follow", ""),
                (f"      siems runbook status {self.ref} --watch", "")]  # fmt: skip

    def _paint_printed(self) -> None:
        if not self.shown:
            return
        part, width = self.lines("printed"), self.size.width
        height = part.size.height
        lines = self._exact(height) if self.tells else self._printed(height)
        part.show(filled(lines, height))
        if self.tells:
            left = f"exact commands of every {self._platform()} host"
            right = "x back" if self.exact else "J K scroll  x larger"
        else:
            who = "all hosts" if self.all_hosts else self.host.name if self.host is not None else ""
            left = f"output {who}" + ("" if self.all_hosts else "  (tab next host, L all)")
            right = "follows end" if self.top is None else "f follows"
        self.lines("rule").show([frame.rule(self.siems.looks, width, left, right)])

    def _platform(self) -> str:
        return self.host.platform if self.host is not None else ""

    def _exact(self, height: int) -> list[Line]:
        found = next((one.commands for one in self.known.scripts if one.platform == self._platform()), [])
        lines = run_lines.commands(found, self.size.width)
        self._rows = len(lines)
        top = max(0, min(self.top or 0, len(lines) - height))
        return lines[top : top + height] or [[("reading...", "dim")]]

    def _source(self) -> list[Printout]:
        name = "" if self.all_hosts else self.host.name if self.host is not None else "-"
        return list(self.known.output.of(name))

    def _printed(self, height: int) -> list[Line]:
        """What fits: from the end while it is followed, else from where the reader has gone."""
        source, scene, width = self._source(), self.scene(), self.size.width
        end = self._end(width)
        if not source:
            return end or [[("nothing was printed" if self._ended() else "nothing has been printed yet", "dim")]]

        def draw(at: int) -> list[Line]:
            before = source[at - 1] if at else None
            return run_lines.printed(source[at], before, scene, width, named=self.all_hosts)

        lines: list[Line] = []
        if self.top is None:
            at, lines = len(source), end
            while at and len(lines) < height:
                at -= 1
                lines = [*draw(at), *lines]
            return lines[-height:]
        for at in range(max(0, min(self.top, len(source) - 1)), len(source)):
            lines += draw(at)
            if len(lines) >= height:
                break
        return [*lines, *end][:height]

    def _end(self, width: int) -> list[Line]:
        """Why it ended there as it did, in full."""
        one = None if self.all_hosts else self.host
        if one is None or not one.detail or one.state in ("running", "waiting", "succeeded", *run_lines.ASK):
            return []
        glyph, word, role = run_lines.sign(one.state)
        text = f"{glyph} {word}: {one.detail}" + (f" (exit {one.exit_code})" if one.exit_code else "")
        return [[(part, role)] for part in run_lines.folded(text, width)]

    def _ended(self) -> bool:
        return self.run is not None and self.run.state in run_lines.OVER

    # --- keys -----------------------------------------------------------------------------------------------

    def moved(self) -> None:
        self.all_hosts, self.top = False, None
        self.repaint()

    def _go(self, index: int) -> None:
        if self.exact or self.whole:
            self._scroll(1 if index > self.shelf.index else -1)
        else:
            super()._go(index)

    def do_next_host(self) -> None:
        if len(self.shelf):
            self.shelf.go((self.shelf.index + 1) % len(self.shelf))
            self.moved()

    def _scroll(self, rows: int) -> None:
        page = max(1, self.lines("printed").size.height)
        last = (self._rows if self.tells else len(self._source())) - page
        top = self.top if self.top is not None else 0 if self.tells else max(0, last)
        self.top = max(0, min(top + rows, last))
        if not self.tells and self.top >= last and rows > 0:
            self.top = None
        self._paint_printed()

    def do_pane_down(self) -> None:
        self._scroll(max(1, self.lines("printed").size.height // 2))

    def do_pane_up(self) -> None:
        self._scroll(-max(1, self.lines("printed").size.height // 2))

    def do_page_down(self) -> None:
        self.do_pane_down()

    def do_page_up(self) -> None:
        self.do_pane_up()

    def do_follow(self) -> None:
        self.top, self.exact = None, False
        self.repaint()

    def do_output(self) -> None:
        """What was printed takes the whole screen, and back."""
        self.whole, self.exact, self.top = not self.whole, False, None
        self.repaint()

    def do_all_output(self) -> None:
        self.all_hosts, self.exact, self.top = not self.all_hosts, False, None
        self.repaint()

    def do_commands(self) -> None:
        self.exact, self.top = not self.exact, None
        if self.exact and not self.known.scripts:
            self.siems.run_reads.scripts(self.ref)
        self.repaint()

    def do_incident(self) -> None:
        run = self.run
        if run is not None and run.incident_id:
            self.siems.open_incident(run.incident_id)
        else:
            self.siems.tell("this run is about no incident")

    def do_approve(self) -> None:
        """Answer what it asks: whether it may begin, or what becomes of the selected host."""
        if self.run is not None and "answer" in self.run.actions:
            if self.host is not None:
                self.shelf.cursor = self.host.name  # it stays there, wherever the answer moves the host
            self.siems.answer_host(self.run, self.host)
        else:
            self.siems.answer_run(self.run)

    def do_cancel(self) -> None:
        self.siems.cancel_run(self.run)

    def do_roll_back(self) -> None:
        self.siems.roll_back_run(self.run)

    def do_back(self) -> None:
        if self.exact or self.whole:
            self.exact = self.whole = False
            self.top = None
            self.repaint()
        else:
            super().do_back()

    def do_copy(self) -> None:
        run = self.run
        if run is None:
            self.siems.tell("copy: there is nothing yet")
            return
        text = "\n".join(line.said for line in self._source())
        choices = [("i", "id", run.id), ("l", "link", f"siems tui {run.id}"),
                   ("c", "command", f"siems runbook logs {run.id}"), ("o", "output", text)]  # fmt: skip
        if self.host is not None:
            choices.append(("h", "host", self.host.name))
        self.siems.offer_copies(choices)
