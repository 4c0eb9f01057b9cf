"""The daemon's time, counted on between its answers: timers never trust the clock of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class ServerClock:
    """What time it is for the daemon. Each answer puts it right; one whose time runs faster is followed."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._monotonic = monotonic
        self._at = monotonic()
        self._time = wall()
        self._synced = False
        self.rate = 1.0

    def now(self) -> datetime:
        return self._time + timedelta(seconds=(self._monotonic() - self._at) * self.rate)

    def sync(self, server_time: datetime) -> None:
        """Take over the time that an answer carries; the pace is measured over at least a second."""
        at = self._monotonic()
        gone = at - self._at
        if self._synced and gone >= 1.0:
            pace = (server_time - self._time).total_seconds() / gone
            self.rate = pace if 1.5 < pace < 10_000 else 1.0
        elif self._synced and self.rate != 1.0:
            return
        self._at, self._time, self._synced = at, server_time, True
