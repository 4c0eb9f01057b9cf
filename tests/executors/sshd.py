"""A server for SSH on this machine that really runs what it is sent."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncssh

from siems.executors import Host
from siems.vocabulary import Platform

USER, PASSWORD = "ops", "sesame-4711"
KEY = asyncssh.generate_private_key("ssh-ed25519")
STRANGER = asyncssh.generate_private_key("ssh-ed25519")


@dataclass
class Sshd:
    """Where it listens, which commands came, and the connections that are open."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    keys: Callable[[str, str], bool] = lambda user, key: False
    """Whether somebody comes in by a key, given as `type base64`."""
    connections: list[Any] = field(default_factory=list)

    @property
    def known_hosts(self) -> str:
        key = KEY.export_public_key().decode().strip()
        return f"[127.0.0.1]:{self.port} {key}\n"

    def host(self, name: str = "web-1", **access: str) -> Host:
        own = {"username": USER, "port": str(self.port), "known_hosts": self.known_hosts, "password": PASSWORD}
        return Host(
            name=name, platform=Platform.LINUX, addresses=("127.0.0.1",), access={**own, **access}
        )  # fmt: skip

    def cut(self) -> None:
        """Every connection is lost at once."""
        for connection in self.connections:
            connection.abort()


class _Door(asyncssh.SSHServer):
    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd

    def connection_made(self, conn: Any) -> None:
        self._sshd.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        return self._sshd.keys(username, " ".join(key.export_public_key().decode().split()[:2]))

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


async def _send(theirs: Any, ours: Any) -> None:
    with suppress(OSError, asyncssh.Error):
        while piece := await theirs.read(8_192):
            ours.write(piece)
            await ours.drain()
    ours.close()


async def _pass(ours: Any, theirs: Any) -> None:
    with suppress(OSError, asyncssh.Error):
        while piece := await ours.read(8_192):
            theirs.write(piece)


@contextmanager
def beside() -> Iterator[Sshd]:
    """The server in a thread of its own, for whoever has no loop."""
    ready, found, ends = threading.Event(), list[Sshd](), list[Any]()

    async def serve() -> None:
        async with serving() as sshd:
            end = asyncio.Event()
            found.append(sshd)
            ends.append(partial(asyncio.get_running_loop().call_soon_threadsafe, end.set))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        ends[0]()
        thread.join(20)


@asynccontextmanager
async def serving() -> AsyncIterator[Sshd]:
    """The server; what still runs at the end is ended."""
    sshd, running = Sshd(), list[Any]()

    async def serve(process: Any) -> None:
        sshd.commands.append(process.command)
        inner = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", process.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        running.append(inner)
        sends = asyncio.ensure_future(_send(process.stdin, inner.stdin))
        try:
            await asyncio.gather(_pass(inner.stdout, process.stdout), _pass(inner.stderr, process.stderr))
            code = await inner.wait()
        finally:
            sends.cancel()
        with suppress(OSError, asyncssh.Error):  # nobody may listen any more
            process.exit(code % 256)

    server = await asyncssh.create_server(
        lambda: _Door(sshd), "127.0.0.1", 0, server_host_keys=[KEY], process_factory=serve, encoding=None
    )
    sshd.port = server.sockets[0].getsockname()[1]
    try:
        yield sshd
    finally:
        for inner in running:
            with suppress(ProcessLookupError):
                os.killpg(inner.pid, signal.SIGKILL)
            await inner.wait()
        sshd.cut()
        server.close()
        await server.wait_closed()
