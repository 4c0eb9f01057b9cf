"""The demonstration: an hour of alerts, few incidents, and one of them put right by a runbook on five hosts."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from house import House, until


def test_an_hour_in_seconds_and_a_cure_for_five_servers(tmp_path: Path) -> None:
    house = House(tmp_path / "never-set-up")
    house.home.mkdir()
    with house.start("demo", "--speed", "240") as demo:
        out, err = demo.communicate(timeout=180)
    assert demo.returncode == 0, err
    cure = r"^RUN-1 high-cpu-fix on 5 hosts of INC-\d+ by one command: succeeded, verified$"
    assert re.search(cure, out, re.MULTILINE)
    [cured] = [line for line in out.splitlines() if "High CPU usage across 5 ser" in line]
    assert "RESOLVED" in cured
    assert "1 forged signature refused, 1 replay recognised" in out
    assert "the record is whole" in out
    assert list(house.home.iterdir()) == [], "nothing stays behind"


def test_closing_the_terminal_ends_the_daemon_and_takes_the_folder_away(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    house = House(tmp_path / "never-set-up", TMPDIR=str(scratch))
    house.home.mkdir()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    demo = subprocess.Popen(
        [sys.executable, "-m", "siems", "demo", "--speed", "600"], env=house.env | {"LANG": "C.UTF-8"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_on_a_terminal,
    )  # fmt: skip
    os.close(theirs)
    try:
        _read_until(ours, "an hour of alerts")
        [home] = scratch.glob("siems-demo-*")
        daemon = int(json.loads((home / "state" / "daemon.json").read_text())["pid"])
        os.close(ours)
        demo.wait(60)
        until(lambda: not Path(f"/proc/{daemon}").exists(), seconds=40)
        until(lambda: not list(scratch.glob("siems-demo-*")))
    finally:
        demo.kill()
        demo.wait()


def _on_a_terminal() -> None:
    """Standard input is what this session is controlled by: closing it is told, as it is in life."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(terminal: int, word: str) -> None:
    seen, end = "", time.monotonic() + 120
    while word not in seen:
        assert time.monotonic() < end, seen[-2_000:]
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65_536).decode(errors="replace")
