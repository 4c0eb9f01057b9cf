"""Leaving with the terminal: when it is gone, state is saved and the process ends."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

HUNG_UP = 128 + signal.SIGHUP
PATIENCE = 3.0


def leave_with_terminal(fileno: int, *, save: Callable[[], None], leave: Callable[[], object]) -> None:
    """Watch a terminal on a thread of its own: polling for nothing still reports that it hung up.

    So the process ends also where SIGHUP is ignored. SIGHUP and SIGTERM ask it to leave properly.
    """

    def watch() -> None:
        poll = select.poll()
        poll.register(fileno, 0)
        poll.poll()
        try:
            save()
        finally:
            os._exit(HUNG_UP)

    def asked(number: int, _: object) -> None:
        late = threading.Timer(PATIENCE, os._exit, (128 + number,))
        late.daemon = True
        late.start()
        leave()

    threading.Thread(target=watch, name="siems-terminal", daemon=True).start()
    signal.signal(signal.SIGTERM, asked)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, asked)
