"""A sender that writes down every answer before it believes it, and a daemon that can be killed at any moment."""

from __future__ import annotations

import hmac
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

SRC = Path(__file__).resolve().parents[2] / "src"


class Journal:
    """Every 2xx, on disk before the next request: the oracle."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: TextIO = path.open("a")

    def accepted(self, delivery: str, alert: str) -> None:
        with self._lock:
            self._file.write(f"{delivery} {alert}\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> list[tuple[str, str]]:
        self._file.close()
        return [tuple(line.split()) for line in self._path.read_text().splitlines()]  # type: ignore[misc]


class Victim:
    """A daemon as a process."""

    def __init__(self, home: Path, database_url: str, *, files: int = 0, **variables: str) -> None:
        self._environment = os.environ | {
            "SIEMS_HOME": str(home), "PYTHONPATH": str(SRC), "SIEMS_DATABASE_URL": database_url,
            "SIEMS_SERVER_PORT": "0", "SIEMS_INGEST_RATE_PER_MINUTE": "600000", "SIEMS_INGEST_BURST": "100000",
            "SIEMS_LOG_LEVEL": "error", **variables,
        }  # fmt: skip
        self._files = files
        self._home = home
        self._log = home.parent / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def set_up(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "siems.daemon", "init", "--admin", "root@msp.example"],
            env=self._environment, check=True, input=b"a password for tests\n", capture_output=True, timeout=60,
        )  # fmt: skip

    def start(self) -> float:
        """Seconds until it is ready."""
        said = self._home / "state" / "daemon.json"
        said.unlink(missing_ok=True)
        begun = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "siems.daemon", "run"], env=self._environment, stdout=log, stderr=log,
                preexec_fn=self._limit if self._files else None,
            )  # fmt: skip
        while True:
            assert self._process.poll() is None, self._log.read_text()[-3_000:]
            assert time.monotonic() - begun < 60, "the daemon does not get ready"
            if said.exists():
                self.port = int(json.loads(said.read_text())["url"].rpartition(":")[2])
                if self.request("GET", "/readyz")[0] == 200:
                    return time.monotonic() - begun
            time.sleep(0.02)

    def _limit(self) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._files, self._files))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 40) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        """At once, without a word."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def stop(self) -> int:
        """Politely; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(40)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, *, seconds: float = 10
    ) -> tuple[int, Any]:
        """(status, answer); (0, None) when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    @property
    def token(self) -> str:
        """What this machine's commands show."""
        return (self._home / "config" / "token").read_text().strip()

    def onboard(self, name: str = "Acme") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        status, made = self.request("POST", "/api/v1/companies", json.dumps({"name": name}).encode(), headers)
        assert status == 201, made
        return dict(made)


def alert(
    company: dict[str, Any], signature: str, *, delivery: str, asset: str = "a", **more: Any
) -> tuple[str, str, bytes, dict[str, str]]:
    """A signed alert, as `Victim.request` takes it."""
    body = json.dumps({"asset_name": asset, "signature": signature, "severity": "low", **more}).encode()
    stamp = str(int(time.time()))
    value = hmac.digest(str(company["hmac_secret"]).encode(), f"{stamp}.".encode() + body, "sha256").hex()
    headers = {
        "X-API-Key": str(company["api_key"]), "X-Timestamp": stamp, "X-Signature": f"sha256={value}",
        "X-Delivery-ID": delivery,
    }  # fmt: skip
    return "POST", "/api/webhooks/alerts", body, headers


class Sender(threading.Thread):
    """Sends signed alerts one after the other, and each again under its id until it is accepted."""

    def __init__(self, victim: Victim, company: dict[str, Any], journal: Journal, number: int) -> None:
        super().__init__(daemon=True)
        self._victim = victim
        self._company = company
        self._journal = journal
        self._number = number
        self._ending = threading.Event()
        self.sent = 0

    def run(self) -> None:
        while not self._ending.is_set():
            self._deliver(f"d-{self._number}-{self.sent}")
            self.sent += 1

    def _deliver(self, delivery: str) -> None:
        while True:
            status, answer = self._victim.request(
                *alert(self._company, delivery, delivery=delivery, asset=f"a{self._number}")
            )
            if status == 202:
                self._journal.accepted(delivery, answer["alert_id"])
                return
            assert status in (0, 503), (status, answer)
            time.sleep(0.02)

    def finish(self) -> None:
        """What is under way is delivered to its end."""
        self._ending.set()
        self.join(60)
        assert not self.is_alive()


@contextmanager
def load(victim: Victim, company: dict[str, Any], journal: Journal, senders: int) -> Iterator[list[Sender]]:
    threads = [Sender(victim, company, journal, number) for number in range(senders)]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.finish()
