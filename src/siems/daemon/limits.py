"""Token buckets: how many requests a client may send, and how many forgeries an address may try."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

BUCKETS_KEPT = 10_000


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: float


class Limiter:
    """Buckets by name; the least used are forgotten, which only ever favours the sender."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wait(self, name: str, *, per_minute: int, burst: int) -> int:
        """0 when a request may pass now, else the whole seconds until it may. Takes nothing."""
        bucket = self._filled(name, per_minute, burst)
        return 0 if bucket.tokens >= 1 else math.ceil((1 - bucket.tokens) * 60 / per_minute)

    def take(self, name: str, *, per_minute: int, burst: int) -> None:
        """A request has passed."""
        self._filled(name, per_minute, burst).tokens -= 1

    def _filled(self, name: str, per_minute: int, burst: int) -> Bucket:
        now = time.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(float(burst), now)
            if len(self._buckets) > BUCKETS_KEPT:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
            bucket.tokens = min(float(burst), bucket.tokens + (now - bucket.at) * per_minute / 60)
            bucket.at = now
        return bucket
