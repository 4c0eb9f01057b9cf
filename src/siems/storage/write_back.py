"""What SQLite has committed is in its log first (WAL) and moved into the file later, on a thread beside the writer.

Left to SQLite, each commit that fills the log moves it, and everybody waits for a disk that looks for a thousand
places. Beside the writer nobody waits, and a page that a second of load has changed many times is moved once. Under
load the log never comes to its end, so the writer still moves what is left when it has become large
(`LOG_PAGES`), and begins it anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger()

LOG_PAGES = 8_000
"""So long the log may become: 32 MB."""
EVERY_SECONDS = 1.0
MANY_VERBS = 200
SELDOM_SECONDS = 60.0
"""Fewer verbs than that can wait for so long."""


class WriteBack:
    """The thread that moves committed pages into the database file."""

    def __init__(self, engine: Engine, verbs: Callable[[], float]) -> None:
        """`verbs` tells how many verbs the writer has committed so far."""
        self._engine = engine
        self._verbs = verbs
        self._moved = verbs()
        self._waited = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="siems-write-back", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What is left is moved when the last connection closes."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self.turn(EVERY_SECONDS)
            except DBAPIError as why:  # the writer meets the same disk, and tells whoever waits
                log.warning("write_back.failed", why=repr(why.orig))
            except Exception:
                log.exception("write_back.failed")

    def turn(self, seconds: float) -> bool:
        """So many seconds have passed; whether pages were moved. Raises DBAPIError."""
        self._waited += seconds
        verbs = self._verbs()
        new = verbs - self._moved
        if not new or (new < MANY_VERBS and self._waited < SELDOM_SECONDS):
            return False
        self._moved, self._waited = verbs, 0.0
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        return True
