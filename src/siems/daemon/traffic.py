"""What goes through the daemon, counted where it happens; `metrics.py` tells it. All of it on the loop's thread."""

from __future__ import annotations

from siems.histogram import Histogram

WEBHOOK_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_AGAIN = b'"duplicate":true'


class Traffic:
    """Webhooks since the start: by source, by answer, and how long each took from its first byte to its answer."""

    __slots__ = ("accepted", "answers", "duplicates", "received", "seconds")

    def __init__(self) -> None:
        self.received: dict[str, int] = {}
        self.answers: dict[int, int] = {}
        self.accepted = 0
        self.duplicates = 0
        self.seconds = Histogram(WEBHOOK_SECONDS)

    def comes(self, source: str) -> None:
        """A request for a source, before anything is known of it."""
        self.received[source] = self.received.get(source, 0) + 1

    def stored(self, said: bytes) -> None:
        """A request was accepted, or had been before: then its answer says so."""
        if _AGAIN in said:
            self.duplicates += 1
        else:
            self.accepted += 1

    def answered(self, status: int, seconds: float) -> None:
        self.answers[status] = self.answers.get(status, 0) + 1
        self.seconds.observe(seconds)
