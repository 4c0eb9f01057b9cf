"""Output: tables for terminals, lines for pipes, JSON for scripts. Not one escape byte reaches a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siems import errors
from siems.cli.context import Door
from siems.present import safe

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header, the value for pipes, and (where it differs) the text for people."""

    header: str
    value: Callable[[Item], Any]
    human: Callable[[Item], str] | None = None
    wide: bool = False
    style: Callable[[Item], str] | None = None


def field(header: str, key: str, *, wide: bool = False) -> Column:
    """A column that shows one field as it is."""
    return Column(header, lambda item: item.get(key), wide=wide)


def show_list(door: Door, items: Sequence[Item], columns: Sequence[Column], *, id: str = "id", total: int = -1) -> None:
    """A list, as the flags ask for it."""
    items = _picked(door, items)
    match door.format:
        case "json":
            _json(door, list(items))
        case "jsonl":
            for item in items:
                print(json.dumps(item))
        case "yaml":
            print(_yaml(list(items)))
        case "csv":
            _csv(items, columns, door)
        case "name":
            for item in items:
                print(safe(str(item[id])))
        case _:
            _table(door, items, columns)
            if 0 <= len(items) < total and sys.stdout.isatty():
                print(f"{len(items)} of {total}")


def show_one(door: Door, item: Item, lines: Callable[[Item], Sequence[str]], *, id: str = "id") -> None:
    """One object, as the flags ask for it; `lines` is the text for people."""
    match door.format:
        case "json" | "jsonl":
            _json(door, _picked(door, [item])[0])
        case "yaml":
            print(_yaml(_picked(door, [item])[0]))
        case "name":
            print(safe(str(item[id])))
        case "csv":
            raise errors.UsageError("csv is for lists", hint="use -o json")
        case _:
            for line in lines(item):
                print(line)


def _picked(door: Door, items: Sequence[Item]) -> Sequence[Item]:
    """Only the fields that were asked for. Raises UsageError listing them."""
    if not door.fields:
        return items
    known = list(items[0]) if items else []
    if door.fields == "?":
        raise errors.UsageError("fields: " + ", ".join(known or ["(none: the list is empty)"]), hint="--fields a,b")
    wanted = [name.strip() for name in door.fields.split(",")]
    for name in wanted:
        if items and name not in items[0]:
            raise errors.UsageError(f"there is no field {name!r}", hint=f"fields: {', '.join(known)}")
    return [{name: item.get(name) for name in wanted} for item in items]


def _json(door: Door, value: Any) -> None:
    expression = door.flags["jq"]
    if not expression:
        print(json.dumps(value, indent=2 if sys.stdout.isatty() else None))
        return
    try:
        import jq  # type: ignore[import-not-found]
    except ImportError as why:
        raise errors.UsageError("--jq needs the package jq", hint="pip install jq, or pipe into jq") from why
    for found in jq.compile(expression).input_value(value):
        print(json.dumps(found))


def _plain(value: Any) -> str:
    """A value for a pipe: one line, nothing shortened."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return safe(",".join(map(str, value)))
    return safe(json.dumps(value)) if isinstance(value, dict) else safe(str(value))


def _csv(items: Sequence[Item], columns: Sequence[Column], door: Door) -> None:
    import csv

    writer = csv.writer(sys.stdout)
    if door.fields:
        names = list(items[0]) if items else []
        writer.writerow(names)
        writer.writerows([_cell(item[name]) for name in names] for item in items)
        return
    writer.writerow([column.header.lower() for column in columns])
    writer.writerows([_cell(column.value(item)) for column in columns] for item in items)


def _cell(value: Any) -> str:
    """A spreadsheet must not take a text for a formula."""
    text = _plain(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not text.lstrip("-").isdigit() else text


def _table(door: Door, items: Sequence[Item], columns: Sequence[Column]) -> None:
    if door.fields:
        names = list(items[0]) if items else []
        columns = [field(name.upper(), name) for name in names]
    shown = [c for c in columns if not c.wide or door.format == "wide" or not sys.stdout.isatty()]
    if not sys.stdout.isatty():
        for item in items:
            print("\t".join(_plain(column.value(item)) for column in shown))
        return
    _rich(door, items, shown)


def _rich(door: Door, items: Sequence[Item], columns: Sequence[Column]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold" if door.color else "")
    for column in columns:
        table.add_column(column.header, no_wrap=True, overflow="ellipsis")
    for item in items:
        cells = []
        for column in columns:
            said = column.human(item) if column.human else _plain(column.value(item))
            cells.append(Text(safe(said), style=column.style(item) if column.style and door.color else ""))
        table.add_row(*cells)
    Console(no_color=not door.color, highlight=False).print(table)


def _yaml(value: Any, indent: int = 0) -> str:
    """YAML of plain JSON values: scalars are written as JSON, which YAML reads."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, (dict, list)) and inner
            said = f"\n{_yaml(inner, indent + 1)}" if nested else f" {json.dumps(inner)}"
            lines.append(f"{pad}{key if str(key).isidentifier() else json.dumps(key)}:{said}")
        return "\n".join(lines)
    if isinstance(value, list) and value:
        return "\n".join(f"{pad}- {_yaml(inner, indent + 1).lstrip()}" for inner in value)
    return f"{pad}{json.dumps(value)}"
