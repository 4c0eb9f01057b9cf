"""Who may do what, and whom they act as."""

from __future__ import annotations

import json
from pathlib import Path

from house import PASSWORD, House, until


def hire(office: House, tmp_path: Path, name: str, role: str, *companies: str) -> House:
    """An account, and that person's own machine with a session on it."""
    scope = [word for company in companies for word in ("--company", company)]
    words = ("user", "create", name, "--email", f"{name}@msp.example", "--role", role, *scope)
    office.run(*words, "--password-stdin", text=f"{PASSWORD}\n")
    desk = House(tmp_path / name, SIEMS_URL=office.json("daemon", "status")["url"])
    desk.home.mkdir()
    said = desk.run("login", "--user", name, env={"SIEMS_PASSWORD": PASSWORD})
    assert f"logged in as {name} ({role})" in said.out
    return desk


def test_a_technician_a_manager_and_a_client(running: House, tmp_path: Path) -> None:
    acme, borealis = running.onboard("Acme"), running.onboard("Borealis")
    ours, theirs = (c.alert()["incident_id"] for c in (acme, borealis))
    tech = hire(running, tmp_path, "jon", "technician", "acme")
    boss = hire(running, tmp_path, "mia", "manager", "acme")
    guest = hire(running, tmp_path, "gus", "client", "acme")

    # each sees one client; the other one might as well not exist
    for desk in (tech, boss, guest):
        assert desk.run("company", "list", "-q").lines == [acme.id]
        assert desk.run("incident", "list", "-q").lines == [ours]
        hidden = desk.run("incident", "show", theirs, "--json", exit=3).error
        missing = desk.run("incident", "show", "INC-999", "--json", exit=3).error
        assert hidden["message"].replace(theirs, "INC-999") == missing["message"]
        assert hidden["hint"] == missing["hint"]
        desk.run("company", "show", "borealis", exit=3)
        desk.run("company", "onboard", "Mine", exit=5)
        desk.run("audit", "verify", exit=5)

    # the technician works, but does not give work to others nor close
    assert tech.json("incident", "take", ours)["assignee"] == "user-jon"
    tech.run("incident", "assign", ours, "--to", "mia", exit=5)
    tech.run("incident", "resolve", ours, "--note", "fixed")
    tech.run("incident", "close", ours, exit=5)
    tech.run("incident", "ack", theirs, exit=3)

    # the manager does, and changes the settings of this client only
    boss.run("incident", "close", ours)
    boss.run("company", "edit", "acme", "--window", "10m")
    boss.run("company", "edit", "borealis", "--window", "10m", exit=3)
    assert {row[0] for row in boss.run("audit", "list").rows} == {acme.id}

    # the client only looks
    guest.run("incident", "reopen", ours, "--reason", "no", exit=5)
    guest.run("sla", "policy", "set", "--company", "acme", "--severity", "HIGH", "--response", "1h", exit=5)


def test_a_session_is_its_own_and_its_end_is_told(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    desk = hire(running, tmp_path, "jon", "technician", "acme")
    file = desk.home / "config" / "session.json"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())

    # both ends of a pipe renew at once: the refresh token works only once
    file.write_text(json.dumps({**kept, "until": 0}))
    assert desk.shell("siems whoami -q | cat & siems whoami -q; wait").out == "user-jon\nuser-jon\n"
    assert json.loads(file.read_text())["refresh_token"] != kept["refresh_token"]

    # on the admin's machine a session that has ended does not become the admin
    running.run("login", "--user", "jon", env={"SIEMS_PASSWORD": PASSWORD})
    assert running.json("whoami")["id"] == "user-jon"
    file = running.home / "config" / "session.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "until": 0, "refresh_token": "used up"}))
    ended = running.run("whoami", exit=4).err
    assert "the session has ended" in ended
    assert "siems logout" in ended.splitlines()[-1]
    assert running.json("logout") == {"changed": True}
    assert running.json("logout") == {"changed": False}
    assert running.json("whoami")["id"] == "user-dana"


def test_an_escalation_arrives_within_seconds(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    boss = hire(running, tmp_path, "mia", "manager", "acme")
    target = ("--company", "acme", "--severity", "CRITICAL", "--response", "2s", "--resolution", "1h", "--warn", "1s")
    running.run("sla", "policy", "set", *target)
    incident = acme.alert(severity="critical")["incident_id"]

    found = until(lambda: [n for n in boss.json("notify", "inbox", "--unread") if "escalated" in n["kind"]])
    assert found[0]["object"] == incident
    shown = running.json("incident", "show", incident)
    assert (shown["escalation_level"], shown["assignee"]) == (2, "user-mia")
    assert shown["sla"]["response"]["breached"] is True
    told = [entry["action"] for entry in running.json("audit", "list", "--object", incident)]
    assert "incident.escalated" in told
    assert boss.run("notify", "read", "--all").out != "0 marked as read\n"
    assert boss.json("notify", "inbox", "--unread") == []
