"""Output: tables for terminals, lines for pipes, JSON for scripts. Not one escape byte reaches a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from siems import errors
from siems.cli.context import Door
from siems.cli.table import Column, Item, plain, styled
from siems.present import safe

__all__ = ["Column", "Item", "at", "field", "show_list", "show_one", "when"]

_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def field(header: str, key: str, *, wide: bool = False, grows: bool = False, drop: int = 0) -> Column:
    """A column that shows one field as it is."""
    return Column(header, lambda item: item.get(key), wide=wide, grows=grows, drop=drop)


def when(header: str, key: str, *, wide: bool = False, drop: int = 0) -> Column:
    """A column with a time: RFC 3339 for pipes, how long ago for people."""
    return Column(header, lambda item: item.get(key), lambda item: _ago(item.get(key)), wide=wide, drop=drop)


def _ago(text: str | None) -> str:
    from datetime import UTC, datetime

    from siems.present import ago, instant

    return ago(instant(text), datetime.now(UTC)) if text else ""


def at(text: str) -> str:
    """A time in a sentence, to the second; on a terminal also how far away it is."""
    from datetime import UTC, datetime

    from siems.present import ago, duration, instant

    moment, now = instant(text), datetime.now(UTC)
    said = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    if not sys.stdout.isatty():
        return said
    left = (moment - now).total_seconds()
    return f"{said} (in {duration(left)})" if left > 0 else f"{said} ({ago(moment, now)})"


def show_list(door: Door, items: Sequence[Item], columns: Sequence[Column], *, id: str = "id", total: int = -1) -> None:
    """A list, as the flags ask for it."""
    items, columns = _picked(door, items, columns)
    match door.format:
        case "json":
            _json(door, list(items))
        case "jsonl":
            for item in items:
                _json(door, item)
        case "yaml":
            print(_yaml(list(items)))
        case "csv":
            _csv(items, columns)
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
            _json(door, _picked(door, [item], ())[0][0])
        case "yaml":
            print(_yaml(_picked(door, [item], ())[0][0]))
        case "name":
            print(safe(str(item[id])))
        case "csv":
            items, columns = _picked(door, [item], [field(name.upper(), name) for name in item])
            _csv(items, columns)
        case _ if door.fields:
            _table(door, *_picked(door, [item], ()))
        case _:
            for line in lines(item):
                print(line)


def _picked(door: Door, items: Sequence[Item], columns: Sequence[Column]) -> tuple[Sequence[Item], Sequence[Column]]:
    """Only the fields that were asked for; `?` prints their names and is done. Raises UsageError."""
    if not door.fields:
        return items, columns
    known = list(dict.fromkeys(name for item in items for name in item))
    if door.fields == "?":
        if not known:
            raise errors.UsageError("the list is empty, so its fields have no names", hint="siems schema")
        print("\n".join(known))
        raise typer.Exit(0)
    wanted = [name.strip() for name in door.fields.split(",") if name.strip()]
    for name in wanted:
        if known and name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "--fields '?' lists them"
            raise errors.UsageError(f"there is no field {name!r}", hint=hint)
    kept = items if door.format == "name" else [{name: item.get(name) for name in wanted} for item in items]
    return kept, [field(name.upper(), name, grows=True) for name in wanted]


def _json(door: Door, value: Any) -> None:
    if door.filter is None:
        text = json.dumps(value, indent=2 if sys.stdout.isatty() and door.format == "json" else None)
        print(text.replace("\x7f", "\\u007f"))  # the one control character that JSON leaves as it is
        return
    try:
        for found in door.filter.input_value(value):
            print(json.dumps(found))
    except ValueError as why:
        raise errors.UsageError(f"--jq does not fit the answer: {why}", hint="look at it without --jq") from why


def _csv(items: Sequence[Item], columns: Sequence[Column]) -> None:
    import csv

    writer = csv.writer(sys.stdout)
    writer.writerow([column.header.lower() for column in columns])
    writer.writerows([_cell(column.value(item)) for column in columns] for item in items)


def _cell(value: Any) -> str:
    """A spreadsheet must not take a text for a formula."""
    text = plain(value)
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") and not text.lstrip("-").isdigit() else text


def _table(door: Door, items: Sequence[Item], columns: Sequence[Column]) -> None:
    """Lines with tabs for pipes, without a header; for terminals a table that fits."""
    if not sys.stdout.isatty():
        for item in items:
            print("\t".join(_piped(door, column, item) for column in columns))
        return
    if not items:
        door.note("nothing to show")
        return
    from shutil import get_terminal_size

    from siems.cli.table import draw

    whole = door.format == "wide"
    shown = [c for c in columns if whole or not c.wide]
    print("\n".join(draw(items, shown, width=get_terminal_size().columns, color=door.color, whole=whole)))


def _piped(door: Door, column: Column, item: Item) -> str:
    """A value as it is; coloured only where somebody has asked for colours in so many words."""
    text = plain(column.value(item))
    return styled(text, column.style(item)) if door.color and column.style else text


def _yaml(value: Any, indent: int = 0) -> str:
    """YAML of plain JSON values: scalars are written as JSON, which YAML reads."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, inner in value.items():
            nested = isinstance(inner, (dict, list)) and inner
            said = f"\n{_yaml(inner, indent + 1)}" if nested else f" {_scalar(inner)}"
            lines.append(f"{pad}{key if _bare(str(key)) else _scalar(key)}:{said}")
        return "\n".join(lines)
    if isinstance(value, list) and value:
        return "\n".join(f"{pad}- {_yaml(inner, indent + 1).lstrip()}" for inner in value)
    return f"{pad}{_scalar(value)}"


def _bare(key: str) -> bool:
    """Whether YAML reads a key without quotes as this text: `on`, `no` and `null` it would not."""
    return key.isascii() and key.isidentifier() and key.lower() not in _YAML_WORDS


def _scalar(value: Any) -> str:
    """A scalar as YAML reads it: JSON, but with characters beyond the first plane in YAML's own notation."""
    import re

    def told(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        high, low = int(found[1], 16) - 0xD800, int(found[2], 16) - 0xDC00
        return f"\\U{0x1_0000 + (high << 10) + low:08x}"

    text = re.sub(r"\\\\|\\u(d[89ab]\w\w)\\u(d[c-f]\w\w)", told, json.dumps(value))
    return text.replace("\x7f", "\\x7f")
