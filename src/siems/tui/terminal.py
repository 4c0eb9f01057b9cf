"""Leaving with the terminal: when it is gone, state is saved and the process ends."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

HUNG_UP = 128 + signal.SIGHUP


def leave_with_terminal(fileno: int, save: Callable[[], None]) -> None:
    """Watch a terminal on a thread of its own: polling for nothing still reports that it hung up."""

    def watch() -> None:
        poll = select.poll()
        poll.register(fileno, 0)
        poll.poll()
        try:
            save()
        finally:
            os._exit(HUNG_UP)

    threading.Thread(target=watch, name="siems-terminal", daemon=True).start()
    signal.signal(signal.SIGHUP, lambda *_: _save_and_leave(save))


def _save_and_leave(save: Callable[[], None]) -> None:
    try:
        save()
    finally:
        os._exit(HUNG_UP)
