"""Verbs of `siems incident` for those who look on: watching single ones, and taking many away as a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.acts import Ids, Max, Query, refs, verb
from siems.cli.context import Door
from siems.cli.pages import pages
from siems.cli.show import Column, field, show_list

WATCHED = (field("ID", "id"), field("CHANGED", "changed"), field("WATCHING", "watching"), field("TITLE", "title"))


@verb
def watch_me(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> None:  # noqa: B006
    """Hear of what becomes of them, without being called to work: siems incident watch-me 12"""
    _watch(door, ids, query, at_most, on=True)


@verb
def unwatch(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> None:  # noqa: B006
    """Hear no more of them than others do: siems incident unwatch 12"""
    _watch(door, ids, query, at_most, on=False)


def _watch(door: Door, ids: list[str], query: str, at_most: int, *, on: bool) -> None:
    from siems.present import safe

    done = []
    for ref in refs(ids, query, door, at_most):
        key = f"{door.idempotency_key}:{ref}" if door.idempotency_key else ""
        done.append(door.client.watch_incident(ref, on=on, idempotency_key=key))
    if door.json or door.fields or door.format in ("csv", "name"):
        show_list(door, done, WATCHED)
        return
    again = " (dry run, nothing is written)" if door.dry_run else ""
    for one in done:
        word = ("you watch it now" if on else "you watch it no more") if one["changed"] else "already so"
        print(f"{one['id']}: {word}{again}: {safe(one['title'])}")


EXPORTED = tuple(
    field(name, name)
    for name in (
        "id", "company_id", "company", "title", "severity", "state", "category", "priority_score", "assignee",
        "assignee_name", "alert_count", "repeat_count", "assets", "tool_sources", "rule", "created_at",
        "acknowledged_at", "resolved_at", "closed_at", "resolved_by", "resolution_notes", "cause", "merged_into",
        "recurrence_of",
    )
)  # fmt: skip


def _clock(name: str, value: str) -> Column:
    return Column(f"{name}_{value}", lambda i: i["sla"][name][value])


CLOCKS = tuple(_clock(name, value) for name in ("response", "resolution") for value in ("due_at", "met_at", "breached"))


@verb
def export(
    door: Door,
    since: Annotated[str, typer.Option("--since", help="opened within: 30d")] = "30d",
    query: Query = "",
    out: Annotated[str, typer.Option("--out", help="a file, or - for standard output")] = "-",
) -> None:
    """All that were opened lately, whatever their state: a table for spreadsheets, or JSON with every field.

    siems incident export --since 30d -o csv --out incidents.csv
    siems incident export --query '#acme severity:CRITICAL' -o jsonl
    """
    from contextlib import redirect_stdout

    if door.format not in ("csv", "jsonl", "json"):
        door.format = "csv"
    items, total = pages(door, "incidents", f"created:<{since}" + (f" ({query})" if query else ""), "all")
    if out == "-":
        _write(door, items)
        return
    try:
        with open(out, "w", encoding="utf-8", newline="") as file, redirect_stdout(file):
            _write(door, items)
    except OSError as why:
        raise errors.UsageError(f"{out} cannot be written: {why.strerror}", hint="--out - for standard output") from why
    door.note(f"{total} in {out}")


def _write(door: Door, items: list[dict[str, Any]]) -> None:
    show_list(door, items, (*EXPORTED, *CLOCKS))
