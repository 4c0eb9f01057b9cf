"""R7: another process holds the file's write lock: senders wait or are told to come back, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from .journal import Journal, Victim, alert, load
from .test_kill import compare

pytestmark = pytest.mark.faults

LOCKED_SECONDS = float(os.environ.get("FAULTS_LOCKED_SECONDS", "12"))


def test_a_file_locked_by_somebody_else_delays_and_loses_nothing(tmp_path: Path) -> None:
    url = str(tmp_path / "siems.db")
    victim = Victim(tmp_path / "home", url)
    victim.set_up()
    victim.start()
    company = victim.onboard()
    journal, seen = Journal(tmp_path / "journal"), Counter[int]()
    other = sqlite3.connect(url, isolation_level=None, timeout=20)
    with load(victim, company, journal, 4):
        time.sleep(1)
        other.execute("BEGIN IMMEDIATE")
        end, number = time.monotonic() + LOCKED_SECONDS, 0
        while time.monotonic() < end:
            number += 1
            status, _ = victim.request(*alert(company, f"p{number}", delivery=f"p{number}", asset="probe"), seconds=30)
            seen[status] += 1
            assert victim.request("GET", "/livez")[0] == 200
            assert victim.request("GET", "/readyz")[0] == 200
        other.execute("ROLLBACK")
        other.close()
        begun = time.monotonic()
        while victim.request(*alert(company, "after", delivery="after", asset="probe"))[0] != 202:
            assert time.monotonic() - begun < 15
        time.sleep(1)
    accepted = journal.close()
    assert victim.stop() == 0
    print(f"\nlocked for {LOCKED_SECONDS:.0f} s: {dict(seen)}; {len(accepted)} accepted")
    assert set(seen) <= {202, 503}
    assert seen[503] > 0
    compare(url, accepted, probes=1 + seen[202])
