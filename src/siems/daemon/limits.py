"""Token buckets: how many requests a client may send, and how many forgeries an address may try."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

BUCKETS_KEPT = 10_000


@dataclass(slots=True)
class Bucket:
    """A request takes one token; `wait` is 0, or the whole seconds until there is one."""

    tokens: float
    at: float
    per_minute: int

    @property
    def wait(self) -> int:
        return 0 if self.tokens >= 1 else math.ceil((1 - self.tokens) * 60 / self.per_minute)


class Limiter:
    """Buckets by name; the least used are forgotten, which only ever favours the sender."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def bucket(self, name: str, *, per_minute: int, burst: int) -> Bucket:
        """The bucket as it is filled now. Takes nothing: who lets a request pass takes a token."""
        now = time.monotonic()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(float(burst), now, per_minute)
            if len(self._buckets) > BUCKETS_KEPT:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(name)
        filled = bucket.tokens + (now - bucket.at) * per_minute / 60
        bucket.tokens = filled if filled < burst else float(burst)
        bucket.at, bucket.per_minute = now, per_minute
        return bucket
