"""What belongs together, and what does not: an afternoon of merging, splitting, grouping and looking things up."""

from __future__ import annotations

import csv
from pathlib import Path

from house import House, bare, until

from .test_people import hire


def test_one_cable_and_what_people_make_of_its_incidents(running: House) -> None:
    house, acme = running, running.onboard("Delta")
    one, two, three = (acme.alert(what, asset=f"srv-{what}")["incident_id"] for what in ("disk_full", "ups", "vpn"))

    # it is one cable; no, it is not; yes, it is
    said = house.run("incident", "merge", two, three, "--into", one, "--reason", "same cable").out
    assert said.startswith(f"{one}: merged, 3 alerts now")
    assert house.run("incident", "undo").out.startswith(f"{one}: undo")
    assert house.json("incident", "show", two)["state"] == "OPEN"
    house.run("incident", "merge", two, three, "--into", one)
    assert [i["id"] for i in house.incidents(acme)] == [one]
    assert f"folded into {one}" in bare(house.terminal("incident", "show", two).out)

    # but the disk is something else
    disk = house.json("alert", "list", "--query", f"incident:{one.removeprefix('INC-')} disk_full")[0]["id"]
    part = house.json("incident", "split", one, "--alerts", disk, "--title", "A full disk")["id"]
    assert house.json("incident", "show", part)["title"] == "A full disk"
    assert house.json("incident", "show", one)["alert_count"] == 2
    house.run("incident", "edit", one, "--title", "Cable cut in the yard")
    house.run("incident", "severity", one, "CRITICAL", "--reason", "all users")
    assert house.json("incident", "show", one)["severity"] == "CRITICAL"

    # the UPS has no tool that would tell of it
    made = house.json(
        "incident", "create", "--company", "delta", "--title", "UPS beeps", "--assign", "@me", "--body", "- since noon"
    )
    assert (made["state"], made["assignee_name"]) == ("ASSIGNED", "dana")

    # where was that number?
    with house.start("incident", "timeline", one, "--follow") as following:
        assert following.stdout is not None
        assert "opened, rule" in following.stdout.readline()
        house.run("incident", "note", one, "the digger's firm says: ref 8812")
        assert any("ref 8812" in line for line in following.stdout)
        following.terminate()
        following.communicate(timeout=20)
    [found] = until(lambda: house.json("search", "ref 8812", "--type", "note"))
    assert (found["id"], found["company_id"]) == (one, "comp-delta")
    assert "ref 8812" in bare(house.terminal("search", "digger", columns=120).out)
    assert house.run("search", '"', exit=2).err.startswith("error: search for what?")

    # a table for the client's meeting
    table = house.home / "incidents.csv"
    house.run("incident", "export", "--query", "#delta", "--out", str(table))
    titles = {row["id"]: row["title"] for row in csv.DictReader(table.read_text().splitlines())}
    assert titles[one] == "Cable cut in the yard"
    assert titles.keys() >= {one, two, three, part, made["id"]}


def test_one_cause_at_three_clients(running: House, tmp_path: Path) -> None:
    house = running
    first, second, third = house.onboard("Elm"), house.onboard("Fir"), house.onboard("Gum")
    tess = hire(house, tmp_path, "tess", "technician", "elm")
    mona = hire(house, tmp_path, "mona", "manager", "elm")
    one, two = first.alert("bgp_down")["incident_id"], second.alert("bgp_down")["incident_id"]
    refused = house.run("incident", "merge", two, "--into", one, exit=6).err
    assert f"siems parent create {one} {two}" in refused

    ref = house.json("parent", "create", one, two, "--match", "signature:bgp_down", "--title", "Transit is gone")["id"]
    house.run("parent", "ack", ref)

    # a third client: it joins by itself, is dana's, and its own clock runs
    joined = third.alert("bgp_down")["incident_id"]
    shown = house.json("incident", "show", joined)
    assert (shown["parent"], shown["assignee_name"], shown["next_escalation"]) == (ref, "dana", None)
    assert shown["sla"]["response"]["met_at"] is None

    # tess sees her client's part of it, mona not even that there is one
    assert [child["id"] for child in tess.json("parent", "show", ref)["children"]] == [one]
    assert mona.json("incident", "show", one)["parent"] is None
    mona.run("parent", "show", ref, exit=5)
    assert "you watch it now" in mona.run("incident", "watch-me", one).out

    # one of them is refused, and says so
    held = house.run("parent", "hold", ref, "--for", "vendor", "--until", "2h", exit=7)
    assert f"{joined} is not acknowledged" in held.err
    house.run("parent", "ack", ref)
    house.run("parent", "update", ref, "--template", "identified", "A cut fibre.")
    assert "A cut fibre." in house.run("incident", "timeline", joined).out
    house.run("parent", "resolve", ref, "--note", "the provider has repaired it", "--yes")
    assert {house.json("incident", "show", i)["state"] for i in (one, two, joined)} == {"RESOLVED"}
    assert ref not in [one["id"] for one in house.json("parent", "list")]
    for flags in (("--all",), ("--ended",), ("--state", "resolved")):
        assert ref in [one["id"] for one in house.json("parent", "list", *flags)]
    assert "say different things" in house.run("parent", "list", "--all", "--ended", exit=2).err
    assert "one or several of: open" in house.run("parent", "list", "--state", "gone", exit=2).err
    heard = " ".join(notice["subject"] for notice in mona.json("notify", "inbox"))
    assert f"dana wrote about {one}" in heard
    assert house.run("audit", "verify").code == 0
