"""Windows to choose from: whom to assign to, what to copy."""

from __future__ import annotations

from collections.abc import Sequence

from siems import present
from siems.tui.desk import Target
from siems.tui.looks import Line, wrap
from siems.tui.screens.overlay import ListOverlay, Overlay
from siems.wire import UserView


class AssignTo(ListOverlay[UserView | None]):
    """Staff who see all that is to be assigned, oneself first, then by how little they have open; who may not assign
    to others chooses oneself only. A digit or Enter chooses."""

    WIDTH = 60

    def __init__(self, targets: Sequence[Target], me: str, *, others: bool = True) -> None:
        what = targets[0].ref if len(targets) == 1 else f"{len(targets)} incidents"
        super().__init__(f" assign {what} to ")
        self.me, self.others = me, others
        self.clients = {one.company_id: one.company for one in targets}
        self.people: list[UserView] | None = None

    def fill(self, people: Sequence[UserView]) -> None:
        """The staff is known."""
        staff = [one for one in people if self._fits(one)]
        self.people = sorted(staff, key=lambda one: (one.id != self.me, one.open_incidents, one.name))
        self.repaint()

    def _fits(self, one: UserView) -> bool:
        if one.id == self.me:  # whoever has them on the screen sees them
            return True
        sees = one.role == "admin" or self.clients.keys() <= set(one.companies)
        return self.others and sees and one.role != "client" and not one.disabled

    def size_of_list(self) -> int:
        return len(self.people or ())

    def content(self) -> list[Line]:
        if self.people is None:
            return [[("reading...", "dim")]]
        if not self.people:
            named = ", ".join(sorted(present.safe(name) for name in self.clients.values()))
            all_of = "all of " if len(self.clients) > 1 else ""
            said = f"Nobody you may assign to sees {all_of}{named}."
            if len(self.clients) > 1:
                said += " Mark the incidents of one client at a time."
            return [*([(part, "")] for part in wrap(said, self.width)), [], [("esc", "key"), (" cancel", "")]]
        rows: list[Line] = []
        for place, one in enumerate(self.people):
            here = place == self.at
            digit = str(place + 1) if place < 9 else " "
            name = present.cell(one.name + (" (me)" if one.id == self.me else ""), 24)
            free = one.availability if one.availability != "available" else ""
            rows.append([
                (">" if here else " ", "mark"), (f" {digit}  ", "key"), (name, "bold" if here else ""),
                (present.cell(one.role, 12), "dim"), (f"{one.open_incidents:>3} open  ", ""), (free, "stale"),
            ])  # fmt: skip
        keys: Line = [("enter", "key"), (" or ", ""), ("1-9", "key"), (" assign   ", ""), ("j k", "key"),
                      (" choose   ", ""), ("esc", "key"), (" cancel", "")]  # fmt: skip
        return [*self.window(rows, self.room - 2), [], keys]

    def chosen(self) -> None:
        if self.people:
            self.dismiss(self.people[self.at])

    def key_pressed(self, key: str) -> None:
        if key.isdigit() and key != "0" and int(key) <= self.size_of_list():
            self.at = int(key) - 1
            self.chosen()
        else:
            super().key_pressed(key)


class CopyMenu(Overlay[str | None]):
    """What `y` can copy; a letter does it."""

    WIDTH = 70

    def __init__(self, choices: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(" copy ")
        self.choices = choices

    def content(self) -> list[Line]:
        lines: list[Line] = [
            [(f" {key}  ", "key"), (f"{name:<10}", ""), (present.cell(text, self.width - 14), "dim")]
            for key, name, text in self.choices
        ]
        return [*lines, [], [("esc", "key"), (" cancel", "")]]

    def key_pressed(self, key: str) -> None:
        for letter, _, text in self.choices:
            if key == letter:
                self.dismiss(text)
                return
        super().key_pressed(key)
