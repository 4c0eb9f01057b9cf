"""R11: SIGTERM under load: what has begun is finished, nothing that was accepted is lost, and the end comes in time."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from .journal import Journal, Victim, alert, load
from .test_kill import compare

pytestmark = pytest.mark.faults

ROUNDS = 3
ENDS_WITHIN = 30.0


class Half:
    """A request of which a part is sent before the signal, and the rest after it."""

    def __init__(self, victim: Victim, company: dict[str, str], name: str, cut: int) -> None:
        method, path, body, headers = alert(company, name, delivery=name, asset="half")
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        self._rest = whole[-cut:]
        self._link = socket.create_connection(("127.0.0.1", victim.port), timeout=40)
        self._link.sendall(whole[:-cut])

    def finish(self) -> bytes:
        """The answer to the end; "" when it was cut."""
        said = b""
        try:
            self._link.sendall(self._rest)
            while part := self._link.recv(65_536):
                said += part
        except ConnectionError:
            pass
        self._link.close()
        return said

    def was_told(self) -> None:
        """It was never finished, and the answer says when to come back."""
        self._rest = b""
        said = self.finish()
        assert said.startswith(b"HTTP/1.1 503 "), said
        assert b"Retry-After: " in said


def test_a_stop_under_load_finishes_what_has_begun(database_url: str, tmp_path: Path) -> None:
    victim = Victim(tmp_path / "home", database_url, SIEMS_SERVER_DRAIN_SECONDS="5")
    victim.set_up()
    victim.start()
    company = victim.onboard()
    journal, slowest, taken = Journal(tmp_path / "journal"), 0.0, 0
    with load(victim, company, journal, 6):
        for turn in range(ROUNDS):
            halves = [Half(victim, company, f"half-{turn}-{cut}", cut) for cut in (1, 40, 90, 200)]
            silent = Half(victim, company, f"never-{turn}", 10)
            time.sleep(1)
            begun = time.monotonic()
            victim.signal(signal.SIGTERM)
            time.sleep(0.5)
            for half in halves:
                said = half.finish()
                assert said.startswith((b"HTTP/1.1 202 ", b"HTTP/1.1 503 ")), said
                taken += said.startswith(b"HTTP/1.1 202 ")
            assert victim.wait() == 0
            slowest = max(slowest, time.monotonic() - begun)
            silent.was_told()
            victim.start()
    accepted = journal.close()
    assert victim.stop() == 0
    print(f"\n{len(accepted)} accepted over {ROUNDS} stops, ended within {slowest:.1f} s; {taken} half-sent were taken")
    assert slowest < ENDS_WITHIN
    assert taken == ROUNDS * 4
    compare(database_url, accepted, probes=taken, aside=("probe", "half"))


def test_a_second_signal_and_a_signal_at_the_start_end_it_well(tmp_path: Path) -> None:
    victim = Victim(tmp_path / "home", str(tmp_path / "siems.db"))
    victim.set_up()
    victim.start()
    for _ in range(3):
        victim.signal(signal.SIGTERM)
    assert victim.wait() == 0
