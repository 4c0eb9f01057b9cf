"""What is let go with a screen that is left, so that a long session stays as small as a short one."""

from __future__ import annotations

from textual._styles_cache import StylesCache


def let_go() -> None:
    """Forget the painted lines of widgets that are gone.

    Textual remembers for the last 1,024 widgets how wide their borders are, by their caches, and with each cache it
    keeps all the lines that the widget has painted: an hour of opening windows was 40 MB of them.
    """
    StylesCache.get_inner_outer.cache_clear()
