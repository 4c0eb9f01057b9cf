"""What a service manager is told: that siems is ready, that it still works, that it stops (the protocol of systemd)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable


class Supervisor:
    """The socket that the service manager has named; without one nobody is told anything."""

    def __init__(self) -> None:
        # those who run programs for us are not our service manager's business
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        micros = os.environ.pop("WATCHDOG_USEC", "")
        mine = os.environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._every = int(micros) / 3e6 if mine and micros.isdigit() and int(micros) else 0.0
        self._task: asyncio.Task[None] | None = None

    def ready(self, working: Callable[[], bool]) -> None:
        """Everything is there. From now on say so again and again, for as long as it works."""
        self._say("READY=1\nSTATUS=takes alerts")
        if self._address and self._every:
            self._task = asyncio.get_running_loop().create_task(self._run(working))

    def stopping(self) -> None:
        self._say("STOPPING=1\nSTATUS=finishes what it has accepted")

    async def _run(self, working: Callable[[], bool]) -> None:
        """While it stops it works as well: only a clockwork or a writer that stands is not told of."""
        while True:
            if working():
                self._say("WATCHDOG=1")
            else:
                self._say("STATUS=the clockwork or the writer stands still")
            await asyncio.sleep(self._every)

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(address)
            out.sendall(text.encode())
