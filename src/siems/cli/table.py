"""Tables for terminals: they fit the width, keep ids whole, and lose the least important columns first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from siems.present import cell_width, fit, safe

Item = Mapping[str, Any]
Words = Callable[[Item], str]

GAP = "  "
NARROWEST = 12
_CODES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "cyan": "36"}


class Column:
    """A column: its header, the value for pipes, and (where it differs) the text for people.

    `wide`: only with `-o wide`, or for pipes. `grows`: foreign text, which takes what room is left and is cut.
    `drop`: left out when a terminal is too narrow, the highest first; 0 stays.
    """

    __slots__ = ("drop", "grows", "header", "human", "style", "value", "wide")

    def __init__(
        self,
        header: str,
        value: Callable[[Item], Any],
        human: Words | None = None,
        *,
        wide: bool = False,
        grows: bool = False,
        drop: int = 0,
        style: Words | None = None,
    ) -> None:
        self.header = header
        self.value = value
        self.human = human
        self.wide = wide
        self.grows = grows
        self.drop = drop
        self.style = style


def plain(value: Any) -> str:
    """A value for a pipe: one line, nothing shortened, nothing that a terminal would obey."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    objects = isinstance(value, (list, tuple)) and any(isinstance(one, (dict, list)) for one in value)
    if isinstance(value, (list, tuple)) and not objects:
        return safe(",".join(map(str, value)))
    if objects or isinstance(value, dict):
        import json

        return safe(json.dumps(value))
    return safe(str(value))


def styled(text: str, style: str) -> str:
    """Text in a style such as `bold red`."""
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def draw(items: Sequence[Item], columns: Sequence[Column], *, width: int, color: bool, whole: bool) -> list[str]:
    """Header and rows in `width` columns; `whole` leaves out no column, whatever the width."""
    cells = {id(c): [safe(c.human(i)) if c.human else plain(c.value(i)) for i in items] for c in columns}
    natural = {id(c): max([len(c.header), *map(cell_width, cells[id(c)])]) for c in columns}
    shown = list(columns) if whole else _fitting(columns, natural, width)
    room = _room(shown, natural, width)
    head = GAP.join(fit(c.header, room[id(c)]) for c in shown).rstrip()
    lines = [styled(head, "bold") if color else head]
    for row, item in enumerate(items):
        parts = [
            styled(cell, c.style(item)) if color and c.style else cell
            for c in shown
            for cell in [fit(cells[id(c)][row], room[id(c)], mark="~")]
        ]
        lines.append(GAP.join(parts).rstrip())
    return lines


def _fitting(columns: Sequence[Column], natural: Mapping[int, int], width: int) -> list[Column]:
    """The columns that have room when what grows is at its narrowest."""
    shown = list(columns)
    while sum(_least(c, natural) for c in shown) + len(GAP) * (len(shown) - 1) > width:
        loser = max(shown, key=lambda c: c.drop)
        if not loser.drop:
            break
        shown.remove(loser)
    return shown


def _least(column: Column, natural: Mapping[int, int]) -> int:
    wanted = natural[id(column)]
    return min(wanted, NARROWEST) if column.grows else wanted


def _room(shown: Sequence[Column], natural: Mapping[int, int], width: int) -> dict[int, int]:
    """How wide each column is: what grows shares what the others leave."""
    room = {id(c): natural[id(c)] for c in shown}
    left = width - len(GAP) * (len(shown) - 1) - sum(room[id(c)] for c in shown if not c.grows)
    growing = sorted((c for c in shown if c.grows), key=lambda c: natural[id(c)])
    for number, column in enumerate(growing):
        share = left // (len(growing) - number)
        room[id(column)] = min(natural[id(column)], max(share, min(NARROWEST, natural[id(column)])))
        left -= room[id(column)]
    return room
