"""Playing back a past hour: what the board showed then, on a terminal, from a daemon that has gone on since."""

from __future__ import annotations

from datetime import UTC, datetime

from house import House, bare

TERMINAL = {"TERM": "xterm-256color"}


def test_an_hour_is_looked_at_again_after_it_is_over(running: House) -> None:
    acme = running.onboard("Acme")
    first = acme.alert(signature="disk_full", asset="sql-01")["incident_id"]
    running.run("incident", "ack", first)
    assert running.json("incident", "show", first)["state"] == "ASSIGNED"
    then = datetime.now(UTC).isoformat()

    second = acme.alert(signature="raid_degraded", asset="san-9", severity="critical")["incident_id"]
    running.run("incident", "resolve", first, "--note", "cleared the logs", "--yes")
    running.run("incident", "close", first)
    assert [view["id"] for view in running.json("incident", "list")] == [second]

    shown = bare(running.terminal("tui", "--replay", then, "--speed", "0.1", env=TERMINAL, interrupt=first).out)
    assert "REPLAY" in shown
    assert "ASSIGNED" in shown
    assert "RESOLVED" not in shown

    later = running.run("tui", "--replay", "tomorrow 9am", exit=2)
    assert "siems watch" in later.err or "still to come" in later.err
