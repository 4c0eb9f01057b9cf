"""The log of a daemon that runs for long: moved away by a tool of the house, and read over that."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from house import House, until

Prepared = Callable[..., House]


def test_a_log_is_moved_away_and_followed_into_the_new_one(prepared: Prepared) -> None:
    house = prepared().up()
    log = house.home / "state" / "daemon.log"
    with house.start("daemon", "logs", "-f") as following:
        until(lambda: "daemon.ready" in log.read_text())
        log.rename(log.with_name("daemon.log.1"))
        os.kill(house.pid, signal.SIGHUP)
        until(log.exists)
        house.stop()
        assert following.stdout is not None
        seen = []
        for line in following.stdout:
            seen.append(line)
            if "daemon.stopped" in line:
                break
        following.terminate()
        following.communicate(timeout=20)
    assert any("daemon.ready" in line for line in seen)
    assert "daemon.ready" not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    shown = house.run("daemon", "logs", "--lines", "50").out
    assert shown.index("daemon.ready") < shown.index("daemon.stopped")
