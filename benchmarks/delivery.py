"""How soon a message leaves: from the answer to an alert, which follows its commit, to the provider's socket.

A real daemon with nothing else to do, a person with a webhook of their own, and alerts that each open an incident, one
after the other. The receiver takes the time at which the first byte of a request has arrived; both clocks are one.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
import urllib.request
from base64 import b64encode
from pathlib import Path

from benchmarks.servers import Setting
from benchmarks.workload import Alerts, render

SETTINGS = {
    "SIEMS_WEBHOOKS_SECRET": "whsec_" + b64encode(b"only for the benchmark, 32 bytes").decode(),
    "SIEMS_WEBHOOKS_ALLOW": "127.0.0.1", "SIEMS_ADVICE_PROVIDERS": "",
}  # fmt: skip
LONGEST = 10.0


class Receiver:
    """A socket that takes requests one after the other, and says when each began to arrive."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        self.arrived: queue.Queue[float] = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while first := connection.recv(65_536):
                self.arrived.put(time.perf_counter())
                _rest(connection, first)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")


def _rest(connection: socket.socket, got: bytes) -> None:
    while b"\r\n\r\n" not in got:
        got += connection.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < size:
        body += connection.recv(65_536)


def measure(setting: Setting, times: int) -> list[float]:
    """Milliseconds, sorted; `times` of them. Raises queue.Empty where a message does not come within ten seconds."""
    receiver = Receiver()
    token = (Path(setting.environment["SIEMS_HOME"]) / "config" / "token").read_text().strip()
    rule = {"channel": "webhook", "address": f"http://127.0.0.1:{receiver.port}/hook", "about": ["incident.opened"],
            "user": "bench"}  # fmt: skip
    asked = urllib.request.Request(
        f"http://127.0.0.1:{setting.daemon}/api/v1/notify/rules", data=json.dumps(rule).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip
    urllib.request.urlopen(asked, timeout=10).close()
    alerts, taken = Alerts(10_007), []
    with socket.create_connection(("127.0.0.1", setting.daemon)) as sending:
        for number in range(times + 5):
            sender = number % len(setting.senders)
            request = render(setting.senders[sender], alerts.new(sender))
            time.sleep(0.05)  # idle is what is measured
            sending.sendall(request)
            said = sending.recv(65_536)
            answered = time.perf_counter()
            if not said.startswith(b"HTTP/1.1 202"):
                raise RuntimeError(f"not accepted: {said[:300]!r}")
            taken.append((receiver.arrived.get(timeout=LONGEST) - answered) * 1e3)
    receiver.close()
    return sorted(max(0.0, one) for one in taken[5:])
