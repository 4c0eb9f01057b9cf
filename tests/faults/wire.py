"""Connections by the thousand that say exactly what they are told to, and what a daemon's process holds."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .journal import Victim


@contextmanager
def many_files(wanted: int) -> Iterator[int]:
    """How many files this process, and what it starts, may open: as many as wanted, or as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    given = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(given, soft), hard))
    try:
        yield given
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(victim: Victim, *, most: bool = False) -> int:
    """Bytes of memory that the daemon holds; `most`: or has ever held."""
    status = Path(f"/proc/{victim.pid}/status").read_text()
    name = "VmHWM:" if most else "VmRSS:"
    [line] = [line for line in status.splitlines() if line.startswith(name)]
    return int(line.split()[1]) * 1024


def open_files(victim: Victim) -> int:
    return len(list(Path(f"/proc/{victim.pid}/fd").iterdir()))


async def said(port: int, *parts: bytes, pause: float = 0.0, seconds: float = 60.0) -> bytes:
    """What is answered to these bytes until the connection ends; "" when it is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), seconds)
    except ConnectionError:
        return await _left(reader)
    finally:
        writer.close()


async def _left(reader: asyncio.StreamReader) -> bytes:
    """What had come before the other end let go."""
    return bytes(reader._buffer)  # type: ignore[attr-defined]


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 when there was none."""
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
