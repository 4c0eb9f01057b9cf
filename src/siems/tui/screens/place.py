"""What the full screens share: identity on top, toast, prompt and keys at the bottom."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from siems.tui import frame
from siems.tui.actions import BY_ID, DEEDS, STORY, Deed, Where
from siems.tui.letting_go import let_go
from siems.tui.looks import Line, Piece, width_of
from siems.tui.messages import Story
from siems.tui.panes import Scene
from siems.tui.widgets.field import Field
from siems.tui.widgets.lines import Lines
from siems.wire import IncidentView

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp

WIDE = 110


def bindings(where: Where) -> list[BindingType]:
    """The keys of one screen, from the table; each has its deed's id."""
    return [
        Binding(",".join(deed.keys), f"deed('{deed.id}')", deed.title, show=False, id=deed.id)
        for deed in DEEDS
        if deed.keys and where in deed.where
    ]


WRITES = ("new", "edit")
"""Keys that lead to forms, which nobody can send who may only read."""


class Place(Screen[None], inherit_bindings=False):
    """A full screen. Subclasses fill the middle and answer to `do_<deed>`."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    WHERE: ClassVar[Where] = Where.BOARD

    def __init__(self) -> None:
        super().__init__()
        self._purpose = ""

    @property
    def siems(self) -> SiemsApp:
        from siems.tui.app import SiemsApp

        assert isinstance(self.app, SiemsApp)
        return self.app

    @property
    def wide(self) -> bool:
        return self.size.width >= WIDE

    def compose_top(self) -> ComposeResult:
        with Horizontal(id="head"):
            yield Lines(self.siems.looks, id="identity")
            yield Lines(self.siems.looks, id="clock")

    def compose_bottom(self) -> ComposeResult:
        yield Lines(self.siems.looks, id="toast")
        yield Field(self.siems.looks, "", id="prompt")
        yield Lines(self.siems.looks, id="keys")

    def lines(self, id: str) -> Lines:
        return self.query_one(f"#{id}", Lines)

    def scene(self) -> Scene:
        app = self.siems
        return Scene(app.clock.now(), app.looks, app.zone, app.low_bandwidth)

    # --- painting -------------------------------------------------------------------------------------------

    def screens_line(self) -> list[Piece]:
        """Where one is, and how it stands with the incidents wherever that is."""
        app = self.siems
        unread, width = app.me.unread if app.me else 0, self.size.width
        left = frame.screens(self.WHERE, unread, len(app.runs_waiting), width=width)
        return frame.beside(left, frame.tally(*app.model.tally()), self.size.width)

    def tick(self) -> None:
        """What moves with time."""
        if not self.is_mounted or not self.size.width:
            return
        app, width = self.siems, self.size.width
        now = app.clock.now()
        clock = frame.clock(now, app.zone, wide=self.wide, seconds=not app.low_bandwidth)
        self.lines("clock").styles.width = width_of(clock)
        self.lines("clock").show([clock])
        link = app.state.word(app.monotonic())
        mode = "READ ONLY" if app.read_only else "ARMED" if app.armed else ""
        context = (f" {app.context} " if app.color else app.context, f"context-{app.color}" if app.color else "title")
        who = frame.identity(app.me, context, link, mode=mode, wide=self.wide, now=now, zone=app.zone)
        while len(who) > 3 and width_of(who) + width_of(clock) + 1 > width:
            del who[-2:]
        self.lines("identity").show([who])
        text, role = app.toast_now()
        undo = app.desk.undoable(now)
        offer = f"undo ({int((undo.until - now).total_seconds() + 0.999)}s)" if undo else ""
        self.lines("toast").show([frame.toast(text, role, offer, width, cut=app.looks.cut)])
        lost = not app.state.up and bool(app.state.lost_at)
        keys = frame.keys(self.WHERE, width, lost=lost, able=self.able(), own=app.keymap.keys, without=self.idle())
        self.lines("keys").show([keys])

    def repaint(self) -> None:
        """Draw all that may have changed."""
        self.tick()

    def on_mount(self) -> None:
        self.query_one("#prompt").display = False
        self.repaint()

    def on_unmount(self) -> None:
        let_go()

    def on_resize(self) -> None:
        self.call_after_refresh(self.repaint)

    def on_screen_resume(self) -> None:
        self.repaint()

    def entered(self) -> None:
        """One has come here: what is shown may be old."""

    def begin_with(self, query: str) -> None:
        """The filter to begin with, before anything was asked for."""

    # --- keys -----------------------------------------------------------------------------------------------

    def take_filter(self, text: str) -> None:
        """A query for the list of this screen; that of the incidents where there is none."""
        self.siems.set_filter(text)

    def subjects(self) -> list[IncidentView]:
        """What an action would be done to."""
        return []

    def idle(self) -> Collection[str]:
        """Keys that would do nothing as it stands: the last line does not name them."""
        names = ["section"] if self.wide and self.WHERE in STORY else []
        if self.siems.read_only:
            names += [deed.id for deed in DEEDS if deed.changes or deed.id in WRITES]
        return names

    def able(self) -> set[str]:
        """The acts that are possible now."""
        return set() if self.siems.read_only else {name for view in self.subjects() for name in view.actions}

    def standing(self) -> str:
        """How it stands with what an action would be done to."""
        views = self.subjects()
        return f"{views[0].id} is {views[0].state}" if views else "no incident"

    @property
    def bulk(self) -> bool:
        """Whether marks decide what is meant."""
        return False

    def refusal(self, deed: Deed) -> str:
        """Why a change cannot be asked for here, or nothing."""
        return self.siems.hands.refusal(deed, self.subjects()) if deed.acts else self.siems.hands.held_back(deed)

    def story(self) -> Story | None:
        return None

    def action_deed(self, name: str) -> None:
        """One key of the table was pressed."""
        self.siems.touched()
        deed = BY_ID[name]
        if deed.acts:
            self.siems.ask(deed, self.subjects(), bulk=self.bulk)
            return
        if deed.changes and (why := self.refusal(deed)):
            self.siems.tell(why, "error")
            return
        own = getattr(self, f"do_{name}", None) or getattr(self.siems, f"do_{name}")
        own()

    # --- the prompt -----------------------------------------------------------------------------------------

    def prompt(self, purpose: str, label: str, *, value: str = "", hint: str = "") -> None:
        """Open the text field at the bottom."""
        field = self.query_one("#prompt", Field)
        field.prompt, field.hint = label, hint
        field.set(value)
        self._purpose = purpose
        self.lines("toast").display = False
        field.display = True
        field.focus()

    def close_prompt(self) -> None:
        field = self.query_one("#prompt", Field)
        field.display = False
        self.lines("toast").display = True
        self.set_focus(None)
        self._purpose = ""
        self.siems.touched()

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        self.close_prompt()
        self.prompt_left()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        purpose = self._purpose
        self.close_prompt()
        self.prompted(purpose, event.value)

    def prompt_left(self) -> None:
        """The prompt was left without a word."""
        self.siems.hands.noting = ()

    def prompted(self, purpose: str, value: str) -> None:
        """Something was entered."""
        if purpose == "note":
            self.siems.send_note(value)


def filled(lines: list[Line], height: int) -> list[Line]:
    """Lines padded to a height, so that what stood there before is painted over."""
    return [*lines, *([[]] * max(0, height - len(lines)))]
