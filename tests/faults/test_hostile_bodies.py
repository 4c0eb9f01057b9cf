"""H2: bodies that are too large, lie about their length, come byte by byte or unpack to gigabytes."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .journal import Victim, alert
from .wire import resident, said, status_of

pytestmark = pytest.mark.faults

MEMORY = 20 * 1024 * 1024
LARGE = 10 * 1024 * 1024
AT_ONCE = 8
PLACES = ("/api/webhooks/alerts", "/api/webhooks/aws-cloudwatch", "/v2/enqueue", "/v2/alerts", "/api/v1/auth/login")


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    made = Victim(tmp_path / "home", str(tmp_path / "siems.db"))
    made.set_up()
    made.start()
    yield made
    assert made.stop() == 0


def head(path: str, company: dict[str, Any], *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", f"X-API-Key: {company['api_key']}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def warm(victim: Victim, company: dict[str, Any]) -> int:
    """Memory after each kind of request was answered once: what is imported and kept anyway is no part of it."""
    for number in range(200):
        assert victim.request(*alert(company, f"warm-{number}", delivery=f"w{number}"))[0] == 202
    for path in PLACES:
        victim.request("POST", path, b"{}", {"X-API-Key": str(company["api_key"])})
    return resident(victim)


async def all_of(victim: Victim, requests: list[tuple[bytes, ...]]) -> list[int]:
    """The status of each, some at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(parts: tuple[bytes, ...]) -> int:
        async with room:
            return status_of(await said(victim.port, *parts))

    return await asyncio.gather(*(one(parts) for parts in requests))


async def test_large_bodies_are_refused_and_not_kept(victim: Victim) -> None:
    company = victim.onboard()
    before = warm(victim, company)
    body = b"x" * LARGE
    chunk = b"%x\r\n%s\r\n" % (1 << 16, b"x" * (1 << 16))
    requests: list[tuple[bytes, ...]] = []
    for path in PLACES:
        for _ in range(4):
            requests.append((head(path, company, f"Content-Length: {LARGE}"), body))
            requests.append((head(path, company, "Transfer-Encoding: chunked"), *[chunk] * 160, b"0\r\n\r\n"))
    found = await all_of(victim, requests)
    grown = resident(victim, most=True) - before
    print(f"\n{len(requests)} bodies of 10 MB: {sorted(set(found))}, memory + {grown / 1e6:.1f} MB at most")
    assert set(found) <= {413, 0}  # who goes on sending may be cut before it reads the answer
    assert found.count(413) > len(found) // 2
    assert grown < MEMORY
    assert victim.request(*alert(company, "after", delivery="after"))[0] == 202


async def test_compressed_bodies_are_refused_and_not_unpacked(victim: Victim) -> None:
    company = victim.onboard()
    before = warm(victim, company)
    bombs = {"gzip": gzip.compress(b"0" * 100_000_000), "deflate": zlib.compress(b"0" * 100_000_000)}
    requests = [
        (head(path, company, f"Content-Encoding: {name}", f"Content-Length: {len(bomb)}"), bomb)
        for name, bomb in bombs.items()
        for path in PLACES
        for _ in range(3)
    ]
    found = await all_of(victim, requests)
    grown = resident(victim, most=True) - before
    print(f"\n{len(requests)} bombs: {sorted(set(found))}, memory + {grown / 1e6:.1f} MB at most")
    assert all(400 <= status < 500 for status in found)
    webhooks = [status for status, (request, _) in zip(found, requests, strict=True) if b"/api/webhooks" in request]
    assert set(webhooks) == {415}
    assert grown < MEMORY


async def test_lengths_that_lie_are_refused_or_let_go(victim: Victim) -> None:
    company = victim.onboard()
    body = json.dumps({"asset_name": "a", "signature": "s", "severity": "low"}).encode()
    path = "/api/webhooks/alerts"
    both = ("Transfer-Encoding: chunked", f"Content-Length: {len(body)}")
    lies: list[tuple[bytes, ...]] = [
        *((head(path, company, f"Content-Length: {said}"), body) for said in
          ("-1", "+5", "0x10", "1e3", "9" * 9, "9" * 30, "", " ", "5, 5", "٣", "5\0", "1_0")),
        (head(path, company, *both), b"0\r\n\r\n"),
        (head(path, company, "Content-Length: 5", "Content-Length: 6"), body),
        (head(path, company, f"Content-Length: {len(body) - 5}"), body),
        *((head(path, company, "Transfer-Encoding: chunked"), chunks) for chunks in
          (b"zz\r\n", b"-1\r\nx\r\n", b"fffffffffffffffff\r\nx", b"5\r\nabc\r\n0\r\n\r\n", b"5;" + b"x" * 100_000)),
        (head(path, company, "Transfer-Encoding: gzip, chunked"), b"0\r\n\r\n"),
        (head(path, company, "Transfer-Encoding: identity"), body),
    ]  # fmt: skip
    found = await all_of(victim, lies)
    assert all(status == 0 or 400 <= status < 500 for status in found), found
    assert victim.request(*alert(company, "after", delivery="after"))[0] == 202


async def test_a_body_in_chunks_of_one_byte_is_read_like_any_other(victim: Victim) -> None:
    company = victim.onboard()
    before = warm(victim, company)
    _, path, body, headers = alert(company, "in pieces", delivery="pieces", message="m" * 200_000)
    named = [f"{name}: {value}" for name, value in headers.items() if name != "X-API-Key"]
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    whole = head(path, company, "Transfer-Encoding: chunked", *named) + pieces
    assert status_of(await said(victim.port, whole)) == 202
    plain = head(path, company, f"Content-Length: {len(body)}", *named) + body
    assert status_of(await said(victim.port, *(plain[n : n + 1] for n in range(3_000)), plain[3_000:])) == 202
    grown = resident(victim, most=True) - before
    print(f"\na body in {len(body)} chunks: memory + {grown / 1e6:.1f} MB at most")
    assert grown < MEMORY
