"""Leaving with the terminal: when it is gone, state is saved and the process ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Mapping

HUNG_UP = 128 + signal.SIGHUP
PATIENCE = 3.0
COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python makes of the locale C."""


def draws_utf8(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Whether signs beyond ASCII can be drawn: not where the locale is C by name.

    Python itself takes UTF-8 there, whatever the terminal can do, and says so in LC_CTYPE.
    """
    letters = environ.get("LC_CTYPE", "")
    said = environ.get("LC_ALL") or ("" if letters in COERCED else letters) or environ.get("LANG", "")
    return said not in ("C", "POSIX") and "utf" in (encoding or "").lower()


def leave_with_terminal(
    fileno: int, *, save: Callable[[], None], leave: Callable[[], object], at_end: Callable[[], object] = lambda: None,
) -> None:  # fmt: skip
    """Watch a terminal on a thread of its own: polling for nothing still reports that it hung up.

    So the process ends also where SIGHUP is ignored. SIGHUP and SIGTERM ask it to leave properly: `leave` is called
    on that thread. A signal's handler does no more than to wake it, since a handler may interrupt anything, a lock
    that leaving needs among them. `at_end` is called before the process is ended here: what waits for the console to
    return would never be reached.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)

    def watch() -> None:
        poll = select.poll()
        poll.register(fileno, 0)
        poll.register(woken, select.POLLIN)
        if all(ready != woken for ready, _ in poll.poll()):
            _end(save, at_end, code=HUNG_UP)
        number = os.read(woken, 1)[0]
        threading.Thread(target=leave, name="siems-leaving", daemon=True).start()
        threading.Event().wait(PATIENCE)
        _end(at_end, code=128 + number)

    def asked(number: int, _: object) -> None:
        os.write(wake, bytes([number]))

    threading.Thread(target=watch, name="siems-terminal", daemon=True).start()
    signal.signal(signal.SIGTERM, asked)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, asked)


def _end(*last: Callable[[], object], code: int) -> None:
    """Do the last things, whatever becomes of each, and end the process past everybody who waits."""
    try:
        for one in last:
            with contextlib.suppress(Exception):
                one()
    finally:
        os._exit(code)
