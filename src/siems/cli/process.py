"""The daemon as a process, from outside: starting, stopping, asking whether it is there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from siems import errors, places
from siems.client import local

READY_SECONDS = 20.0
STOP_SECONDS = 35.0


def call(*args: str, text: str = "") -> dict[str, Any]:
    """Run one of the daemon's own commands and return what it says. Raises the error that it reports."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "siems.daemon", *args], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise reported(done.stderr, done.returncode)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def tried(*args: str) -> tuple[dict[str, Any], errors.SiemsError | None]:
    """What one of the daemon's own commands says, and the error that it ends with although it said something."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "siems.daemon", *args], capture_output=True, text=True, check=False
    )
    error = reported(done.stderr, done.returncode) if done.returncode != 0 else None
    if error is not None and not done.stdout.strip():
        raise error
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found, error


def reported(stderr: str, code: int) -> errors.SiemsError:
    """The error that a process of ours has written; what is not one is shown as it is."""
    for line in reversed(stderr.strip().splitlines()):
        try:
            said = json.loads(line)["error"]
        except (ValueError, KeyError, TypeError):
            continue
        return errors.BY_CODE.get(said["code"], errors.SiemsError)(said["message"], hint=said["hint"])
    last = stderr.strip().splitlines()[-1:] or [f"exit code {code}"]
    return errors.SiemsError(f"the daemon failed: {last[0]}", hint="siems daemon logs")


def log_file() -> Path:
    return places.state_dir() / "daemon.log"


def log_lines(last: int, *, follow: bool) -> Iterator[bytes]:
    """The last lines of the log, the newest of the files before it included; then those that come."""
    file = log_file()
    with file.open("rb") as now:
        lines = now.read().splitlines()
        with contextlib.suppress(OSError):
            before = file.with_name(f"{file.name}.1") if len(lines) < last else None
            lines = [*(before.read_bytes().splitlines() if before else ()), *lines]
        yield from lines[-last:] if last > 0 else ()
        place = now.tell()
    while follow:
        with contextlib.suppress(FileNotFoundError), file.open("rb") as now:  # between two files there is none
            number, size = os.fstat(now.fileno()).st_ino, os.fstat(now.fileno()).st_size
            now.seek(place if place <= size else 0)
            while True:
                if line := now.readline():
                    yield line.rstrip(b"\n")
                elif not file.exists() or file.stat().st_ino != number:
                    break
                else:
                    time.sleep(0.2)
        place = 0


def endpoint() -> dict[str, Any] | None:
    """What a running daemon has said of itself; None when none runs."""
    try:
        said: dict[str, Any] = json.loads(places.endpoint_file().read_text())
    except (OSError, ValueError):
        return None
    return said if _alive(int(said.get("pid", 0))) else None


def stopped(why: str) -> None:
    """Raises Locked while a daemon runs: on PostgreSQL no lock says so."""
    if (running := endpoint()) is not None:
        raise errors.Locked(f"the daemon runs (process {running['pid']}): {why}", hint="siems daemon stop")


def _alive(pid: int) -> bool:
    """Whether this process is there and is a daemon of ours: numbers are given out again."""
    if pid <= 0:
        return False
    if Path("/proc/self").exists():
        try:
            return b"siems.daemon" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
    done = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return "siems.daemon" in done.stdout


def on_port(port: int | None) -> list[str]:
    """What tells the daemon another port than that of its settings."""
    return [] if port is None else ["--port", str(port)]


def start(port: int | None = None, *more: str) -> dict[str, Any]:
    """Start a daemon in the background and wait until it is ready. Raises what it reports when it is not."""
    if (running := endpoint()) is not None and local(identified=False).ready():
        if port and not running["url"].endswith(f":{port}"):
            raise errors.Conflict(
                f"siems runs already, on {running['url']} (process {running['pid']})",
                hint=f"siems daemon restart --port {port}",
            )
        return {**running, "changed": False}
    log = log_file()
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    begin = log.stat().st_size if log.exists() else 0
    with open(log, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "siems.daemon", "run", "--log-file", str(log), *on_port(port), *more],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if child.poll() is not None:
            written = log.read_bytes()  # shorter than before where a new file was begun
            new = written[begin if len(written) >= begin else 0 :]
            raise reported(new.decode(errors="replace"), child.returncode)
        said = endpoint()
        if said is not None and said["pid"] == child.pid and local(identified=False).ready():
            return {**said, "changed": True}
        time.sleep(0.05)
    raise errors.Pending(f"the daemon is not ready after {READY_SECONDS:g} s", hint="siems daemon logs")


def stop() -> bool:
    """Ask the daemon to finish and wait for it; False when none runs. Raises Pending when it takes too long."""
    said = endpoint()
    if said is None:
        return False
    pid = int(said["pid"])
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        _reap(pid)
        if not _alive(pid):
            return True
        time.sleep(0.05)
    raise errors.Pending(f"the daemon (process {pid}) still finishes its work", hint="siems daemon logs")


def _reap(pid: int) -> None:
    """A child of ours that has ended waits for its parent: let it go."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
