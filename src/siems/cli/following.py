"""`siems incident timeline --follow`: the story of an incident as it goes on."""

from __future__ import annotations

import json
import time
from typing import Any

from siems import errors
from siems.cli.context import Door

MOST = 1_000


def follow_story(door: Door, ref: str, limit: int) -> None:
    """Its lines, the oldest first, and those that come, until somebody interrupts.

    Survives a restart of the daemon: what was said meanwhile is shown then.
    """
    found = door.client.incident(ref)["incident"]["id"]
    shown: set[str] = set()
    _tell(door, found, shown, limit)
    cursor = ""
    while True:
        try:
            for event in door.client.events(cursor=cursor):
                cursor = event.get("cursor", cursor)
                if event["type"] == "hello" or event.get("data", {}).get("incident_id") == found:
                    _tell(door, found, shown, MOST)
        except errors.Unavailable as gone:
            door.note(f"{gone.message}; trying again")
        time.sleep(1.0)


def _tell(door: Door, ref: str, shown: set[str], limit: int) -> None:
    for line in reversed(door.client.timeline(ref, limit=limit)):
        said = json.dumps(line, sort_keys=True)
        if said not in shown:
            shown.add(said)
            _print(door, line)


def _print(door: Door, line: dict[str, Any]) -> None:
    from siems.present import safe

    if door.format in ("json", "jsonl"):
        print(json.dumps(line), flush=True)
    else:
        print(f"{line['at']}\t{line['kind']}\t{safe(line['actor'])}\t{safe(line['text'])}", flush=True)
