"""H1: whoever opens connections and hardly speaks is let go, and those who speak are served meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .journal import Victim, alert
from .wire import many_files, open_files, percentile

pytestmark = pytest.mark.faults

CONNECTIONS = int(os.environ.get("FAULTS_CONNECTIONS", "1000"))
HEAD_AT_MOST = 10.0
BODY_AT_MOST = 30.0
SLACK = 6.0
HEAD = b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\n"
KINDS: dict[str, tuple[bytes, bytes]] = {
    "says nothing": (b"", b""),
    "half a head": (HEAD, b""),
    "a head, a byte a second": (HEAD + b"X-Slow: ", b"a"),
    "a body, a byte a second": (HEAD + b"Content-Length: 9000\r\n\r\n", b"a"),
    "chunks, a byte a second": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
}


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    with many_files(CONNECTIONS * 2 + 500):
        made = Victim(tmp_path / "home", str(tmp_path / "siems.db"))
        made.set_up()
        made.start()
        yield made
        made.kill()


async def slow(port: int, kind: str) -> tuple[str, float]:
    """(its kind, how long the connection was held)."""
    begin, more = KINDS[kind]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    since = time.monotonic()
    ended = asyncio.create_task(reader.read())
    try:
        writer.write(begin)
        while not ended.done():
            if more:
                writer.write(more)
            await asyncio.wait([ended], timeout=1.0)
            assert time.monotonic() - since < 90, f"{kind} is never let go"
        return kind, time.monotonic() - since
    except ConnectionError:
        return kind, time.monotonic() - since
    finally:
        ended.cancel()
        await asyncio.wait([ended])
        if not ended.cancelled():
            ended.exception()
        writer.close()


async def serve(victim: Victim, company: dict[str, Any], ending: asyncio.Event) -> tuple[list[float], set[int]]:
    """How long valid alerts take, each on a connection of its own."""
    took, seen = list[float](), set[int]()
    while not ending.is_set():
        begun = time.monotonic()
        status, _ = await asyncio.to_thread(
            victim.request, *alert(company, f"valid-{len(took)}", delivery=f"v{len(took)}")
        )
        took.append(time.monotonic() - begun)
        seen.add(status)
        await asyncio.sleep(0.02)
    return took, seen


async def test_slow_connections_are_let_go_and_do_not_slow_others(victim: Victim) -> None:
    company = victim.onboard()
    before, ending = open_files(victim), asyncio.Event()
    serving = asyncio.create_task(serve(victim, company, ending))
    kinds = list(KINDS)
    held = await asyncio.gather(*(slow(victim.port, kinds[n % len(kinds)]) for n in range(CONNECTIONS)))
    ending.set()
    took, seen = await serving
    worst = {kind: max(seconds for k, seconds in held if k == kind) for kind in kinds}
    p50, p99 = percentile(took, 0.5) * 1000, percentile(took, 0.99) * 1000
    shown = ", ".join(f"{kind} {seconds:.0f} s" for kind, seconds in worst.items())
    print(f"\n{CONNECTIONS} slow connections: held at most {shown}; {len(took)} valid: p50 {p50:.0f}, p99 {p99:.0f} ms")
    assert seen == {202}
    for kind, seconds in worst.items():
        assert seconds < (BODY_AT_MOST if "s, a byte" in kind or "body" in kind else HEAD_AT_MOST) + SLACK, kind
    assert open_files(victim) <= before + 5


async def test_more_connections_than_the_daemon_may_hold_do_not_end_it(tmp_path: Path) -> None:
    victim = Victim(tmp_path / "home", str(tmp_path / "siems.db"), files=128)
    victim.set_up()
    victim.start()
    try:
        company = victim.onboard()
        idle = [await asyncio.open_connection("127.0.0.1", victim.port) for _ in range(400)]
        ended = await asyncio.gather(
            *(asyncio.wait_for(reader.read(), 60) for reader, _ in idle), return_exceptions=True
        )
        assert all(end == b"" or isinstance(end, ConnectionError) for end in ended)
        for _, writer in idle:
            writer.close()
        until = time.monotonic() + 30
        while victim.request(*alert(company, "after", delivery="a"))[0] != 202:
            assert time.monotonic() < until
            await asyncio.sleep(0.2)
    finally:
        victim.kill()
