"""The fields of an escalation policy, tab by tab: which one has the focus, and which step they show."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from siems.tui.actions import Where
from siems.tui.chain_draft import ChainDraft, StepDraft
from siems.tui.chain_questions import POLICY, SAVE, STEP, STEPS, Ask, label
from siems.tui.pickable import Pick, fitting, part_at, taken
from siems.tui.screens.place import Place
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field
from siems.tui.widgets.lines import Lines

TARGETS = "s-targets"


class ChainFields(Place):
    """What is typed goes into the draft at once."""

    WHERE = Where.WIZARD

    def __init__(self, draft: ChainDraft) -> None:
        super().__init__()
        self.draft = draft
        self.tab = self.at = self.top = 0
        self.complaint = ""
        self.changed = False
        """Whether anything was typed that is kept nowhere else."""
        self.known: list[Pick] = []
        """Whom a step can page, as far as that is known."""
        self.picked = -1
        """Which one of those that fit is under the cursor; none while nothing is typed."""

    def compose(self) -> ComposeResult:
        yield from self.compose_top()
        for name in ("crumbs", "tabs", "line", "steps"):
            yield Lines(self.siems.looks, id=name)
        with Vertical(id="form"):
            yield from (self._field("p", one, getattr(self.draft, one.name)) for one in self._policy())
            yield from (self._field("s", one, getattr(self.step, one.name)) for one in STEP)
        yield Lines(self.siems.looks, id="beside")
        yield from self.compose_bottom()

    def _policy(self) -> list[Ask]:
        return [one for one in POLICY if not (one.new_only and self.draft.policy_id)]

    def _field(self, kind: str, one: Ask, value: str) -> Field:
        looks, id = self.siems.looks, f"{kind}-{one.name}"
        if one.choices:
            return Choice(looks, label(one), one.choices, value=value, id=id)
        field = Field(looks, label(one), value=value, hint=one.hint, id=id)
        if id == TARGETS:
            field.offers = self._offered
        return field

    def on_mount(self) -> None:
        super().on_mount()
        self._go(0)

    def offer(self, owners: Sequence[str]) -> None:
        """Whose a new policy may be."""
        found = self.query_one("#p-company", Choice)
        found.offer(owners)
        if owners and self.draft.company not in owners:
            found.set(owners[0])

    @property
    def step(self) -> StepDraft:
        return self.draft.steps[self.at]

    # --- picking whom a step pages --------------------------------------------------------------------------

    def picks(self) -> list[Pick]:
        """Those that fit what is typed; none while another field has the focus."""
        field = self.focused
        if not isinstance(field, Field) or field.id != TARGETS:
            return []
        return fitting(self.known, field.value, field.at)

    def _offered(self, key: str) -> bool:
        """Whether a key belongs to the list. At its ends the arrows lead to other fields, as everywhere."""
        found, field = self.picks(), self.query_one(f"#{TARGETS}", Field)
        at = min(self.picked, len(found) - 1)
        if key == "enter" and at >= 0:
            text, caret = taken(field.value, field.at, found[at])
            field.set(text)
            field.at, self.picked = caret, -1
        elif key == "down" and at + 1 < len(found) and (at >= 0 or not self._part(field)):
            self.picked = at + 1
        elif key == "up" and at > 0:
            self.picked = at - 1
        else:
            return False
        self.repaint()
        return True

    @staticmethod
    def _part(field: Field) -> str:
        begin, end = part_at(field.value, field.at)
        return field.value[begin:end]

    # --- tabs and fields ------------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        """The fields of this tab, in order."""
        if self.tab == SAVE:
            return []
        return [f"s-{one.name}" for one in STEP] if self.tab == STEPS else [f"p-{one.name}" for one in self._policy()]

    def _go(self, tab: int) -> None:
        self.tab, self.complaint, self.top = max(0, min(SAVE, tab)), "", 0
        here = self._names()
        for field in self.query("#form Field").results(Field):
            field.display = field.id in here
        self.query_one("#form", Widget).styles.height = len(here)
        self.set_focus(None)
        if self.tab == 0:
            self.query_one("#p-name", Field).focus()
        self.entered_tab()
        self.repaint()

    def _focus_by(self, by: int) -> None:
        names = self._names()
        here = self.focused.id if self.focused is not None and self.focused.id else ""
        at = names.index(here) + by if here in names else 0
        if 0 <= at < len(names):
            self.query_one(f"#{names[at]}", Field).focus()
        elif self.tab == STEPS:
            self.set_focus(None)  # the list of the steps is above its fields
        elif at >= len(names):
            self._go(self.tab + 1)
            return
        self.repaint()

    def _choose(self, at: int) -> None:
        """Put the cursor on a step: its fields show it."""
        self.at = max(0, min(len(self.draft.steps) - 1, at))
        for one in STEP:
            field = self.query_one(f"#s-{one.name}", Field)
            with field.prevent(Field.Changed):
                field.set(getattr(self.step, one.name))
        self.repaint()

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        kind, _, name = (event.field.id or "").partition("-")
        if kind in ("p", "s"):
            of = self.draft if kind == "p" else self.step
            self.changed |= getattr(of, name) != event.value
            setattr(of, name, event.value)
            self.complaint = ""
            if event.field.id == TARGETS:
                self.picked = 0 if self._part(event.field) else -1
            self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        if event.key in ("pagedown", "pageup"):
            self._go(self.tab + (1 if event.key == "pagedown" else -1))
        else:
            self._focus_by(1 if event.key == "down" else -1)

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        self._focus_by(1)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.tab == STEPS:
            self.set_focus(None)
            self.repaint()
        else:
            self.leave_form()

    def entered_tab(self) -> None:
        """Another tab is shown."""

    def leave_form(self) -> None:
        raise NotImplementedError
