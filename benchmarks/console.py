"""The console in a pseudo terminal: how soon it shows, how fast it answers to keys, what it costs when nothing happens.

The daemon and its console are the real processes, each of which may use any core; what is measured is what comes out
of the terminal.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Setting, deliver
from benchmarks.workload import Alerts, Sender, render

KEYS = 60
ARRIVALS = 20
QUIET_SECONDS = 10.0
STORM_RATE = 100
_CURSOR = re.compile(rb"\x1b\[(\d+);1H(?:\x1b\[[\d;]*m)?> ")
"""The sign of the cursor, painted on a line."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured with so many incidents open; times in milliseconds, memory in MB."""

    incidents: int
    bare: float
    """What a Python that does nothing takes."""
    first_paint: float
    first_rows: float
    key_p95: float
    arrival_p95: float
    idle_bytes: float
    idle_cpu: float
    memory_before: float
    memory_after: float


class Terminal:
    """`siems tui` in a terminal of its own, and all that it has written."""

    def __init__(self, environment: dict[str, str], *, columns: int = 120, lines: int = 40) -> None:
        self.fd, terminal = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "siems"), "tui"], stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, env=environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
        )  # fmt: skip
        os.close(terminal)

    def read(self, seconds: float) -> bytes:
        """What comes within so long; at once, when something does."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        return os.read(self.fd, 65_536)

    def until(self, found: re.Pattern[bytes], *, seconds: float = 20.0, other: bytes = b"") -> tuple[float, bytes]:
        """(when it was there, what was found); what equals `other` is not it. Raises RuntimeError after so long."""
        got, ends = b"", time.perf_counter() + seconds
        while time.perf_counter() < ends:
            got += self.read(0.2)
            for match in found.finditer(got):
                if not match.groups() or match[1] != other:
                    return time.perf_counter(), match[match.lastindex or 0]
        raise RuntimeError(f"the console did not show {found.pattern!r}: {got[-500:]!r}")

    def for_(self, seconds: float) -> int:
        """Read for so long; how many bytes came."""
        count, ends = 0, time.perf_counter() + seconds
        while (left := ends - time.perf_counter()) > 0:
            count += len(self.read(left))
        return count

    def settle(self) -> None:
        """Read until it is quiet for a moment."""
        for _ in range(100):
            if self.for_(0.3) < 400:
                return

    def type(self, keys: bytes) -> float:
        os.write(self.fd, keys)
        return time.perf_counter()

    def cpu(self) -> float:
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)


def measure(setting: Setting, incidents: int) -> Seen:
    """Open so many incidents, then look at the console."""
    missing = incidents - setting.incidents()
    if missing > 0:
        setting.load(setting.daemon, "new", missing)
    _wait_for_quiet(setting)
    starts = [_start(setting.environment) for _ in range(4)][1:]  # the first warms the caches of the disk
    terminal = Terminal(setting.environment)
    try:
        terminal.until(re.compile(rb"INC-\d+"))
        terminal.settle()
        before, busy = terminal.memory(), terminal.cpu()
        idle_bytes = terminal.for_(QUIET_SECONDS) / QUIET_SECONDS
        idle_cpu = (terminal.cpu() - busy) / QUIET_SECONDS
        arrival = _arrivals(setting, terminal)
        with _storm(setting):
            keys = _keys(terminal)
        terminal.settle()
        after = terminal.memory()
    finally:
        terminal.close()
    paint, rows = (statistics.median(each) for each in zip(*starts, strict=True))
    bare = statistics.median(_bare() for _ in range(5))
    return Seen(
        setting.incidents(), bare, paint, rows, _p95(keys), _p95(arrival), idle_bytes, idle_cpu, before, after
    )  # fmt: skip


def _start(environment: dict[str, str]) -> tuple[float, float]:
    """(milliseconds to the first paint, to the first incident on it)."""
    terminal = Terminal(environment)
    try:
        paint, _ = terminal.until(re.compile(rb"siems"))
        rows, _ = terminal.until(re.compile(rb"INC-\d+"))
    finally:
        terminal.close()
    return 1e3 * (paint - terminal.began), 1e3 * (rows - terminal.began)


def _keys(terminal: Terminal) -> list[float]:
    """Milliseconds from a key to the paint of the cursor on another line, up and down the list in turn."""
    taken, at = [], b""
    for number in range(KEYS):
        terminal.for_(0.15)
        typed = terminal.type(b"j" if number % 2 == 0 else b"k")
        seen, at = terminal.until(_CURSOR, seconds=5, other=at)
        taken.append(1e3 * (seen - typed))
    return taken


def _arrivals(setting: Setting, terminal: Terminal) -> list[float]:
    """Milliseconds from the 202 of an alert that opens an incident to the list that counts it."""
    taken, sender, count = [], setting.senders[0], setting.incidents()
    for number in range(ARRIVALS):
        name = f"zq{number}x{setting.seed}"
        alert = {"asset_name": name, "signature": f"lost_{name}", "severity": "critical", "message": f"{name} is lost"}
        deliver(setting.daemon, [render(sender, alert)])
        sent = time.perf_counter()
        seen, _ = terminal.until(re.compile(b" of %d" % (count + number + 1)), seconds=10)
        taken.append(1e3 * max(0.0, seen - sent))
        terminal.for_(0.3)
    return taken


@contextmanager
def _storm(setting: Setting) -> Iterator[None]:
    """A hundred alerts a second of the usual mix, meanwhile."""
    over = threading.Event()

    def send(senders: list[Sender], alerts: Alerts) -> None:
        begun, count = time.perf_counter(), 0
        while not over.is_set():
            company = count % len(senders)
            deliver(setting.daemon, [render(senders[company], alerts.usual(company)) for _ in range(10)])
            count += 10
            over.wait(max(0.0, begun + count / STORM_RATE - time.perf_counter()))

    thread = threading.Thread(target=send, args=(setting.senders, Alerts(91)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _wait_for_quiet(setting: Setting) -> None:
    """Until the daemon has done what it puts off: it takes its core from nobody."""
    for _ in range(120):
        before = setting.busy()
        time.sleep(1.0)
        if setting.busy() - before < 0.05:
            return


def _bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return 1e3 * (time.perf_counter() - started)


def _p95(found: list[float]) -> float:
    return sorted(found)[int(len(found) * 0.95)]
