"""The load generator: raw sockets, requests rendered beforehand, one in flight per connection.

A process of its own: `python -m benchmarks.generator` reads one JSON order on standard input and one on standard
output says how it went. Loopback only; bounded by the number of its requests and by time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import uvloop

from benchmarks.workload import Alerts, Sender, requests

LONGEST = 60.0


class Load:
    """What the connections share."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads: Iterator[bytes] = iter(payloads)
        self.latencies: list[float] = []
        self.statuses: dict[str, int] = {}
        self.ends = time.perf_counter() + LONGEST


class Connection(asyncio.Protocol):
    """Sends one request, waits for the whole answer, sends the next one."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._sent = 0.0
        self._got = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def begin(self) -> None:
        payload = next(self._load.payloads, None)
        self._sent = time.perf_counter()
        if payload is None or self._sent > self._load.ends:
            self._end()
        else:
            self._transport.write(payload)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        if not _complete(self._got):
            return
        load, status = self._load, self._got[9:12].decode()
        load.latencies.append(time.perf_counter() - self._sent)
        load.statuses[status] = load.statuses.get(status, 0) + 1
        self._got = b""
        self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
            self._transport.close()


def _complete(got: bytes) -> bool:
    head = got.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = got.find(b"Content-Length: ", 0, head)
    return len(got) >= head + 4 + int(got[at + 16 : got.find(b"\r", at)])


async def run(port: int, payloads: list[bytes], concurrency: int) -> dict[str, Any]:
    """Send everything; the rate, the latencies in milliseconds and the statuses."""
    load = Load(payloads)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(concurrency)]
    connections = [protocol for _, protocol in made]
    started = time.perf_counter()
    cpu = time.process_time()
    for connection in connections:
        connection.begin()
    await asyncio.gather(*(connection.done for connection in connections))
    spent = time.perf_counter() - started
    ordered = sorted(load.latencies)
    count = len(ordered)
    return {
        "requests": count, "seconds": spent, "rate": count / spent,
        "p50": 1e3 * ordered[count // 2], "p99": 1e3 * ordered[int(count * 0.99)], "slowest": 1e3 * ordered[-1],
        "statuses": load.statuses, "generator_load": (time.process_time() - cpu) / spent,
    }  # fmt: skip


def main() -> None:
    order = json.load(sys.stdin)
    if order["core"] is not None:
        os.sched_setaffinity(0, {order["core"]})
    senders = [Sender(**sender) for sender in order["senders"]]
    payloads = list(requests(order["kind"], order["requests"], senders, Alerts(order["seed"])))
    gc.disable()
    print(json.dumps(uvloop.run(run(order["port"], payloads, order["concurrency"]))))


if __name__ == "__main__":
    main()
