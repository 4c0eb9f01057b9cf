"""The door in front of aiohttp: connections in pieces, several requests on one, slow ones, and what it hands on."""

from __future__ import annotations

import asyncio
import json

import pytest

from siems.daemon.http import door as doors
from siems.daemon.http import front, middleware

from .house import ALERT, House, Reply

BODY = json.dumps(ALERT).encode()


def request(house: House, *, delivery: str = "", more: str = "", body: bytes = BODY, close: bool = False) -> bytes:
    """A webhook in the plainest form."""
    lines = ["POST /api/webhooks/alerts HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in house.signed(body)]
    lines += [f"X-Delivery-ID: {delivery}"] if delivery else []
    lines += [more] if more else []
    lines += ["Connection: close"] if close else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def answers(reader: asyncio.StreamReader, count: int) -> list[Reply]:
    found = []
    for _ in range(count):
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await asyncio.wait_for(reader.readexactly(int(headers["content-length"])), 10)
        found.append(Reply(int(head[0].split()[1]), headers, body))
    return found


async def test_a_request_may_come_byte_by_byte(door: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    for byte in request(door):
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    [reply] = await answers(reader, 1)
    assert (reply.status, reply.json()["message"]) == (202, "accepted")
    writer.close()


async def test_requests_sent_at_once_are_answered_in_their_order(door: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    bodies = [json.dumps(ALERT | {"signature": f"s{n}"}).encode() for n in range(5)]
    writer.write(b"".join(request(door, body=body) for body in bodies))
    replies = await answers(reader, 5)
    assert [reply.json()["alert_id"] for reply in replies] == [f"ALR-{n}" for n in range(1, 6)]
    writer.write(request(door, close=True))
    assert (await answers(reader, 1))[0].headers["connection"] == "close"
    assert await reader.read() == b""
    writer.close()


async def test_a_connection_may_go_on_to_other_addresses_and_back(door: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request(door) + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    first, second = await answers(reader, 2)
    assert (first.status, second.status) == (202, 200)
    writer.write(request(door))
    [third] = await answers(reader, 1)
    assert third.json()["message"] == "repeated"
    writer.close()


UNUSUAL = ["Content-Encoding: identity", "X-Odd: caf\u00e9", "X-Tab: a\tb", "Connection: Keep-Alive, x"]


@pytest.mark.parametrize("header", UNUSUAL)
async def test_an_unusual_form_is_served_alike(door: House, header: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request(door, more=header).replace("caf\u00e9".encode(), "caf\u00e9".encode("latin-1")))
    replies = await answers(reader, 1)
    assert replies[0].status in (202, 400)
    assert replies[0].headers["server"] == "siems"
    writer.close()


async def test_who_asks_before_sending_is_told_to_go_on(door: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request(door, more="Expect: 100-continue"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    assert (await answers(reader, 1))[0].status == 202
    writer.close()


async def test_chunks_and_lengths_are_never_taken_for_each_other(door: House) -> None:
    """What one server might read as two requests is refused, or is one request."""
    smuggled = b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\n\r\n"
    reply = await door.raw(request(door, more="Transfer-Encoding: chunked", body=b"0\r\n\r\n" + smuggled, close=True))
    assert reply.status in (400, 401)
    doubled = request(door, more="Content-Length: 3", close=True)
    assert (await door.raw(doubled)).status == 400


@pytest.mark.parametrize("start", [b"", b"POST /api/web", b"GET /livez HTTP/1.1\r\nHost"])
async def test_who_never_says_what_it_wants_is_let_go(
    door: House, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(doors, "SWEEP_SECONDS", 0.05)
    await asyncio.sleep(1.1)  # the sweep that has begun is a slow one
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(start)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 10)
    writer.close()
    assert (await door.alert()).status == 202


@pytest.mark.parametrize("path", ["/api/webhooks/alerts", "/api/v1/auth/login"])
async def test_a_body_that_never_ends_is_let_go(door: House, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(doors, "SWEEP_SECONDS", 0.05)
    await asyncio.sleep(1.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc".encode())
    try:
        said = await asyncio.wait_for(reader.read(4_096), 10)
    except ConnectionError:
        said = b""
    assert said == b"" or b" 400 " in said.split(b"\r\n")[0]
    writer.close()


async def test_many_requests_that_nobody_waits_for_end_the_connection(door: House) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    one = request(door, body=b'{"asset_name": "a", "signature": "s", "message": "' + b"x" * 200_000 + b'"}')

    async def flood() -> None:
        for _ in range(200):
            writer.write(one)
            await writer.drain()

    with pytest.raises(ConnectionError):
        await flood()
    writer.close()
    assert (await door.alert()).status == 202


async def test_who_closes_its_side_still_gets_the_answer(door: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(request(door))
    writer.write_eof()
    [reply] = await answers(reader, 1)
    assert reply.status == 202
    writer.close()


async def test_hundreds_of_refusals_at_once_cost_nobody_else_an_answer(door: House) -> None:
    """One good request with many bad ones behind it, in one packet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    bad = b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\nX-API-Key: sk_x\r\nContent-Length: 2\r\n\r\n{}"
    writer.write(request(door) + bad * 800)
    others = [asyncio.create_task(door.alert(ALERT | {"signature": f"s{n}"}, company=door.beta)) for n in range(5)]
    assert {(await other).status for other in others} == {202}
    replies = await answers(reader, 801)
    assert replies[0].status == 202
    assert {reply.status for reply in replies[1:]} <= {401, 429}
    writer.close()


async def test_who_does_not_read_is_not_listened_to(door: House) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    bad = b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\nX-API-Key: sk_x\r\nContent-Length: 2\r\n\r\n{}"

    async def talk() -> None:
        while True:
            writer.write(bad * 100)
            await writer.drain()

    with pytest.raises((TimeoutError, ConnectionError)):
        await asyncio.wait_for(talk(), 1.5)
    held = [c._transport.get_write_buffer_size() for c in door.listening.door.connections]
    assert max(held, default=0) < 256 * 1024
    writer.transport.abort()
    assert (await door.alert()).status == 202


async def test_a_head_without_an_end_is_refused(door: House) -> None:
    reply = await door.raw(b"POST /api/webhooks/alerts HTTP/1.1\r\nX: " + b"a" * 20_000)
    assert (reply.status, reply.headers["connection"]) == (431, "close")
