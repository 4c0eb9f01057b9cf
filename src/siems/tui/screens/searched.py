"""A window in which typing searches a list, and Enter chooses from it by name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Generic, Protocol, TypeVar

from textual.app import ComposeResult

from siems.tui.looks import Line
from siems.tui.screens.overlay import Overlay
from siems.tui.widgets.field import Field


class Named(Protocol):
    """What a name leads to."""

    @property
    def name(self) -> str: ...


One = TypeVar("One", bound=Named)


class Searched(Overlay[str | None], Generic[One]):
    """Leaves with the name of what was chosen. All words that are typed must be in what is said of one."""

    FIELD_FIRST = True
    PROMPT: ClassVar[str]
    HINT: ClassVar[str]
    NOTHING: ClassVar[str]
    """What is said when nothing is found."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.at = 0

    def compose_fields(self) -> ComposeResult:
        field = Field(self.siems.looks, self.PROMPT, hint=self.HINT, id="search")
        field.awake = lambda: self.awake
        yield field

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#search", Field).focus()

    @abstractmethod
    def every(self) -> Iterable[One]:
        """All there is to choose from."""

    @abstractmethod
    def said(self, one: One) -> str:
        """In what the words are looked for."""

    @abstractmethod
    def row(self, one: One, here: bool) -> Line:
        """One line of the list."""

    @property
    def found(self) -> list[One]:
        words = self.query_one("#search", Field).value.lower().split()
        return [one for one in self.every() if all(word in self.said(one).lower() for word in words)]

    def rows(self, height: int) -> list[Line]:
        """So many lines, the chosen one among them."""
        found = self.found
        self.at = max(0, min(self.at, len(found) - 1))
        top = max(0, min(self.at - height // 2, len(found) - height))
        shown = [self.row(one, place == self.at) for place, one in enumerate(found[top : top + height], start=top)]
        shown = shown or [[(self.NOTHING, "dim")]]
        return [*shown, *([[]] * (height - len(shown)))]

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.at = 0
        self.repaint()

    def on_field_moved(self, event: Field.Moved) -> None:
        event.stop()
        self.at += {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}[event.key]
        self.repaint()

    def on_field_entered(self, event: Field.Entered) -> None:
        event.stop()
        found = self.found
        if found and self.awake:
            self.dismiss(found[self.at].name)

    def on_field_left(self, event: Field.Left) -> None:
        event.stop()
        if self.awake:
            self.dismiss(None)
