"""Describing a client: four tabs to make a new one, three to change one that is there."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from siems import present
from siems.tui import drafts
from siems.tui.actions import Where
from siems.tui.drafts import Draft
from siems.tui.looks import Line, Piece, spread, wrap
from siems.tui.questions import QUESTIONS, TABS, Question
from siems.tui.rule_lines import beside_rules
from siems.tui.screens.place import Place, filled
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field
from siems.tui.widgets.lines import Lines
from siems.wire import CorrelationPreview

LABEL = 20
RULES = 2
"""The tab of the rules."""


class WizardScreen(Place):
    """A form in tabs. Keys belong to the field that has the focus; `y` on the last tab acts."""

    WHERE = Where.WIZARD

    def __init__(self, draft: Draft, send: Callable[[Draft], None]) -> None:
        super().__init__()
        self.draft, self._send = draft, send
        self.tab, self.complaint, self.sending = 0, "", False
        self.asking, self.tries = False, 0
        self.preview: tuple[str, CorrelationPreview] | None = None

    @property
    def _tabs(self) -> list[str]:
        return [*TABS[:3], "Review & save" if self.draft.company_id else TABS[3]]

    def compose(self) -> ComposeResult:
        looks = self.siems.looks
        yield from self.compose_top()
        for name in ("crumbs", "tabs", "line"):
            yield Lines(looks, id=name)
        with Vertical(id="form"):
            for one in self.draft.asked(QUESTIONS):
                yield self._field(one)
        yield Lines(looks, id="review")
        yield Lines(looks, id="beside")
        yield from self.compose_bottom()

    def _field(self, one: Question) -> Field:
        label, id = f" {one.label:<{LABEL}}", f"q-{one.name}"
        value = self.draft.get(one.name)
        if one.choices:
            field: Field = Choice(self.siems.looks, label, one.choices, value=value, id=id)
            self.draft.values.setdefault(one.name, field.value)
        else:
            field = Field(self.siems.looks, label, value=value, hint=one.hint, id=id)
        if one.tab == RULES:
            field.leaves = frozenset({"p"})
        return field

    def on_mount(self) -> None:
        super().on_mount()
        self._go(0)

    def offer(self, name: str, choices: list[str]) -> None:
        """What the daemon knows to choose from."""
        found = self.query(f"#q-{name}").first(Choice)
        found.offer(choices)
        if not self.draft.get(name) and choices:
            found.set(choices[0])

    # --- tabs and fields ------------------------------------------------------------------------------------

    def _on_tab(self) -> list[Question]:
        return [one for one in self.draft.asked(QUESTIONS) if one.tab == self.tab]

    def _go(self, tab: int, field: str = "") -> None:
        """To a tab, and to a field of it: else the first that is wrong or needed, or the first."""
        self.tab, self.complaint = max(0, min(len(TABS) - 1, tab)), ""
        for one in self.draft.asked(QUESTIONS):
            self.query_one(f"#q-{one.name}").display = one.tab == self.tab
        here = self._on_tab()
        if here:
            wrong = next((one.name for one in here if self.draft.fault(one)), here[0].name)
            self.query_one(f"#q-{field or wrong}", Field).focus()
        else:
            self.set_focus(None)
        self.query_one("#form", Widget).styles.height = len(here)
        self.repaint()

    def _step(self, by: int) -> None:
        names = [one.name for one in self._on_tab()]
        here = self.focused.id.removeprefix("q-") if self.focused is not None and self.focused.id else ""
        at = names.index(here) + by if here in names else 0
        if at >= len(names):
            self._go(self.tab + 1)
        elif at < 0 and self.tab:
            before = [one.name for one in self.draft.asked(QUESTIONS) if one.tab == self.tab - 1]
            self._go(self.tab - 1, before[-1])
        elif 0 <= at < len(names):
            self.query_one(f"#q-{names[at]}", Field).focus()
            self.repaint()

    def on_key(self, event: events.Key) -> None:
        """What no field has taken."""
        self.siems.touched()
        moves = {"tab": 1, "shift+tab": -1}
        if event.key in moves:
            event.stop()
            event.prevent_default()
            if self.focused is None:
                self._go(0 if event.key == "tab" else 2)
            else:
                self._step(moves[event.key])
        elif self.tab == RULES and event.key == "p":
            event.stop()
            self._try()
        elif self.focused is None:
            event.stop()
            self._unfocused(event.key)

    def _try(self) -> None:
        """Ask what these rules would have made of a client's last day; each time of another client."""
        if not self.asking:
            self.asking = True
            self.siems.try_rules(self.draft, self.tries)
            self.tries += 1
            self.repaint()

    def tried(self, found: tuple[str, CorrelationPreview] | None) -> None:
        """The answer, or that there is none."""
        self.asking, self.preview = False, found
        self.repaint()

    def _unfocused(self, key: str) -> None:
        """Keys of the last tab."""
        match key:
            case "pageup" | "up" | "k":
                self._go(2)
            case "1" | "2" | "3":
                self._go(int(key) - 1)
            case "y":
                self._act()
            case "Y":
                self.siems.copy("\n".join(self.draft.commands()))
            case "escape" | "q":
                self._leave()
            case "Q" | "ctrl+c":
                self._leave()
                self.siems.leave()

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.id and event.field.id.startswith("q-"):
            self.draft.values[event.field.id.removeprefix("q-")] = event.value
            self.complaint, self.preview = "", None
            self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        if event.key in ("pagedown", "pageup"):
            self._go(self.tab + (1 if event.key == "pagedown" else -1))
        else:
            self._step(1 if event.key == "down" else -1)

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        self._step(1)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        self._leave()

    def keep(self) -> bool:
        """Write down what was typed for a new client; whether there was anything."""
        worth = not self.draft.company_id and any(self.draft.get(name) for name in ("name", "slug"))
        if worth:
            drafts.keep(self.draft)
        return worth

    def _leave(self) -> None:
        if self.keep():
            self.siems.tell("the draft is kept: N goes on with it")
        self.siems.pop_screen()

    def _act(self) -> None:
        app, faults = self.siems, self.draft.faults()
        if faults:
            one, why = faults[0]
            self._go(one.tab, one.name)
            self.complaint = f"{one.label.rstrip(' *')}: {why}"
            self.repaint()
        elif app.read_only or not app.state.up:
            app.tell(
                "this session is read only" if app.read_only else "it needs the daemon; it is unreachable", "error"
            )
        elif self.draft.company_id and not self.draft.settings():
            app.tell("nothing was changed")
        elif not self.sending:
            self.sending = True
            app.tell("sent")
            self._send(self.draft)

    def refused(self, why: str) -> None:
        """The daemon did not take it: everything that was typed is still here."""
        self.sending, self.complaint = False, why
        self.siems.tell("")
        self.repaint()

    # --- painting -------------------------------------------------------------------------------------------

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self.tick()
        width = self.size.width
        name = self.draft.before.get("name") or "New company"
        self.lines("crumbs").show([[("Companies > ", "dim"), (present.safe(name), "bold")]])
        self.lines("tabs").show([self._tab_line(width)])
        self.lines("line").show([[(self.siems.looks.rule(width), "rule")]])
        last = not self._on_tab()
        review, beside = self.lines("review"), self.lines("beside")
        review.display = last
        rows = self._review(width) if last else []
        review.styles.height = len(rows)
        review.show(rows)
        beside.show(filled([] if last and not self.complaint else self._beside(width), self.size.height))

    def _tab_line(self, width: int) -> list[Piece]:
        wrong = {one.tab for one, _ in self.draft.faults()}
        left: list[Piece] = []
        for number, title in enumerate(self._tabs):
            done = number < 3 and number not in wrong and number != self.tab
            words = f"{number + 1} {title}"
            left += [
                (f"[{words}]", "tab")
                if number == self.tab
                else (f" {words}{' v' if done else ''} ", "v" if done else "")
            ]
            left.append((" ", ""))
        return spread(left, [("changes" if self.draft.company_id else "new", "dim")], width)

    def _complaint(self, width: int) -> list[Line]:
        return [[(f" ! {text}", "error")] for text in wrap(self.complaint, width - 4)] if self.complaint else []

    def _beside(self, width: int) -> list[Line]:
        """Under the fields: what is wrong, what a choice means, and the command that does the same."""
        lines: list[Line] = [[]]
        lines += self._complaint(width)
        for one in self._on_tab():
            why = self.draft.fault(one)
            if why and self.draft.get(one.name):
                lines.append([(f" ! {one.label.rstrip(' *')}: {why}", "stale")])
        if self.tab == RULES and not self.complaint:
            lines += beside_rules(self.draft, self.preview, width, asking=self.asking)
        if self.tab == 3:
            return lines
        commands = self.draft.commands()
        if commands:
            lines += [[], [(" same thing from a shell (fills in as you type)", "dim")]]
            for command in commands:
                lines += [[("   " + text, "")] for text in wrap(command, width - 6)]
        return lines

    def _review(self, width: int) -> list[Line]:
        faults = dict(self.draft.faults())
        rows: list[Line] = []
        for one in self.draft.asked(QUESTIONS):
            text, before = self.draft.get(one.name), self.draft.before.get(one.name, "")
            if self.draft.company_id and text == before and one not in faults:
                continue
            shown: list[Piece] = [
                (present.cell(text or f"({one.hint.split(';')[0] or 'default'})", 40), "" if text else "dim")
            ]
            if self.draft.company_id:
                shown = [
                    (present.cell(before or "-", 24), "dim"),
                    (f" {self.siems.looks.arrow} ", "dim"),
                    (present.safe(text) or "-", "bold"),
                ]
            if one in faults:
                shown.append((f"  ! {faults[one]}", "error"))
            rows.append([(f" {one.tab + 1} ", "key"), (f"{one.label.rstrip(' *'):<{LABEL - 1}}", "dim"), *shown])
        if self.draft.company_id and not rows:
            rows.append([(" Nothing was changed.", "dim")])
        room = max(3, self.size.height - 13 - len(self._complaint(width)))
        if len(rows) > room:
            given = [
                row
                for row, one in zip(rows, self.draft.asked(QUESTIONS), strict=False)
                if self.draft.get(one.name) or one in faults
            ]
            rows = [
                *given[:room],
                [(f" 1 2 3 show the rest ({len(rows) - len(given[:room])} as they are by default)", "dim")],
            ]
        rows += [[], [(" same thing from a shell", "dim"), ("   Y", "key"), (" copies it", "dim")]]
        for command in self.draft.commands():
            rows += [[("   " + text, "")] for text in wrap(command, width - 6)]
        if not self.draft.company_id:
            rows += [[], [(" makes the client, its key and its secret; they are shown once. Nobody is told.", "dim")]]
        return rows

    def footer(self) -> list[Piece]:
        if self._on_tab():
            words = [
                ("tab", "next field"),
                ("space", "choose"),
                *([("p", "preview")] if self.tab == RULES else []),
                ("pgdn pgup", "tab"),
                ("esc", "leave" if self.draft.company_id else "leave, draft kept"),
            ]
        else:
            what = "save" if self.draft.company_id else "create"
            words = [("y", what), ("1 2 3", "change"), ("Y", "copy the command"), ("esc", "leave")]
        return [piece for key, word in words for piece in ((key, "key"), (f" {word}  ", ""))]

    def tick(self) -> None:
        super().tick()
        if self.is_mounted and self.size.width:
            self.lines("keys").show([self.footer()])
