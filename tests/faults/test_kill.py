"""R1: whatever is answered with 2xx is on disk, once, however often the daemon is killed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from siems.storage.database import open_engine, parse_url

from .journal import Journal, Victim, load

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULTS_KILLS", "20"))
SENDERS = 6
READY_WITHIN = float(os.environ.get("FAULTS_READY_WITHIN", "15"))
"""Five seconds is the aim where the machine has nothing else to do."""


def test_nothing_accepted_is_lost_or_doubled_when_the_daemon_is_killed(database_url: str, tmp_path: Path) -> None:
    random.seed(7_361)
    victim = Victim(tmp_path / "home", database_url)
    victim.set_up()
    victim.start()
    company = victim.onboard()
    journal = Journal(tmp_path / "journal")
    slowest = 0.0
    with load(victim, company, journal, SENDERS) as senders:
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 1.5))
            victim.kill()
            slowest = max(slowest, victim.start())
    accepted = journal.close()
    assert victim.stop() == 0
    print(f"\n{len(accepted)} accepted over {KILLS} kills, ready within {slowest:.1f} s at worst")
    assert len(accepted) == sum(sender.sent for sender in senders)
    assert len(accepted) > KILLS
    assert slowest < READY_WITHIN
    compare(database_url, accepted)


def compare(
    database_url: str, accepted: list[tuple[str, str]], *, probes: int = 0, aside: Sequence[str] = ("probe",)
) -> None:
    """The database holds exactly what was promised, and is whole; `probes` are of assets that are left aside."""
    engine = open_engine(parse_url(database_url))
    try:
        with engine.connect() as connection:
            rows = [
                row[:3] for row in connection.execute(
                    text("SELECT signature, id, count, asset_name FROM alert WHERE company_id = 'comp-acme'")
                ) if row[3] not in aside
            ]  # fmt: skip
            kept = connection.execute(text("SELECT count(*) FROM delivery")).scalar()
            if engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            chain = connection.execute(
                text("SELECT count(*), max(seq) FROM audit_entry WHERE chain = 'comp-acme'")
            ).one()
    finally:
        engine.dispose()
    promised = dict(accepted)
    assert len(promised) == len(accepted)
    assert {row[0]: f"ALR-{row[1]}" for row in rows} == promised
    assert {row[2] for row in rows} == {1}
    assert kept == len(accepted) + probes
    assert chain[0] == chain[1]
