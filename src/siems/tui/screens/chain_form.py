"""Writing an escalation policy: what it does as a whole, its steps, and whom that would page before it is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from siems import present
from siems.tui import chain_draft
from siems.tui.chain_draft import SEVERITIES, ChainDraft, StepDraft
from siems.tui.chain_lines import conflict, trial_lines, what
from siems.tui.chain_questions import MOST_STEPS, POLICY, SAVE, STEP, STEPS, TABS
from siems.tui.looks import Line, Piece, spread, wrap
from siems.tui.screens.chain_fields import ChainFields
from siems.tui.screens.place import filled
from siems.wire import PolicyTrial, PolicyView

if TYPE_CHECKING:
    from siems.tui.chaining import Chaining


class ChainForm(ChainFields):
    """Three tabs. Keys belong to the field that has the focus; `y` on the last tab saves."""

    def __init__(self, draft: ChainDraft, office: Chaining, *, found: bool = False) -> None:
        super().__init__(draft)
        self.office, self.found = office, found
        self.changed = found
        self.sending, self.key, self.untried = False, "", ""
        self.severity = 0
        self.trial: PolicyTrial | None = None
        self.theirs: PolicyView | None = None

    def entered_tab(self) -> None:
        if self.tab == SAVE:
            self._try()

    def _try(self) -> None:
        """Ask who would be paged by what is written."""
        self.untried, self.trial = self.draft.fault(), None
        if not self.untried:
            self.office.preview_chain(self.draft, SEVERITIES[self.severity])

    def tried(self, document: object, trial: PolicyTrial | None, why: str) -> None:
        """The answer, unless what is written has changed since."""
        if document == self.draft.document():
            self.trial, self.untried = trial, why
            self.repaint()

    # --- keys -----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """What no field has taken."""
        self.siems.touched()
        if event.key in ("tab", "shift+tab"):
            event.stop()
            event.prevent_default()
            self._focus_by(1 if event.key == "tab" else -1)
        elif self.focused is None:
            event.stop()
            match event.key:
                case "pagedown" | "pageup":
                    self._go(self.tab + (1 if event.key == "pagedown" else -1))
                case "1" | "2" | "3":
                    self._go(int(event.key) - 1)
                case "escape" | "q":
                    self.leave_form()
                case "Q" | "ctrl+c":
                    self.leave_form()
                    self.siems.leave()
                case key:
                    (self._key_of_steps if self.tab == STEPS else self._key_of_save)(key)

    def _key_of_steps(self, key: str) -> None:
        steps = self.draft.steps
        match key:
            case "j" | "down":
                self._choose(self.at + 1)
            case "k" | "up":
                self._choose(self.at - 1)
            case "enter":
                self._focus_by(1)
            case "plus" if len(steps) < MOST_STEPS:
                steps.insert(self.at + 1, StepDraft())
                self.changed = True
                self._choose(self.at + 1)
                self._focus_by(1)
            case "minus" if len(steps) > 1:
                del steps[self.at]
                self.changed = True
                self._choose(self.at)
            case "J" | "K":
                to = self.at + (1 if key == "J" else -1)
                if 0 <= to < len(steps):
                    steps[self.at], steps[to] = steps[to], steps[self.at]
                    self.changed = True
                    self._choose(to)

    def _key_of_save(self, key: str) -> None:
        match key:
            case "s":
                self.severity = (self.severity + 1) % len(SEVERITIES)
                self._try()
            case "j" | "down" | "k" | "up":
                self.top = max(0, self.top + (1 if key in ("j", "down") else -1))
            case "y":
                self._act()
            case "Y":
                self.siems.copy(self.draft.script())
            case "o" if self.theirs is not None:
                self.draft.rebase(self.theirs)
                self.theirs, self.complaint = None, ""
            case "t" if self.theirs is not None or self.found:
                self.office.reopen_chain(self, self.theirs)
        self.repaint()

    def keep(self) -> bool:
        """Write down what was typed and not saved; whether there was anything."""
        worth = self.changed and (not self.draft.policy_id or bool(self.draft.changes()))
        if worth:
            chain_draft.keep(self.draft)
        return worth

    def leave_form(self) -> None:
        if self.keep():
            self.siems.tell(f"the draft is kept: {'enter' if self.draft.policy_id else 'N'} goes on with it")
        self.siems.pop_screen()

    def _act(self) -> None:
        if self.theirs is not None:
            self.complaint = "choose first: o saves this over it, t takes theirs"
        elif fault := self.draft.fault():
            self.complaint = fault
        elif self.draft.policy_id and not self.draft.changes():
            self.siems.tell("nothing was changed")
        elif not self.sending and self.siems.may_change("saving"):
            self.complaint = ""
            self.office.save_chain(self)

    def refused(self, why: str) -> None:
        """The daemon did not take it: everything that was typed is still here."""
        self.sending, self.complaint = False, why
        self.siems.tell("")
        self.repaint()

    def outrun(self, view: PolicyView) -> None:
        """Somebody else has changed it meanwhile."""
        self.sending, self.theirs = False, view
        self.siems.tell("")
        self._go(SAVE)

    # --- painting -------------------------------------------------------------------------------------------

    def repaint(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self.tick()
        width, draft = self.size.width, self.draft
        name = draft.before_name or draft.name.strip() or "new policy"
        self.lines("crumbs").show([[("Policies > ", "dim"), (name, "bold")]])
        self.lines("tabs").show([self._tab_line(width)])
        self.lines("line").show([[(self.siems.looks.rule(width), "rule")]])
        steps = self.lines("steps")
        steps.display = self.tab == STEPS
        rows = self._step_rows(width)
        steps.styles.height = len(rows)
        steps.show(rows)
        self.lines("beside").show(filled(self._beside(width), self.size.height))

    def _tab_line(self, width: int) -> list[Piece]:
        left: list[Piece] = []
        for number, title in enumerate(TABS):
            words = f"{number + 1} {title}"
            left += [(f"[{words}]", "tab") if number == self.tab else (f" {words} ", ""), (" ", "")]
        about = f"version {self.draft.version}" if self.draft.policy_id else "new"
        return spread(left, [(about, "dim")], width)

    def _step_rows(self, width: int) -> list[Line]:
        """The steps around the cursor, as many as leave room for the fields."""
        room = max(3, self.size.height - len(STEP) - 9)
        top = max(0, min(self.at - room // 2, len(self.draft.steps) - room))
        rows: list[Line] = []
        for number, step in list(enumerate(self.draft.steps, 1))[top : top + room]:
            here = number - 1 == self.at
            text = present.clip(present.safe(f"{number}  {step.line()}"), width - 4, mark=self.siems.looks.cut)
            rows.append([(" > " if here else "   ", "mark"), (text, "bold" if here else "")])
        return [*rows, [(self.siems.looks.rule(width), "rule")]]

    def _beside(self, width: int) -> list[Line]:
        said = self.complaint or ("" if self.tab == SAVE else self._fault_here())
        lines: list[Line] = [[]]
        lines += [[(f" ! {text}", "error" if self.complaint else "stale")] for text in wrap(said, width - 4) if said]
        lines += self._pick_rows(width)
        if meaning := self._meaning():
            lines += [[(f" {text}", "dim")] for text in wrap(meaning, width - 2)]
        if self.found and not self.theirs:
            lines.append([(" the draft that was left", "stale"), ("   t", "key"), (" on tab 3 drops it", "dim")])
        return lines + (self._last(width) if self.tab == SAVE else [])

    def _pick_rows(self, width: int) -> list[Line]:
        """Whom the step can page, around the one under the cursor, as many as there is room for."""
        found = self.picks()
        room = max(3, self.size.height - len(self._step_rows(width)) - len(STEP) - 12)
        at = min(self.picked, len(found) - 1)
        top = max(0, min(at - room // 2, len(found) - room))
        cell = min(30, max((present.cell_width(present.safe(one.word)) for one in found), default=0)) + 2
        rows: list[Line] = []
        for number, one in list(enumerate(found))[top : top + room]:
            here, cut = number == at, self.siems.looks.cut
            about = present.cell(one.about, max(8, width - cell - 5), mark=cut)
            word = present.cell(one.word, cell, mark=cut)
            rows.append([(" > " if here else "   ", "mark"), (word, "bold" if here else ""), (about, "dim")])
        if len(found) > room:
            rows.append([(f"   {len(found)} in all: type to find one", "dim")])
        if found:
            keys: Line = [(" down up", "key"), (" choose   ", ""), ("enter", "key"), (" takes it", "")]
            rows += [keys if at >= 0 else [(" type to find one, or ", "dim"), ("down", "key")]]
        return rows

    def _meaning(self) -> str:
        """What the field with the focus decides."""
        here = self.focused.id if self.focused is not None else None
        known = (("p", POLICY), ("s", STEP))
        return next((one.means for kind, asks in known for one in asks if here == f"{kind}-{one.name}"), "")

    def _fault_here(self) -> str:
        """What is wrong with the field under the caret as it is typed, else with what is written so far."""
        kind, _, name = (self.focused.id if self.focused is not None and self.focused.id else "").partition("-")
        if kind == "s" and name != "targets" and (fault := self.step.fault_of(name, self.at + 1)):
            return fault
        if kind == "p" and name != "name" and (fault := self.draft.fault_of(name)):
            return fault
        return self.draft.fault() if self.changed and self.draft.name.strip() and not self.picks() else ""

    def _last(self, width: int) -> list[Line]:
        """What differs, whom it would page, and the command that does the same."""
        draft, scene = self.draft, self.scene()
        lines = conflict(draft, self.theirs, scene, width) if self.theirs is not None else what(draft, width)
        if draft.policy_id and self.theirs is None:
            lines.append([(f" for incidents that open from now on{self.office.used_by(draft.policy_id)}", "dim")])
        lines.append([])
        if self.untried:
            lines += [[(f" ! {text}", "error")] for text in wrap(self.untried, width - 4)]
        elif self.trial is None:
            lines.append([(" asking who would be paged...", "dim")])
        else:
            lines += [[(" ", ""), *line] for line in trial_lines(self.trial, scene, width - 2)]
        lines += [[], [(" same thing from a shell", "dim"), ("   Y", "key"), (" copies it", "dim")]]
        lines += [[("   " + text, "")] for text in wrap(draft.command(), width - 6)]
        self.top = max(0, min(self.top, len(lines) - max(3, self.size.height - 8)))
        return lines[self.top :]

    def footer(self) -> list[Piece]:
        if self.tab == SAVE:
            severity = f"severity {SEVERITIES[self.severity]}"
            words = [("y", "save"), ("s", severity), ("1 2", "change"), ("j k", "scroll"), ("esc", "leave, draft kept")]
        elif self.focused is not None:
            left = "steps" if self.tab == STEPS else "leave, draft kept"
            words = [("tab", "next field"), ("space", "choose"), ("pgdn pgup", "tab"), ("esc", left)]
        else:
            words = [("enter", "change"), ("+", "add"), ("-", "take out"), ("j k", "step"), ("J K", "move")]
            words += [("pgdn", "tab"), ("esc", "leave")]
        return [piece for key, word in words for piece in ((key, "key"), (f" {word}  ", ""))]

    def on_descendant_focus(self) -> None:
        self.repaint()

    def on_descendant_blur(self) -> None:
        self.repaint()

    def tick(self) -> None:
        super().tick()
        if self.is_mounted and self.size.width:
            self.lines("keys").show([self.footer()])
