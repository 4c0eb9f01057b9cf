"""Lists that come in pages: 30 on a terminal, all of them for scripts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from siems import errors
from siems.cli.context import Door

ON_A_TERMINAL = 30
REDRAWN = 5.0


def pages(door: Door, what: str, query: str, limit: str, **more: Any) -> tuple[list[dict[str, Any]], int]:
    """(items, how many there are, as far as that was counted): 30 on a terminal, all for scripts, or `--limit`."""
    wanted = _limit(door, limit)
    fetch = getattr(door.client, what)
    items: list[dict[str, Any]] = []
    cursor, total = "", 0
    while True:
        size = 1_000 if wanted is None else min(1_000, wanted - len(items))
        page = fetch(query, limit=size, cursor=cursor, **more)
        items += page["items"]
        total, cursor = page["total"], page["next"] or ""
        if not cursor:
            return items, max(len(items), 0 if page.get("at_least") else total)
        if wanted is not None and len(items) >= wanted:
            return items, max(len(items) + 1, total)


def _limit(door: Door, text: str) -> int | None:
    if not text:
        return ON_A_TERMINAL if sys.stdout.isatty() and not door.json else None
    return how_many(text)


def how_many(text: str) -> int | None:
    """What `--limit` says; None for all. Raises UsageError."""
    if text in ("", "all"):
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000_000):
        raise errors.UsageError(f"--limit takes a number or all, not {text!r}", hint="--limit 100, or --limit all")
    return int(text)


def drawn_again(door: Door, draw: Callable[[], None], *, hint: str) -> None:
    """Draw it, and again every five seconds until somebody interrupts. Raises UsageError without a terminal."""
    if not sys.stdout.isatty() or door.json:
        raise errors.UsageError("--watch draws on a terminal", hint=hint)
    while True:
        print("\x1b[H\x1b[2J", end="")
        draw()
        sys.stdout.flush()
        time.sleep(REDRAWN)
