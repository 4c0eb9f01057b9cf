"""A morning of one cause: what was folded and why, and what other settings would have made of it."""

from __future__ import annotations

from pathlib import Path

from house import House

from .test_people import hire

SAYS = "The mail service refuses new sessions, queue 7 holds {} entries"


def test_a_database_takes_its_apps_along(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    mia = hire(running, tmp_path, "mia", "manager", "acme")
    mia.run("asset", "create", "db-1", "--company", "acme")
    for app in ("app-1", "app-2"):
        mia.run("asset", "create", app, "--company", "acme", "--depends-on", "db-1")
    for asset, signature in (("app-1", "http_5xx"), ("app-2", "http_latency"), ("db-1", "postgres_down")):
        acme.alert(signature, asset)
    acme.alert("mail.sessions", "web-7", message=SAYS.format(93))
    acme.alert("mail sensor", "web-7", message=SAYS.format(14), tool_source="PRTG")
    acme.alert("disk_full", "db-9")

    # six alerts, three incidents, each with why
    assert running.run("incident", "list", "-q").lines == ["INC-3", "INC-4", "INC-5"]
    card = mia.run("incident", "show", "INC-3").out
    assert "Postgres down on db-1, 2 more affected" in card
    assert "INC-1 was folded into this" in card
    assert "what failed there depends on db-1" in card
    assert "auto:4, reads like INC-4 (mail.sessions on web-7)" in mia.run("incident", "explain", "INC-4").out

    # would it be better without? on a terminal, through a pipe, as data
    words = ("correlation", "preview", "--since", "24h", "--no-cascades")
    shown = mia.terminal(*words).out
    assert "as it is set:  3 incidents, 50.0 % less noise" in shown
    assert "as asked:      5 incidents, 16.7 % less noise" in shown
    assert "split: 3 alerts from http_5xx on app-1 on: one into 3 incidents (INC-3)" in shown
    assert "together now by auto:3: " in shown
    found = mia.json(*words)
    assert (found["before"]["incidents"], found["after"]["incidents"], found["split"]) == (3, 5, 1)
    assert running.run(*words, "--window", "2m", exit=2).err.startswith("error: window must be between 5 and 60")

    # the last month under a file
    file = tmp_path / "wider.toml"
    file.write_text('strategy = "asset"\nwindow = "20m"\nmin_alerts = 1\n')
    [row] = running.run("backtest", "--since", "30d", "--with", str(file)).rows
    assert row == ["comp-acme", "6", "3", "5", "50.0", "16.7", "0", "1"]
    assert "together now by" in running.terminal("backtest", "--with", str(file)).out
    wrong = running.run("backtest", "--with", "-", text='windw = "20m"\n', exit=2).err
    assert "there is no setting 'windw'" in wrong
    assert "did you mean window?" in wrong
    assert "window cannot be 20" in running.run("backtest", "--with", "-", text="window = 20\n", exit=2).err

    # nothing of this has changed anything; an edit does, from the next alert on
    assert running.run("incident", "list", "-q").lines == ["INC-3", "INC-4", "INC-5"]
    dry = mia.run("correlation", "edit", "--no-cascades", "-n").out
    assert "failures along depends_on: off" in dry
    assert "failures along depends_on: on" in mia.run("correlation", "show").out
    mia.run("correlation", "edit", "--no-cascades", "--reason", "too eager")
    assert acme.alert("http_timeouts", "app-2")["incident_id"] == "INC-6"
    assert "off: one incident" in mia.run("correlation", "disable").out
    assert running.json("correlation", "list")[0]["correlation"]["enabled"] is False
    assert "failures along depends_on: off" in mia.run("correlation", "enable").out
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    assert jon.run("correlation", "list").rows[0][:3] == ["comp-acme", "true", "auto"]
    jon.run("correlation", "edit", "--window", "10m", exit=5)
    assert [e["reason"] for e in running.json("audit", "list") if e["reason"] == "too eager"] == ["too eager"]
