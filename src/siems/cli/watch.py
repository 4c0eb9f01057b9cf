"""`siems watch`: committed events, one JSON object per line."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app

app = new_app("Committed events as they come.")
COMMANDS = ("watch",)


@app.command()
@leaf
def watch(
    door: Door,
    types: Annotated[str, typer.Option("--types", help="incident,alert,sla ...")] = "",
    since: Annotated[str, typer.Option("--since", help="the cursor of the last event you have")] = "",
    exit_after: Annotated[str, typer.Option("--exit-after", help="so many events, or so long: 10 or 30s")] = "",
) -> None:
    """Follow what happens: siems watch --types incident,sla -o jsonl | ./page.sh

    Survives a restart of the daemon: it goes on after the last event that it has shown.
    """
    count, end = _limits(exit_after)
    cursor, shown = since, 0
    while True:
        try:
            for event in door.client.events(cursor=cursor, types=types):
                cursor = event.get("cursor", cursor)
                if event["type"] not in ("ping", "hello"):
                    _print(door, event)
                    shown += 1
                if (count and shown >= count) or (end and time.monotonic() > end):
                    return
        except errors.Unavailable as gone:
            if not cursor:
                raise
            door.note(f"{gone.message}; trying again")
        if end and time.monotonic() > end:
            return
        time.sleep(1.0)


def _limits(text: str) -> tuple[int, float]:
    if not text:
        return 0, 0.0
    if text.isdigit():
        return int(text), 0.0
    from siems.grammar import parse_span

    return 0, time.monotonic() + parse_span(text).total_seconds()


def _print(door: Door, event: dict[str, Any]) -> None:
    from siems.present import safe

    if door.format in ("json", "jsonl"):
        print(json.dumps(event), flush=True)
        return
    data = event["data"]
    text = data.get("title") or data.get("signature") or data.get("subject") or ""
    print(f"{event['at']}\t{event['type']}\t{event['object']}\t{event['company_id']}\t{safe(text)}", flush=True)
