"""How things look: roles → styles per theme, and signs for terminals with and without UTF-8."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from siems import present

Piece = tuple[str, str]
"""Text and the role it plays; foreign text needs no care before this, `Looks.strip` makes it safe."""
Line = Sequence[Piece]

_PLAIN: Mapping[str, str] = {
    "": "", "dim": "dim", "bold": "bold", "title": "bold", "head": "bold", "rule": "dim", "key": "bold",
    "CRITICAL": "bold", "HIGH": "bold", "MEDIUM": "", "LOW": "dim", "x": "bold", "!": "bold", "~": "",
    "=": "dim",
    "v": "dim", "cursor": "reverse", "mark": "bold", "live": "", "stale": "bold", "lost": "bold reverse",
    "toast": "bold", "error": "bold reverse", "tab": "bold reverse", "pending": "bold", "gone": "dim strike",
    "field": "underline", "caret": "reverse", "off": "dim", "spark": "", "link": "bold",
}  # fmt: skip
COLORS = ("red", "yellow", "green", "blue", "magenta", "cyan")
"""Colours of contexts; without colour a context is its name, in reverse."""
_PLAIN = dict(_PLAIN) | {f"context-{color}": "bold reverse" for color in COLORS}
_ON = {color: f"bold {'black' if color in ('yellow', 'green', 'cyan') else 'white'} on {color}" for color in COLORS}
_ANSI = dict(_PLAIN) | {f"context-{color}": style for color, style in _ON.items()} | {
    "CRITICAL": "bold red", "HIGH": "yellow", "MEDIUM": "cyan", "LOW": "", "x": "bold red",
    "!": "bold yellow",
    "~": "yellow", "v": "green", "cursor": "bright_white on blue", "mark": "bold magenta", "live": "green",
    "stale": "bold yellow", "lost": "bold white on red", "error": "bold red", "toast": "green",
    "key": "bold cyan",
    "head": "bold", "tab": "bold bright_white on blue", "pending": "bold magenta", "spark": "cyan",
    "rule": "bright_black", "dim": "bright_black", "off": "bright_black", "gone": "bright_black strike",
    "=": "bright_black", "link": "bold cyan", "field": "bright_white on blue",
}  # fmt: skip
_CB_SAFE = _ANSI | {
    "CRITICAL": "bold #e66100", "HIGH": "#ffc20a", "MEDIUM": "#56b4e9", "x": "bold #e66100",
    "!": "bold #ffc20a",
    "~": "#ffc20a", "v": "#56b4e9", "live": "#56b4e9", "stale": "bold #ffc20a",
    "lost": "bold black on #ffc20a",
    "error": "bold #e66100", "toast": "#56b4e9", "mark": "bold #d35fb7",
}  # fmt: skip
_CONTRAST = dict.fromkeys(_PLAIN, "bold bright_white on black") | {
    "cursor": "bold black on bright_yellow", "tab": "bold black on bright_white",
    "x": "bold black on bright_red",
    "CRITICAL": "bold black on bright_red", "HIGH": "bold bright_yellow on black",
    "!": "bold bright_yellow on black",
    "lost": "bold black on bright_yellow", "error": "bold black on bright_red",
    "caret": "bold black on bright_white",
    "field": "bold underline bright_white on black", "mark": "bold bright_cyan on black",
    "gone": "strike bright_white on black",
}  # fmt: skip
THEMES: Mapping[str, Mapping[str, str]] = {
    "default": _ANSI, "cb-safe": _CB_SAFE, "high-contrast": _CONTRAST, "mono": _PLAIN,
}  # fmt: skip


@dataclass
class Looks:
    """A theme and a set of signs; turns lines into strips of exactly their width."""

    theme: str = "default"
    ascii_only: bool = False
    _styles: dict[str, Style] = field(default_factory=dict)

    def use(self, theme: str) -> None:
        self.theme = theme
        self._styles.clear()

    def style(self, role: str) -> Style:
        """The style of a role; `a+b` lays one over the other."""
        found = self._styles.get(role)
        if found is None:
            table = THEMES[self.theme]
            found = Style.null()
            for part in role.split("+"):
                found += Style.parse(table.get(part) or "none")
            self._styles[role] = found
        return found

    def rule(self, width: int) -> str:
        return ("-" if self.ascii_only else "─") * max(0, width)

    @property
    def bar(self) -> str:
        return "|" if self.ascii_only else "│"

    @property
    def cut(self) -> str:
        return "" if self.ascii_only else "…"

    @property
    def arrow(self) -> str:
        return "->" if self.ascii_only else "→"

    def plain(self, text: str) -> str:
        """Safe text, in this terminal's character set."""
        shown = present.safe(text)
        if self.ascii_only and not shown.isascii():
            shown = "".join(c if c.isascii() else "?" * present.cell_width(c) for c in shown)
        return shown

    def strip(self, line: Line, width: int, *, under: str = "") -> Strip:
        """A line as it is drawn: safe, cut and padded to the width, over the style of the role `under`."""
        segments, left = [], width
        for text, role in line:
            shown = present.clip(self.plain(text[: 4 * width + 64]), left)
            if shown:
                style = self.style(under) if under in ("cursor", "gone") else self.style(role)
                segments.append(Segment(shown, style))
                left -= present.cell_width(shown)
        if left > 0:
            segments.append(Segment(" " * left, self.style(under)))
        return Strip(segments, width)


def width_of(line: Line) -> int:
    """Columns that a line of safe text takes."""
    return sum(present.cell_width(present.safe(text)) for text, _ in line)


def spread(left: Line, right: Line, width: int) -> list[Piece]:
    """Two parts at the two ends of a line; the left one gives way."""
    room = width - width_of(right) - 1
    out: list[Piece] = []
    for text, role in left:
        shown = present.clip(present.safe(text), max(0, room))
        out.append((shown, role))
        room -= present.cell_width(shown)
    return [*out, (" " * max(1, room + 1), ""), *right]


def wrap(text: str, width: int, *, most: int = 0) -> list[str]:
    """Safe text in lines of at most `width` columns, broken at blanks where there are any."""
    lines: list[str] = []
    width = max(2, width)  # two columns hold any character
    for source in present.safe_lines(text[: 4_000 if most else 8_000]):
        line = ""
        for word in source.split(" "):
            while len(word) * 2 > width and present.cell_width(word[: 3 * width]) > width:
                room = width - present.cell_width(line) - (1 if line else 0)
                if line and room < max(2, width // 3):
                    lines.append(line)
                    line, room = "", width
                head = present.clip(word, room)
                lines.append(f"{line} {head}" if line else head)
                line, word = "", word[len(head) :]
            if line and present.cell_width(line) + 1 + present.cell_width(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
        if most and len(lines) > most:
            break
    return lines[:most] if most else lines


def flow(line: Line, width: int, *, indent: int = 2) -> list[Line]:
    """A line that goes on under itself where it is too long, cut between words; each word keeps its role."""
    if width_of(line) <= width:
        return [line]
    lines: list[list[Piece]] = [[]]
    room = width
    for text, role in line:
        for word in re.findall(r"\s*\S+|\s+$", present.safe(text)):
            size = present.cell_width(word)
            if size > room:
                if lines[-1]:
                    lines.append([(" " * indent, "")])
                    room = width - indent
                word = present.clip(word.lstrip(), room)
                size = present.cell_width(word)
            lines[-1].append((word, role))
            room -= size
    return list(lines)
