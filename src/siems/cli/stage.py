"""Where a demonstration takes place: a folder, a daemon and a process of its own, which do not outlive it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from siems.cli import process


class Ending:
    """Stops the daemon and takes the folder away, once: whoever comes second waits until it is done."""

    def __init__(self, home: str, *, keep: bool) -> None:
        self._home, self._keep = home, keep
        self._lock, self._done = threading.Lock(), False

    def __call__(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
            try:
                process.stop()
            finally:
                if not self._keep:
                    shutil.rmtree(self._home, ignore_errors=True)


@contextmanager
def ends_properly() -> Iterator[None]:
    """Whoever closes the terminal, or ends the process, ends the demonstration: a daemon of nobody's must not stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}

    def end(number: int, _: object) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stage(*, keep: bool) -> Iterator[Ending]:
    """A folder and a daemon, gone afterwards; nothing of the user's own siems is touched."""
    home = tempfile.mkdtemp(prefix="siems-demo-")
    before = {name: value for name, value in os.environ.items() if name.startswith("SIEMS_")}
    for name in before:
        del os.environ[name]
    kept = os.environ.get("XDG_STATE_HOME")
    # the machine of the daemon is every host of the demonstration; what runbooks note lies in the folder, too
    own = {"SIEMS_HOME": home, "SIEMS_EXECUTORS_LOCAL_ENABLED": "true", "XDG_STATE_HOME": f"{home}/state"}
    os.environ.update(own)
    ending = Ending(home, keep=keep)
    try:
        yield ending
    finally:
        ending()
        for name in own:
            del os.environ[name]
        os.environ.update(before if kept is None else before | {"XDG_STATE_HOME": kept})
        if keep:
            print(f"kept:  SIEMS_HOME={home} siems up", file=sys.stderr)


@contextmanager
def busy(folder: str) -> Iterator[str]:
    """A process that uses a core, as the booking site's do; its name, which no other process has."""
    program = os.path.join(folder, f"booking-{os.getpid()}")
    os.symlink(os.path.realpath(sys.executable), program)
    words = [program, "-I", "-S", "-c", "while True: pass"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            yield os.path.basename(program)
        finally:
            process.kill()
