"""Called at night: a script pages somebody, who acknowledges; and what opens finds its owner, who can see why."""

from __future__ import annotations

import json
from pathlib import Path

from house import PASSWORD, House, until

from .test_people import hire


def test_a_script_pages_and_goes_on_when_somebody_has_it(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    ref = acme.alert()["incident_id"]

    # nobody answers in time: the script branches on 8, the page goes on
    late = running.run("page", "jon", "--incident", ref, "--key", "vpn", "--wait-ack", "1s", exit=8)
    assert "PAG-1: jon did not acknowledge within 1s" in late.err
    assert late.err.splitlines()[-1].strip() == "siems page show PAG-1"

    # the same key calls nobody again; this time jon acknowledges
    script = running.start("page", "jon", "--company", "acme", "--message", "x", "--key", "vpn", "--wait-ack", "30s")
    [notice] = until(lambda: [n for n in jon.json("notify", "inbox", "--unread") if n["kind"] == "page.opened"])
    assert notice["object"] == "PAG-1"
    assert "HIGH page from dana: " in notice["subject"]
    assert jon.run("page", "list", "--mine", "-q").lines == ["PAG-1"]
    assert jon.run("page", "ack", "PAG-1").out == "PAG-1: acknowledged\n"
    out, err = script.communicate(timeout=30)
    assert script.returncode == 0, err
    assert out.startswith("PAG-1: acknowledged by jon at ")
    assert "nobody is paged again" in err

    # whoever paged has heard of it, the incident is as it was, and its story tells
    assert next(n["kind"] for n in running.json("notify", "inbox")) == "page.acknowledged"
    assert running.json("incident", "show", ref)["version"] == 1
    told = [line["text"] for line in running.json("incident", "timeline", ref) if line["kind"] == "notify"]
    assert told == ["PAG-1 acknowledged", f"PAG-1 calls jon: {running.json('incident', 'show', ref)['title']}"]

    # over: the key is free, and what is over cannot be acknowledged
    assert running.run("page", "end", "PAG-1").out == "PAG-1: ended\n"
    assert jon.run("page", "ack", "PAG-1", "--json", exit=6).error["hint"] == "siems page show PAG-1"
    again = running.json("page", "oncall", "--company", "acme", "--message", "VPN", "--key", "vpn")
    assert (again["id"], again["changed"], again["target"]) == ("PAG-2", True, "oncall")
    assert [person["name"] for person in again["people"]] == ["jon"]


def test_what_opens_is_with_whoever_fits_best_and_anybody_can_see_why(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    ana = hire(running, tmp_path, "ana", "technician", "acme")
    running.run("company", "edit", "acme", "--assign", "best-match", exit=0)
    running.run("user", "edit", "jon", "--skills", "network,database")

    first = acme.alert("packet_loss", "sw-01")["incident_id"]
    shown = running.json("incident", "show", first)
    assert (shown["assignee"], shown["state"], shown["sla"]["response"]["met_at"]) == ("user-jon", "ASSIGNED", None)
    assert "best_match chose jon: knows network" in running.run("incident", "show", first).out
    assert [n["object"] for n in jon.json("notify", "inbox")] == [first]
    assert ana.json("notify", "inbox") == []

    # jon goes home: the next one is ana's, and the scores say why
    assert "user-jon: changed" in jon.run("user", "availability", "@me", "away").out
    second = acme.alert("dns_failure", "sw-02")["incident_id"]
    assert running.json("incident", "show", second)["assignee"] == "user-ana"
    rows = ana.json("incident", "candidates", second)
    assert [(row["name"], row["fit"], row["open_incidents"]) for row in rows] == [("ana", True, 1), ("jon", False, 1)]
    assert "jon" in running.run("incident", "candidates", second, "--strategy", "round_robin").out

    # a person decides otherwise
    assert running.json("incident", "assign", second, "--to", "@me")["assignee"] == "user-dana"
    slip = running.run("incident", "assign", second, "--to", "an", exit=3).err
    assert "did you mean ana?" in slip
    running.run("incident", "assign", second, "--to", "oncall", exit=6)
    assert running.json("incident", "assign", second, "--to", "auto")["assignee"] == "user-ana"
    assert running.json("incident", "assign", second, "--to", "none")["assignee"] is None


def test_an_account_from_its_first_to_its_last_day(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    assert jon.json("user", "show", "@me")["companies"] == ["comp-acme"]
    jon.run("user", "edit", "@me", "--skills", "cpu", exit=5)
    assert running.json("user", "set-role", "jon", "--role", "manager")["role"] == "manager"
    assert jon.json("whoami")["role"] == "manager"

    # a new password ends the session that the old one began
    words = ("user", "reset-password", "jon")
    running.run(*words, "--password-stdin", text="another good one\n", exit=2)  # nobody is there to say yes
    running.run(*words, "--password-stdin", "--yes", text="another good one\n")
    assert jon.run("user", "list", "--json", exit=4).error["code"] == "auth"
    jon.run("login", "--user", "jon", env={"SIEMS_PASSWORD": PASSWORD}, exit=4)
    jon.run("login", "--user", "jon", env={"SIEMS_PASSWORD": "another good one"})

    assert running.json("user", "disable", "jon", "--yes")["disabled"] is True
    jon.run("user", "list", exit=4)
    assert running.json("user", "disable", "jon", "--yes")["changed"] is False
    running.run("user", "enable", "jon")
    jon.run("user", "list")
    running.run("user", "disable", "dana", "--yes", exit=6)
    said = [json.loads(line)["action"] for line in running.run("audit", "list", "-o", "jsonl").lines]
    assert {"user.role_set", "user.password_reset", "user.disabled", "user.enabled"} <= set(said)
