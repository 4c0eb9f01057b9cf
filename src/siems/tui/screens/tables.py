"""Windows to read and to answer in: who would be paged, the shift brief, what waits for an answer."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui import duty_lines
from siems.tui.board_messages import WhoRead
from siems.tui.looks import Line, Piece
from siems.tui.screens.overlay import ListOverlay
from siems.wire import HandoffView, SwapView

Choice = tuple[str, str]
"""What is answered, and with which word."""


class WhoWindow(ListOverlay[None]):
    """Who would be told, when and how, if nobody did anything. j and k scroll."""

    WIDTH = 100

    def __init__(self, about: str, what: str) -> None:
        super().__init__(f" who would be paged: {present.safe(what)} ")
        self.about = about
        self.read: WhoRead | None = None

    def fill(self, read: WhoRead) -> None:
        if read.about == self.about:
            self.read = read
            self.repaint()

    def _lines(self) -> list[Line]:
        if self.read is None:
            return [[("reading...", "dim")]]
        if self.read.view is None:
            return [[(self.read.why, "error")]]
        view = self.read.view
        head: Line = [("policy ", "dim"), (present.safe(view.policy[:60]), "bold"),
                      ("  if it opened now and nobody did anything", "dim")]  # fmt: skip
        return [head, [], *duty_lines.who_lines(view, self.siems.places()[-1].scene(), self.width)]

    def size_of_list(self) -> int:
        return max(1, len(self._lines()) - (self.room - 2) + 1)

    def content(self) -> list[Line]:
        lines, height = self._lines(), self.room - 2
        shown = lines[self.at : self.at + height]
        more = len(lines) - self.at - len(shown)
        foot: list[Piece] = [("esc", "key"), (" close", "")]
        if len(lines) > height:
            foot = [("j k", "key"), (f" scroll, {more} more below   ", ""), *foot]
        return [*shown, [], foot]


class BriefWindow(ListOverlay[Choice | None]):
    """The brief of a shift, incident by incident; `y` accepts it, where that is the reader's to do."""

    WIDTH = 100

    def __init__(self, briefs: Sequence[HandoffView]) -> None:
        super().__init__(" shift brief ")
        self.briefs = list(briefs)

    @property
    def current(self) -> HandoffView:
        return self.briefs[self.at]

    def size_of_list(self) -> int:
        return len(self.briefs)

    def content(self) -> list[Line]:
        one, scene, width = self.current, self.siems.places()[-1].scene(), self.width
        many = f"  {self.at + 1} of {len(self.briefs)} (j k)" if len(self.briefs) > 1 else ""
        lines: list[Line] = [
            [(present.safe(one.schedule[:60]), "bold"), (many, "dim")],
            list(duty_lines.brief_line(one, scene))[:-2],
            [],
        ]
        for item in one.incidents[: max(1, (self.room - 7) // 2)]:
            kept = "  stays" if item.kept else ""
            lines.append([
                (present.cell(item.id, 9), "bold"), (present.severity_short(item.severity) + "  ", item.severity),
                (present.cell(item.title, width - 44, mark=scene.looks.cut) + " ", ""),
                (present.cell(item.company, 16, mark=scene.looks.cut), "dim"), (kept, "stale"),
            ])  # fmt: skip
            held = f"held for {present.safe((item.hold_reason or '')[:20])}" if item.hold_reason else ""
            held += f" till {duty_lines.until(item.hold_until, scene)}" if item.hold_until else ""
            due = f"{present.safe(item.next_deadline[:30])} {duty_lines.until(item.next_deadline_at, scene)}" if (
                item.next_deadline_at
            ) else ""  # fmt: skip
            todo = f'next: "{present.safe(item.next_action[:200])}"' if item.next_action else "nothing noted to do next"
            said = "   ".join(part for part in (todo, held, due) if part)
            lines.append([(" " * 9, ""), (present.clip(said, width - 9, mark=scene.looks.cut), "dim")])
        if not one.incidents:
            lines.append([("No open incident goes along.", "dim")])
        hidden = len(one.incidents) - max(1, (self.room - 7) // 2)
        if hidden > 0:
            lines.append([(f"and {hidden} more:  siems handoff show", "dim")])
        return [*lines, [], self._keys()]

    def _keys(self) -> Line:
        able = self.current.actions
        keys: list[Piece] = []
        if "accept" in able:
            keys += [("y", "key"), (" accept, and take these over   ", "bold")]
        if "give" in able:
            keys += [("v", "key"), (" give it to the next one now   ", "")]
        return [*keys, ("esc", "key"), (" close", "")]

    def key_pressed(self, key: str) -> None:
        word = {"y": "accept", "v": "give"}.get(key, "")
        if word and word in self.current.actions:
            self.dismiss((self.current.schedule_id, word))
        else:
            super().key_pressed(key)


class SwapsWindow(ListOverlay[Choice | None]):
    """Swaps that wait for an answer; `y` accepts the marked one, `n` declines it."""

    WIDTH = 100

    def __init__(self, swaps: Sequence[SwapView]) -> None:
        super().__init__(" swaps that wait for your answer ")
        self.swaps = list(swaps)

    def size_of_list(self) -> int:
        return len(self.swaps)

    def content(self) -> list[Line]:
        scene = self.siems.places()[-1].scene()
        rows: list[Line] = []
        for place, one in enumerate(self.swaps):
            here = place == self.at
            rows.append([
                (">" if here else " ", "mark"), (f" {present.cell(one.id, 8)}", "bold" if here else ""),
                (present.cell(one.schedule, 16) + " ", "dim"),
                (present.clip(duty_lines.swap_words(one, scene), self.width - 28, mark=scene.looks.cut), ""),
            ])  # fmt: skip
        able = self.swaps[self.at].actions
        keys: list[Piece] = []
        if "accept" in able:
            keys += [("y", "key"), (" accept   ", "bold")]
        if "decline" in able:
            keys += [("n", "key"), (" decline   ", "")]
        return [*self.window(rows, self.room - 2), [], [*keys, ("j k", "key"), (" choose   ", ""), ("esc", "key"),
                                                        (" close", "")]]  # fmt: skip

    def key_pressed(self, key: str) -> None:
        word = {"y": "accept", "n": "decline"}.get(key, "")
        if word and word in self.swaps[self.at].actions:
            self.dismiss((self.swaps[self.at].id, word))
        else:
            super().key_pressed(key)
