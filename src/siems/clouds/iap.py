"""A way to a port of a machine at Google through its Identity-Aware Proxy: bytes in frames over a WebSocket.

A frame begins with its tag (16 bits, big endian). 1: connected, length (32 bits) and the connection's id; 4: data,
length and the bytes, at most 16 KiB; 7: how many bytes were received in all (64 bits), said every 32 KiB.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from siems.errors import Conflict, Unavailable

if TYPE_CHECKING:
    import aiohttp

PROTOCOL = "relay.tunnel.cloudproxy.app"
ORIGIN = "bot:iap-tunneler"
CONNECTED, DATA, ACK = 0x0001, 0x0004, 0x0007
MOST = 16_384
ACK_EVERY = 2 * MOST
SECONDS = 20.0
BLOCKED = "is TCP 22 open for 35.235.240.0/20 there, and does sshd run?"
_HINTS = {401: "is the key still valid?", 403: "roles/iap.tunnelResourceAccessor", 4003: BLOCKED,
          4033: "roles/iap.tunnelResourceAccessor", 4047: "is it running, and is its zone right?"}  # fmt: skip


@asynccontextmanager
async def tunnel(
    base: str, token: str, *, project: str, zone: str, name: str, port: int = 22
) -> AsyncIterator[socket.socket]:
    """A socket that leads to a port of a machine. Raises Conflict where it is refused, Unavailable."""
    import aiohttp

    asked = {"project": project, "zone": zone, "instance": name, "interface": "nic0", "port": port,
             "newWebsocket": "true"}  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Origin": ORIGIN, "User-Agent": "siems"}
    url = f"{base.rstrip('/')}/connect?{urlencode(asked)}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_connect=SECONDS)) as session:
        ws = await _opened(session, url, headers)
        near, far = socket.socketpair()
        far.setblocking(False)
        pump = _Pump(ws, far)
        try:
            await pump.connected()
            task = asyncio.ensure_future(pump.run())
            try:
                yield near
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        finally:
            near.close()
            far.close()
            with contextlib.suppress(Exception):
                await ws.close()


async def _opened(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]
) -> aiohttp.ClientWebSocketResponse:  # fmt: skip
    import aiohttp

    try:
        async with asyncio.timeout(SECONDS):
            return await session.ws_connect(url, protocols=(PROTOCOL,), headers=headers, max_msg_size=1 << 20)
    except aiohttp.WSServerHandshakeError as why:
        if why.status == 429 or why.status >= 500:
            raise Unavailable(f"the Identity-Aware Proxy answered {why.status}", hint="try again later") from why
        raise refused(why.status, "") from why
    except (aiohttp.ClientError, OSError, TimeoutError) as why:
        raise Unavailable(f"the Identity-Aware Proxy does not answer ({str(why) or type(why).__name__})") from why


def refused(code: int, said: str) -> Conflict:
    """What the proxy's no means."""
    told = f"the Identity-Aware Proxy refuses: {code} {said}".strip()
    return Conflict(told, hint=_HINTS.get(code, "siems company gcp check COMPANY"))


class _Pump:
    """Carries bytes both ways until one side ends."""

    def __init__(self, ws: Any, sock: socket.socket) -> None:
        self._ws, self._sock = ws, sock
        self._received = self._told = 0

    async def connected(self) -> None:
        """Until the proxy has reached the machine. Raises Conflict, Unavailable."""
        try:
            async with asyncio.timeout(SECONDS):
                frame = await self._frame()
        except TimeoutError as why:
            raise Unavailable("the Identity-Aware Proxy has not reached the machine in time", hint=BLOCKED) from why
        if frame is None:
            raise refused(self._ws.close_code or 0, self._said())
        if len(frame) < 2 or struct.unpack_from(">H", frame)[0] != CONNECTED:
            raise Unavailable("the Identity-Aware Proxy speaks another protocol")

    def _said(self) -> str:
        return str(getattr(self._ws, "_close_reason", "") or "")[:200]

    async def run(self) -> None:
        out = asyncio.ensure_future(self._out())
        try:
            await self._in()
        finally:
            out.cancel()
            await asyncio.gather(out, return_exceptions=True)
            self._sock.close()  # whoever reads at the other end sees that it is over

    async def _in(self) -> None:
        loop = asyncio.get_running_loop()
        while (frame := await self._frame()) is not None:
            if len(frame) < 6 or struct.unpack_from(">H", frame)[0] != DATA:
                continue  # of what was received over there; of later versions
            [size] = struct.unpack_from(">I", frame, 2)
            await loop.sock_sendall(self._sock, frame[6 : 6 + size])
            self._received += size
            if self._received - self._told >= ACK_EVERY:
                self._told = self._received
                await self._ws.send_bytes(struct.pack(">HQ", ACK, self._received))

    async def _out(self) -> None:
        loop = asyncio.get_running_loop()
        while piece := await loop.sock_recv(self._sock, MOST):
            await self._ws.send_bytes(struct.pack(">HI", DATA, len(piece)) + piece)
        await self._ws.close()

    async def _frame(self) -> bytes | None:
        """The next frame; None at the end."""
        import aiohttp

        message = await self._ws.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.CLOSE:
            self._ws._close_reason = message.extra
        return None
