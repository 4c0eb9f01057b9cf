"""Following a run: what its hosts print, as they print it, until it is over."""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from siems import errors
from siems.cli.context import TIMEOUT, Door
from siems.cli.run_lines import asking_lines
from siems.cli.show import Item, show_list
from siems.cli.table import Column

OVER = ("succeeded", "failed", "cancelled", "expired", "rejected")
ASK_SECONDS = 0.4
PATIENCE_SECONDS = 60.0
"""For so long a daemon that is restarted is waited for."""


def followed(door: Door, run: Item) -> Item:
    """Show what happens until the run is over; the run as it ended."""
    printer = _Printer(door, sys.stderr if door.json or door.quiet else sys.stdout)
    after, told, asked, end = 0, "", set[tuple[str, str]](), _end(door)
    while True:
        if run["state"] != told:
            told = run["state"]
            if told == "pending_approval":
                door.note(f"{run['id']}: waits for approval until {run['expires_at']}")
        _tell_asking(door, run, asked)
        out = _asked(door, lambda: door.client.run_output(run["id"], after=after))  # noqa: B023
        printer.show(out["items"])
        after = out["next"]
        if run["state"] in OVER and out["over"]:
            printer.end()
            return run
        _in_time(door, run, end)
        if not out["items"]:
            time.sleep(ASK_SECONDS)
        run = _asked(door, lambda: door.client.run(run["id"]))  # noqa: B023


def watched(door: Door, run: Item) -> Item:
    """A line for each change, until the run is over; the run as it ended."""
    told, asked, end = None, set[tuple[str, str]](), _end(door)
    while run["state"] not in OVER:
        _tell_asking(door, run, asked)
        now = (run["state"], run["hosts_done"], run["hosts_failed"])
        if now != told:
            told = now
            door.note(f"{run['id']}: {run['state']}, {run['hosts_done']} of {run['hosts_total']} hosts done")
        _in_time(door, run, end)
        time.sleep(ASK_SECONDS)
        run = _asked(door, lambda: door.client.run(run["id"]))  # noqa: B023
    return run


def _tell_asking(door: Door, run: Item, told: set[tuple[str, str]]) -> None:
    """Once for each question: which host asks, and what to type in another window."""
    new = {(h["name"], h["asked_at"]) for h in run["hosts"] if h["state"] == "asking"} - told
    told |= new
    names = {name for name, _ in new}
    if new:
        for line in asking_lines({**run, "hosts": [h for h in run["hosts"] if h["name"] in names]}):
            door.note(line if line.startswith("    ") else f"{run['id']}:{line[1:]}")


def printed(door: Door, run: Item, *, host: str, step: int, attempt: int, follow: bool) -> None:
    """What was printed; with `follow` until the run is over."""
    if host and host not in [h["name"] for h in run["hosts"]]:
        names = ", ".join(h["name"] for h in run["hosts"][:5])
        raise errors.NotFound(f"{run['id']} does not run on {host!r}", hint=f"it runs on {names}")
    printer, pieces, after = _Printer(door, sys.stdout, alone=bool(host)), list[Item](), 0
    gathers, end = door.format in ("json", "yaml", "csv"), _end(door)
    while True:
        out = _asked(door, lambda: door.client.run_output(run["id"], host=host, step=step, after=after))  # noqa: B023
        after = out["next"]
        wanted = [piece for piece in out["items"] if attempt in (0, piece["attempt"])]
        if gathers:
            pieces += wanted
        else:
            printer.show(wanted)
        if out["over"] or (not follow and not out["items"]):
            break
        if not out["items"]:
            _in_time(door, run, end)
            time.sleep(ASK_SECONDS)
    printer.end()
    if gathers:
        show_list(door, pieces, (Column("HOST", lambda p: p["host"]), Column("TEXT", lambda p: p["text"])))


def _end(door: Door) -> float:
    """When whoever follows stops doing so: never, unless somebody has said for how long."""
    return math.inf if door.flags["timeout"] == TIMEOUT else time.monotonic() + door.timeout


def _in_time(door: Door, run: Item, end: float) -> None:
    """Raises Pending once the time is over. The run itself goes on."""
    if time.monotonic() >= end:
        ref, state = run["id"], run["state"].replace("_", " ")
        raise errors.Pending(f"{ref} is {state} after {door.flags['timeout']}", hint=f"siems runbook status {ref}")


def _asked(door: Door, ask: Any) -> Any:
    """An answer of the daemon, also when it is just being restarted."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except errors.Unavailable as gone:
            if time.monotonic() > end:
                raise
            door.note(f"{gone.message}; trying again")
            time.sleep(1.0)


class _Printer:
    """Whole lines, each under the name of its host; what a host has begun waits for its end."""

    def __init__(self, door: Door, stream: Any, *, alone: bool = False) -> None:
        self._lines = door.format != "jsonl"
        self._stream = stream
        self._alone = alone
        self._begun: dict[tuple[str, bool], str] = {}
        self._tried: dict[str, tuple[int, int]] = {}

    def show(self, pieces: list[Item]) -> None:
        for piece in pieces:
            if not self._lines:
                print(json.dumps(piece), file=self._stream)
                continue
            self._head(piece)
            key = (piece["host"], piece["error"])
            *whole, rest = (self._begun.get(key, "") + piece["text"]).split("\n")
            self._begun[key] = rest
            for line in whole:
                self._line(piece["host"], line)
        self._stream.flush()

    def _head(self, piece: Item) -> None:
        """What comes now is of a further try of a step."""
        host, now = piece["host"], (piece["number"], piece["attempt"])
        if self._tried.get(host) != now and piece["attempt"] > 1:
            for key in [key for key in self._begun if key[0] == host]:
                if rest := self._begun.pop(key):
                    self._line(host, rest)
            self._line(host, f"--- step {now[0]} {piece['step']}, try {now[1]} ---")
        self._tried[host] = now

    def end(self) -> None:
        for (host, _), rest in self._begun.items():
            if rest:
                self._line(host, rest)
        self._begun.clear()
        self._stream.flush()

    def _line(self, host: str, line: str) -> None:
        from siems.present import safe

        text = safe(line.rstrip("\r"))
        print(text if self._alone else f"{safe(host)} | {text}", file=self._stream)
