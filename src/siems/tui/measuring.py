"""What the app does with the numbers behind the boards: it goes to them, and hands answers on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from siems.tui import figures
from siems.tui.actions import Where

if TYPE_CHECKING:
    from siems.tui.app import SiemsApp


class Measuring:
    """The half of the app that is about numbers."""

    @property
    def _app(self) -> SiemsApp:
        return cast("SiemsApp", self)

    def do_sla(self) -> None:
        self._app.go_to(Where.SLA)

    def on_figures(self, event: figures.Figures) -> None:
        self._app.measures_screen.fill(event)

    def on_figures_refused(self, event: figures.FiguresRefused) -> None:
        self._app.measures_screen.refused(event)

    def on_behind(self, event: figures.Behind) -> None:
        self._app.measures_screen.take_behind(event)
