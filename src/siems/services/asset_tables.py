"""An inventory as a table of text: what each line says, and what is wrong with it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from siems.domain.asset import Facts
from siems.errors import InvalidField
from siems.services.assets import Listed

CLEARS = "-"
_BOOL = MappingProxyType({"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False})
_SEVERAL = re.compile(r"[;,\s]+")


def _flag(cell: str) -> bool:
    try:
        return _BOOL[cell.lower()]
    except KeyError as why:
        raise InvalidField(f"critical is true or false, not {cell[:20]!r}") from why


def _several(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, _SEVERAL.split(cell)))


def _names(cell: str) -> tuple[str, ...]:
    """Names may hold spaces."""
    return tuple(filter(None, (name.strip() for name in re.split("[;,]", cell))))


COLUMNS: Mapping[str, tuple[Callable[[str], Any], Any]] = MappingProxyType(
    {
        "critical": (_flag, False),
        "addresses": (_several, ()),
        "instance_id": (str, ""),
        "cloud_account": (str, ""),
        "platform": (str, ""),
        "category": (str, ""),
        "notes": (str, ""),
        "depends_on": (_names, ()),
    }
)
"""Besides `name`: how a cell is read, and what `-` makes of it."""
ALIASES = MappingProxyType({"address": "addresses", "ip": "addresses", "asset": "name", "asset_name": "name"})


def read(text: str) -> tuple[list[Listed], list[str]]:
    """(what the lines say, what is wrong, by line). The first line is the header; tables of Europe have semicolons."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    listed: list[Listed] = []
    problems: list[str] = []
    names: list[str] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not names:
                names = [_column(cell) for cell in row]
                problems += [f"line {rows.line_num}: {problem}" for problem in _wrong(names)]
                if problems:
                    return [], problems
                continue
            try:
                listed.append(_line(f"line {rows.line_num}", names, row))
            except InvalidField as why:
                problems.append(f"line {rows.line_num}: {why.message}")
    except csv.Error as why:
        problems.append(f"line {rows.line_num}: this is no CSV ({why})")
    if not listed and not problems:
        problems.append("line 1: a header with `name` and lines below it are needed")
    return listed, problems


def _column(cell: str) -> str:
    word = cell.strip().lower().replace(" ", "_").replace("-", "_")
    return ALIASES.get(word, word)


def _wrong(names: list[str]) -> list[str]:
    """What is wrong with a header."""
    known = ("name", *COLUMNS)
    problems = []
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            said = f"did you mean {near[0]}?" if near else f"columns are {', '.join(known)}"
            problems.append(f"there is no column {name[:40]!r}: {said}")
    problems += [f"the column {name} is there twice" for name in known if names.count(name) > 1]
    if "name" not in names:
        problems.append("the column name is missing")
    return problems


def _line(place: str, names: list[str], row: list[str]) -> Listed:
    if len(row) > len(names):
        raise InvalidField(f"it has {len(row)} cells, and the header {len(names)}")
    cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
    name = cells.pop("name", "")
    said = {key: COLUMNS[key][1] if cell == CLEARS else COLUMNS[key][0](cell) for key, cell in cells.items()}
    return Listed(place=place, name=name, facts=Facts(**said))
