"""A stop lets what has begun finish: a request that has come in part is taken, or told to come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from siems.clock import ManualClock

from .house import ALERT, House, open_house

BODY = json.dumps(ALERT).encode()
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture
async def ending(file: str, clock: ManualClock) -> AsyncIterator[House]:
    async with open_house(file, clock) as made:
        yield made


def webhook(house: House, *more: str) -> bytes:
    lines = ["POST /api/webhooks/alerts HTTP/1.1", "Host: x", *more]
    lines += [f"{name}: {value}" for name, value in house.signed(BODY)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def connected(house: House, request: bytes) -> Connection:
    """A connection on which so much has been said, and heard."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(request)
    await writer.drain()
    [front] = await seen(house, request)
    assert front is not None
    return reader, writer


async def seen(house: House, request: bytes) -> list[object]:
    async with asyncio.timeout(10):
        while True:
            found = [c for c in house.listening.door.connections if not request or c.unanswered or c._beyond]
            if found:
                return found[:1]
            await asyncio.sleep(0.01)


def stop(house: House) -> asyncio.Task[None]:
    """What a signal sets off."""
    house.runtime.draining = True
    house.listening.drain()
    return asyncio.get_running_loop().create_task(house.listening.cleanup())


async def answered(connection: Connection) -> tuple[bytes, bytes]:
    """(the first line of the answer, all of it), once the connection is closed."""
    reader, writer = connection
    said = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return said.partition(b"\r\n")[0], said


CUTS = {
    "in the request line": lambda whole: 9,
    "in the head": lambda whole: whole.index(b"X-Signature") + 20,
    "before the body": lambda whole: whole.index(b"\r\n\r\n") + 4,
    "in the body": lambda whole: len(whole) - 10,
}


@pytest.mark.parametrize("cut", CUTS)
async def test_a_request_that_has_come_in_part_is_taken(ending: House, cut: str) -> None:
    whole = webhook(ending, f"Content-Length: {len(BODY)}") + BODY
    place = CUTS[cut](whole)
    connection = await connected(ending, whole[:place])
    done = stop(ending)
    connection[1].write(whole[place:])
    first, said = await answered(connection)
    assert first == b"HTTP/1.1 202 Accepted"
    assert b"Connection: close" in said
    await done
    found = await ending.runtime.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM alert").scalar())
    assert found == 1


async def test_a_request_in_chunks_that_has_come_in_part_is_taken(ending: House) -> None:
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    connection = await connected(ending, webhook(ending, "Transfer-Encoding: chunked") + chunk[:20])
    done = stop(ending)
    connection[1].write(chunk[20:])
    assert (await answered(connection))[0] == b"HTTP/1.1 202 Accepted"
    await done


@pytest.mark.parametrize("sent", [b"POST /api/webh", b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\n"])
async def test_who_does_not_finish_in_time_is_told_to_come_back(ending: House, sent: bytes) -> None:
    connection = await connected(ending, sent)
    await stop(ending)
    first, said = await answered(connection)
    assert first == b"HTTP/1.1 503 Service Unavailable"
    assert b"Retry-After: 2" in said


async def test_a_second_request_on_the_connection_comes_too_late(ending: House) -> None:
    whole = webhook(ending, f"Content-Length: {len(BODY)}") + BODY
    connection = await connected(ending, whole[:-1])
    done = stop(ending)
    connection[1].write(whole[-1:] + whole)
    _, said = await answered(connection)
    assert said.count(b"HTTP/1.1") == 1
    await done


async def test_who_says_nothing_is_let_go_at_once_and_nobody_comes_in(ending: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ending.port)
    await seen(ending, b"")
    done = stop(ending)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await asyncio.wait_for(done, 10)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", ending.port)
