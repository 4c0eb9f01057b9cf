"""Who outside hears that siems works, and that it does not: the service manager, the dead-man's switch."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from siems.clock import ManualClock
from siems.config import Health
from siems.daemon.supervisor import Supervisor

from .house import House, open_house, until

# --- the service manager (R17) ---------------------------------------------------------------------------------


class Manager:
    """The socket of a service manager."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """What it was told since it last listened."""
        found = []
        while True:
            try:
                found += self._socket.recv(4_096).decode().splitlines()
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    made = Manager(quick_path)
    monkeypatch.setenv("NOTIFY_SOCKET", made.address)
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    yield made
    made.close()


async def test_the_service_manager_hears_that_it_works_until_the_clockwork_is_stopped(
    door: House, manager: Manager
) -> None:
    supervisor = Supervisor()
    supervisor.ready(door.runtime.working)
    said: list[str] = []

    async def beaten() -> bool:
        said.extend(manager.heard())
        return said.count("WATCHDOG=1") >= 3

    await until(beaten)
    assert said[0] == "READY=1"
    door.runtime.scheduler._timer.remove_all_jobs()

    async def quiet() -> bool:
        return "STATUS=the clockwork or the writer stands still" in manager.heard()

    await until(quiet)
    assert (await door.send("GET", "/livez")).status == 503
    manager.heard()

    async def told_again() -> list[str]:
        return manager.heard()

    assert "WATCHDOG=1" not in await until(told_again)
    supervisor.stopping()
    assert "STOPPING=1" in manager.heard()
    assert supervisor._task is not None
    supervisor._task.cancel()
    await asyncio.gather(supervisor._task, return_exceptions=True)


async def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    supervisor = Supervisor()
    supervisor.ready(lambda: True)
    assert supervisor._task is None


async def test_a_watchdog_that_is_for_another_process_is_let_be(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_PID", "1")
    supervisor = Supervisor()
    supervisor.ready(lambda: True)
    assert supervisor._task is None
    assert "READY=1" in manager.heard()


# --- the dead-man's switch -------------------------------------------------------------------------------------


class Outside(BaseHTTPRequestHandler):
    """An address outside."""

    status = 200
    calls = 0

    def do_GET(self) -> None:
        type(self).calls += 1
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def outside() -> Iterator[type[Outside]]:
    class Mine(Outside):
        address = ""

    server = HTTPServer(("127.0.0.1", 0), Mine)
    Mine.address = f"http://127.0.0.1:{server.server_address[1]}/ping/secret"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Mine
    server.shutdown()
    server.server_close()
    thread.join(10)


async def test_the_address_outside_is_called_only_while_all_is_well(
    file: str, clock: ManualClock, outside: type[Outside]
) -> None:
    health = {"health": Health(deadman_url=outside.address)}  # type: ignore[attr-defined]
    async with open_house(file, clock, sections=health) as house:
        await house.runtime.watch.begin()
        deadman = house.runtime.watch.deadman
        await deadman.turn()
        assert outside.calls == 1
        assert deadman.checks()[0][:2] == ("dead man", True)
        outside.status = 500
        await deadman.turn()
        assert deadman.checks()[0][:3] == ("dead man", False, "the last call failed: HTTP 500")
        house.runtime.scheduler._timer.remove_all_jobs()
        await deadman.turn()
        assert outside.calls == 2, "it is not called while the clockwork stands"


async def test_an_address_that_nobody_answers_at_is_told(clock: ManualClock) -> None:
    from siems.daemon.deadman import Deadman

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    deadman = Deadman(Health(deadman_url=f"http://127.0.0.1:{port}/secret"), lambda: True)
    await deadman.turn()
    [(name, ok, cause, fix)] = deadman.checks()
    assert (name, ok) == ("dead man", False)
    assert "secret" not in cause + fix


async def test_without_an_address_nothing_is_called() -> None:
    from siems.daemon.deadman import Deadman

    deadman = Deadman(Health(), lambda: True)
    await deadman.run()
    assert (deadman.called, deadman.checks()) == (0, [])
