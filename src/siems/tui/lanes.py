"""Threads that wait for the daemon so that the screen does not: one lane, one thing after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

Job = Callable[[], None]
IDLE_SECONDS = 5.0
"""A lane without work lets its thread go, and with it the screens that its last job knew."""


class Lane:
    """Jobs in order on a thread that never holds up leaving. A newer job replaces a waiting namesake."""

    def __init__(self, name: str) -> None:
        self._jobs: list[tuple[str, Job]] = []
        self._ready = threading.Condition()
        self._busy = False
        self._thread: threading.Thread | None = None
        self._name = name

    def put(self, name: str, job: Job) -> None:
        """Queue a job; an empty name is never replaced."""
        with self._ready:
            self._jobs = [kept for kept in self._jobs if not name or kept[0] != name]
            self._jobs.append((name, job))
            self._ready.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    @property
    def idle(self) -> bool:
        with self._ready:
            return not self._jobs and not self._busy

    def _run(self) -> None:
        while True:
            with self._ready:
                if not self._ready.wait_for(lambda: bool(self._jobs), IDLE_SECONDS):
                    self._thread = None
                    return
                _, job = self._jobs.pop(0)
                self._busy = True
            try:
                job()
            finally:
                with self._ready:
                    self._busy = False
