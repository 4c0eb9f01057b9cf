"""A real daemon in a folder of its own, the baseline beside it, and the load that is sent to either."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.workload import COMPANIES, Alerts, Sender, seeding

HERE = Path(__file__).resolve().parent.parent
UNLIMITED = "1000000"  # requests a minute: no measurement comes near it
CONCURRENCY = 32


@dataclass(slots=True)
class Setting:
    """What is measured against."""

    daemon: int
    baseline: int
    senders: list[Sender]
    environment: dict[str, str]
    daemon_pid: int
    baseline_pid: int
    peer: int = 0
    peer_pid: int = 0
    seed: int = 1

    def _busy(self, port: int) -> float:
        """Seconds of CPU that the server behind a port has taken; 0 where the system does not tell."""
        pid = {self.daemon: self.daemon_pid, self.peer: self.peer_pid}.get(port, self.baseline_pid)
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def busy(self) -> float:
        """Seconds of CPU that the daemon has taken."""
        return self._busy(self.daemon)

    def incidents(self) -> int:
        """How many incidents are open, as the daemon counts them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.daemon}/metrics", timeout=10) as answer:
            said = answer.read().decode()
        return sum(int(float(line.split()[1])) for line in said.splitlines() if line.startswith("siems_incidents_open"))

    def load(self, port: int, kind: str, requests: int, *, concurrency: int = CONCURRENCY) -> dict[str, Any]:
        """Send requests from a process of its own; what it reports."""
        self.seed += 1
        order = {
            "port": port, "kind": kind, "requests": requests, "concurrency": concurrency,
            "seed": self.seed, "core": cores()[1], "senders": [asdict(sender) for sender in self.senders],
        }  # fmt: skip
        before, opened = self._busy(port), self.incidents() if port == self.daemon else 0
        done = _python("-m", "benchmarks.generator", said=json.dumps(order))
        report: dict[str, Any] = json.loads(done)
        report["cpu"] = (self._busy(port) - before) / report["requests"] * 1e6
        if port == self.daemon:
            report["opened"] = self.incidents() - opened
        if set(report["statuses"]) - {"200", "202"}:
            print(f"  some were not accepted: {report['statuses']}", file=sys.stderr)
        return report


def cores() -> tuple[int | None, int | None]:
    """The core of the servers and that of the generator; None where there is no choice."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[1]) if len(mine) > 1 else (None, None)


def pinned() -> Callable[[], None] | None:
    """What a server does first: stay on its core."""
    core = cores()[0]
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def _python(*words: str, said: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *words], input=said, capture_output=True, text=True, timeout=300, check=False, cwd=HERE,
        env=environment,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def running(**more: str) -> Iterator[Setting]:
    """Both servers, with companies and active alerts; stopped and removed at the end. `more` is their environment."""
    with tempfile.TemporaryDirectory(prefix="siems-bench-", ignore_cleanup_errors=True) as home:
        environment = environment_for(home) | more
        _python("-m", "siems.daemon", "init", "--admin", "bench@example.com", said="a long password\n",
                environment=environment)  # fmt: skip
        token = (Path(home) / "config" / "token").read_text().strip()
        with _process("siems.daemon", "run", "--port", "0", environment=environment) as daemon:
            port = _announced(Path(home) / "state" / "daemon.json", daemon)
            senders = onboard(port, token)
            deliver(port, seeding(senders, Alerts(0)))
            with _process("benchmarks.baseline", environment=environment) as baseline:
                assert baseline.stdin is not None
                assert baseline.stdout is not None
                baseline.stdin.write(json.dumps([asdict(sender) for sender in senders]) + "\n")
                baseline.stdin.flush()
                yield Setting(
                    port, int(baseline.stdout.readline()), senders, environment, daemon.pid, baseline.pid
                )  # fmt: skip


def resident(pid: int) -> float:
    """Megabytes of a process in memory; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def resident_over(database_url: str) -> float:
    """Megabytes of a daemon that has begun over a database which is there."""
    with tempfile.TemporaryDirectory(prefix="siems-bench-", ignore_cleanup_errors=True) as home:
        environment = environment_for(home) | {"SIEMS_DATABASE_URL": database_url}
        with _process("siems.daemon", "run", "--port", "0", environment=environment) as daemon:
            _announced(Path(home) / "state" / "daemon.json", daemon)
            time.sleep(5)
            return resident(daemon.pid)


def environment_for(home: str) -> dict[str, str]:
    """A daemon's environment: its own folder, no limits of rate, quiet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIEMS_")}
    return kept | {
        "SIEMS_HOME": home, "SIEMS_INGEST_RATE_PER_MINUTE": UNLIMITED, "SIEMS_INGEST_BURST": UNLIMITED,
        "SIEMS_INGEST_NATIVE_RATE_PER_MINUTE": UNLIMITED, "SIEMS_LOG_LEVEL": "warning",
    }  # fmt: skip


@contextlib.contextmanager
def _process(module: str, *words: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", module, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE,
        env=environment, preexec_fn=pinned(),
    )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        for stream in (started.stdin, started.stdout):
            if stream is not None:
                stream.close()


def _announced(file: Path, daemon: subprocess.Popen[str]) -> int:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and daemon.poll() is None:
        if file.exists():
            return int(json.loads(file.read_text())["url"].rpartition(":")[2])
        time.sleep(0.05)
    raise RuntimeError("the daemon did not start")


def onboard(port: int, token: str) -> list[Sender]:
    """The companies, with their keys."""
    senders = []
    for number in range(COMPANIES):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/companies",
            data=json.dumps({"name": f"Bench {number}", "rate_per_minute": int(UNLIMITED)}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            made = json.loads(answer.read())
        senders.append(Sender(made["api_key"], made["hmac_secret"]))
    time.sleep(0.5)  # new keys reach the webhooks a moment after their commit
    return senders


def deliver(port: int, payloads: Iterable[bytes], *, accepted: bytes = b"202") -> None:
    """Send rendered requests one after the other; each must be accepted."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    for payload in payloads:
        connection.sock.sendall(payload)
        got = connection.sock.recv(65_536)
        if not got.startswith(b"HTTP/1.1 " + accepted):
            raise RuntimeError(f"not accepted: {got[:400]!r}")
        while got.find(b"\r\n\r\n") < 0 or _missing(got):
            got += connection.sock.recv(65_536)
    connection.close()


def _missing(got: bytes) -> bool:
    head = got.find(b"\r\n\r\n")
    at = got.find(b"Content-Length: ")
    return len(got) < head + 4 + int(got[at + 16 : got.find(b"\r", at)])
