"""Prometheus Alertmanager beside siems: the same alerts through its own API, on the same core, in the same run.

It keeps alerts in memory and forgets them when it is stopped; siems answers after the fsync. Debian has it as
`prometheus-alertmanager`; where it is not installed these lines are left out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.servers import deliver, pinned
from benchmarks.workload import COMPANIES, Alerts, for_peer

CONFIG = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"


@contextlib.contextmanager
def running() -> Iterator[tuple[int, int] | None]:
    """(port, process id), with the alerts that the usual mix repeats; None where it is not installed."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="siems-bench-peer-") as home:
        (Path(home) / "alertmanager.yml").write_text(CONFIG)
        port = _free_port()
        words = [
            program, f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error",
        ]  # fmt: skip
        started = subprocess.Popen(words, env=os.environ | {"GOMAXPROCS": "1"}, preexec_fn=pinned())
        try:
            _wait_for(port)
            alerts = Alerts(0)
            deliver(port, (for_peer(alerts.known(company)) for company in range(COMPANIES)), accepted=b"200")
            yield port, started.pid
        finally:
            started.terminate()
            started.wait(30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Alertmanager did not start")
