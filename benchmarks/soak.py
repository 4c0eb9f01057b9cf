"""The console through a long storm: whether its memory stays flat while incidents open, are worked on and close."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.console import Terminal
from benchmarks.servers import Setting, deliver
from benchmarks.workload import Alerts, render
from siems.client import Client
from siems.errors import SiemsError

STANDING = 300
"""Incidents that stay open, about."""
TENTHS = 10
BATCH = 20
KEY_SECONDS = 0.7
WALK = ("j", "j", "\r", "\t", "q", "2", "j", "e", "1", "G", "k", "\r", "]", "]", "q", "g", "3", "5", "7", "1",
        "/disk\r", "\x1b", "d", "d")  # fmt: skip
"""What somebody looks at, again and again: the board, incidents, alerts, runs, measures, audit, a filter."""


@dataclass(frozen=True, slots=True)
class Tenth:
    """How it stood after a tenth of the time; memory in MB."""

    seconds: float
    alerts: int
    closed: int
    memory: float


def run(setting: Setting, minutes: float, rate: int) -> list[Tenth]:
    """Feed the daemon so many alerts a second, one in a hundred of which opens an incident, and sample the console."""
    over = threading.Event()
    sent, closed = [0], [0]
    threads = [
        threading.Thread(target=_feed, args=(setting, rate, sent, over)),
        threading.Thread(target=_close, args=(setting, closed, over)),
    ]
    terminal = Terminal(setting.environment)
    found: list[Tenth] = []
    try:
        terminal.settle()
        for thread in threads:
            thread.start()
        begun, step = time.perf_counter(), 0
        for tenth in range(TENTHS + 1):
            ends = begun + 60 * minutes * tenth / TENTHS
            while time.perf_counter() < ends:
                terminal.for_(KEY_SECONDS)
                terminal.type(WALK[step % len(WALK)].encode())
                step += 1
            found.append(Tenth(time.perf_counter() - begun, sent[0], closed[0], terminal.memory()))
            said = f"{sent[0]:>9,} alerts  {closed[0]:>6,} closed  {found[-1].memory:.1f} MB"
            print(f"  {found[-1].seconds:5.0f} s  {said}", file=sys.stderr)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        terminal.close()
    return found


def slope(tenths: list[Tenth]) -> float:
    """MB that the last half added per 100,000 alerts."""
    half = tenths[len(tenths) // 2 :]
    return (half[-1].memory - half[0].memory) / max(1, half[-1].alerts - half[0].alerts) * 100_000


def _feed(setting: Setting, rate: int, sent: list[int], over: threading.Event) -> None:
    begun, alerts = time.perf_counter(), Alerts(setting.seed + 700)
    while not over.is_set():
        company = sent[0] // BATCH % len(setting.senders)
        body = [alerts.usual(company) for _ in range(BATCH)]
        deliver(setting.daemon, [render(setting.senders[company], body)])
        sent[0] += BATCH
        over.wait(max(0.0, begun + sent[0] / rate - time.perf_counter()))


def _close(setting: Setting, closed: list[int], over: threading.Event) -> None:
    """Somebody resolves and closes the oldest ones beyond those that stay."""
    token = (Path(setting.environment["SIEMS_HOME"]) / "config" / "token").read_text().strip()
    client = Client(f"http://127.0.0.1:{setting.daemon}", token=token)
    while not over.wait(1.0):
        try:
            # those with most repeats are the seeded ones, which stay
            page = client.incidents("alert_count:1 state:OPEN", sort="-created_at", limit=500)["items"]
            for one in page[STANDING // 2 :]:
                if over.is_set():
                    break
                client.act("resolve", one["id"], note="done", cause="job")
                client.act("close", one["id"])
                closed[0] += 1
        except SiemsError as why:
            print(f"  closing: {why.message}", file=sys.stderr)
