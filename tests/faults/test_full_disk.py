"""R6: a disk without room is 503, never 2xx; the daemon stays up, starts, and goes on when there is room."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from house import until
from siems.storage.database import open_engine, parse_url

from .journal import Victim, alert

pytestmark = pytest.mark.faults

ROOM = 24 * 1024 * 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MiB."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)], check=False, capture_output=True
    ).returncode:  # fmt: skip
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """All the room that is left, to the last byte."""
    file = place / "ballast"
    with file.open("ab", buffering=0) as ballast:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while ballast.write(b"x" * size):
                    pass
    return file


@pytest.mark.parametrize("log", ["beside it", "on another disk"])
def test_a_full_disk_is_refused_survived_and_left_behind(small: Path, tmp_path: Path, log: str) -> None:
    home = small / "home" if log == "beside it" else tmp_path / "home"
    url = str(small / "siems.db")
    victim = Victim(home, url)
    victim.set_up()
    victim.start()
    company = victim.onboard()
    ballast = fill(small)
    seen, number = set[int](), 0

    def refused() -> bool:
        nonlocal number
        number += 1
        seen.add(victim.request(*alert(company, f"filling-{number}", delivery=f"f{number}"))[0])
        return 503 in seen

    until(refused, seconds=60)
    accepted = number - 1  # some fit into room that was taken before
    for again in range(5):
        assert victim.request(*alert(company, f"refused-{again}", delivery=f"r{again}"))[0] == 503
    assert victim.request("GET", "/livez")[0] == 200
    victim.kill()
    fill(small)
    victim.start()
    assert victim.request(*alert(company, "refused-5", delivery="r5"))[0] == 503
    assert victim.request("GET", "/livez")[0] == 200
    ballast.unlink()
    until(lambda: victim.request(*alert(company, "refused-0", delivery="r0"))[0] == 202, seconds=30)
    assert victim.stop() == 0
    assert seen <= {202, 503}
    assert stored(url) == accepted + 1


def test_a_full_disk_does_not_stop_the_start_when_repeats_wait_in_the_log(small: Path, tmp_path: Path) -> None:
    url = str(small / "siems.db")
    victim = Victim(tmp_path / "home", url)
    victim.set_up()
    victim.start()
    company = victim.onboard()

    def waiting() -> bool:
        """A repeat is answered, and its counters are not folded: killed at that moment."""
        for number in range(50):
            assert victim.request(*alert(company, "again", delivery=os.urandom(8).hex()))[0] == 202, number
        victim.kill()
        if logged(url):
            return True
        victim.start()
        return False

    until(waiting, seconds=60)
    before = logged(url)
    ballast = fill(small)
    victim.start()
    assert victim.request(*alert(company, "again", delivery="x"))[0] == 503
    assert logged(url) == before
    ballast.unlink()
    until(lambda: victim.request(*alert(company, "again", delivery="x"))[0] == 202, seconds=30)
    assert victim.stop() == 0
    assert logged(url) == 0
    engine = open_engine(parse_url(url))
    with engine.connect() as connection:
        counted, kept = connection.execute(
            text("SELECT (SELECT sum(count) FROM alert), (SELECT count(*) FROM delivery)")
        ).one()
    engine.dispose()
    assert counted == kept


def stored(url: str) -> int:
    engine = open_engine(parse_url(url))
    try:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            return int(connection.execute(text("SELECT count(*) FROM alert")).scalar_one())
    finally:
        engine.dispose()


def logged(url: str) -> int:
    """Rows of the log of repeats, looked at beside whoever writes."""
    import sqlite3

    connection = sqlite3.connect(f"file:{url}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM repeat_log").fetchone()[0])
    finally:
        connection.close()
