"""R5: PostgreSQL stops and starts, or its connections are cut: 503 meanwhile, and nothing accepted is lost."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

import postgres

from .journal import Journal, Victim, alert, load
from .test_kill import compare

pytestmark = pytest.mark.faults

STOPS = int(os.environ.get("FAULTS_STOPS", "5"))
CUT_SECONDS = float(os.environ.get("FAULTS_CUT_SECONDS", "20"))
CUT_EVERY = 2.0
BACK_WITHIN = 10.0


class Cluster:
    """A PostgreSQL that keeps what it has said, and can be stopped without a word."""

    def __init__(self, programs: Path, room: Path) -> None:
        self._programs = programs
        self._room = room
        self._who = postgres._unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(room / "data")}
        for folder in (room / "data", room / "socket"):
            folder.mkdir(mode=0o700)
            if self._who:
                os.chown(folder, int(str(self._who["user"])), int(str(self._who["group"])))
        subprocess.run(
            [programs / "initdb", "-D", room / "data", "-U", "siems", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, env=self._environment, cwd=room, **self._who,
        )  # fmt: skip
        self.url = URL.create("postgresql", username="siems", database="postgres", query={"host": str(room / "socket")})

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._room / "socket")}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._room / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._room / "data", *options],
                stdout=log, stderr=log, env=self._environment, cwd=self._room, **self._who,
            )  # fmt: skip
        postgres._wait_for(self.url, self._process, self._room / "log")

    def stop(self) -> None:
        """Immediately: nothing is finished, nobody is told."""
        assert self._process is not None
        self._process.send_signal(3)
        self._process.wait(20)

    def cut(self) -> int:
        """End every connection but this one; how many."""
        with psycopg.connect(postgres.text_of(self.url), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
        return len(rows)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with (
        tempfile.TemporaryDirectory(prefix="siems-pg-", dir="/tmp") as shelf,
        tempfile.TemporaryDirectory(prefix="siems-pg-", dir="/tmp", ignore_cleanup_errors=True) as room,
    ):
        for folder in (shelf, room):
            Path(folder).chmod(0o755)
        made = Cluster(postgres._programs(Path(shelf)), Path(room))
        made.start()
        yield made
        made.stop()


def takes(victim: Victim, company: dict[str, str], name: str) -> float:
    """Seconds until alerts are taken again; meanwhile the answer is 503 with a time to come back."""
    begun, number = time.monotonic(), 0
    while True:
        number += 1
        status, said = victim.request(*alert(company, f"probe-{name}", delivery=f"probe-{name}", asset="probe"))
        if status == 202:
            return time.monotonic() - begun
        assert status == 503, (status, said)
        assert time.monotonic() - begun < BACK_WITHIN, f"not taken {BACK_WITHIN} s after the database was back"
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["stopped and started", "connections cut"])
def test_what_was_accepted_outlives_a_database_that_ails(cluster: Cluster, tmp_path: Path, how: str) -> None:
    url = postgres.text_of(cluster.url)
    victim = Victim(tmp_path / "home", url)
    victim.set_up()
    victim.start()
    pid = victim.pid
    company = victim.onboard()
    journal, slowest, times = Journal(tmp_path / "journal"), 0.0, 0
    with load(victim, company, journal, 4):
        end = time.monotonic() + CUT_SECONDS
        while times < STOPS if how == "stopped and started" else time.monotonic() < end:
            times += 1
            time.sleep(CUT_EVERY / 2)
            if how == "stopped and started":
                cluster.stop()
                status, said = victim.request(*alert(company, "down", delivery=f"down-{times}", asset="probe"))
                assert status == 503, (status, said)
                assert victim.request("GET", "/livez")[0] == 200
                assert victim.request("GET", "/readyz")[0] == 503
                cluster.start()
            else:
                assert cluster.cut() > 0
                time.sleep(CUT_EVERY / 2)
            slowest = max(slowest, takes(victim, company, str(times)))
    accepted = journal.close()
    assert victim.pid == pid
    assert victim.stop() == 0
    print(f"\n{len(accepted)} accepted, {how} {times} times, taken again within {slowest:.1f} s")
    assert len(accepted) > times
    compare(url, accepted, probes=times)


def test_a_daemon_whose_database_is_gone_stops_in_time(cluster: Cluster, tmp_path: Path) -> None:
    victim = Victim(tmp_path / "home", postgres.text_of(cluster.url))
    victim.set_up()
    victim.start()
    cluster.stop()
    begun = time.monotonic()
    assert victim.stop() == 0
    assert time.monotonic() - begun < 30
    cluster.start()
