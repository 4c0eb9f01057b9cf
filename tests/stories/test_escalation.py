"""A night in which nobody answers at first: who is woken, in which order, and when it becomes quiet."""

from __future__ import annotations

from pathlib import Path

from house import House, until

from .test_people import hire

NIGHT = """\
repeat: 0
steps:
  - targets: [user:jon]
    wait: 1s
  - targets: role:manager
    wait: 1s
    when: {severity: CRITICAL}
  - targets: role:admin
"""


def inbox(house: House, kind: str) -> list[str]:
    return [n["object"] for n in house.json("notify", "inbox") if n["kind"] == kind]


def test_a_night_from_the_policy_to_the_ack(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    mara = hire(running, tmp_path, "mara", "manager", "acme")

    # a manager writes the chain down, tries it, and puts it in force
    coming = ("escalation", "policy", "test", "night", "--from-file", "-", "--company", "acme", "--severity", "HIGH")
    assert mara.run(*coming, "--at", "sat 03:00", text=NIGHT).rows[0][3:5] == ["page", "jon"]
    made = mara.run("escalation", "policy", "create", "night", "--from-file", "-", "--company", "acme", text=NIGHT)
    assert "siems company edit NAME --policy pol-acme-night" in made.out
    tried = mara.run("escalation", "policy", "test", "night", "--severity", "HIGH", "--at", "sat 03:00").rows
    assert [(row[0], row[3], row[4]) for row in tried[:3]] == [
        ("0", "page", "jon"), ("+0:01", "skip", "manager"), ("+0:01", "page", "dana"),
    ]  # fmt: skip
    assert "level 2 is only for CRITICAL" in tried[1][5]
    mara.run("company", "edit", "acme", "--policy", "night")
    assert mara.json("company", "show", "acme")["policy"] == "pol-acme-night"

    # nobody answers: jon, then, over the manager's step, the admin
    acme.alert("disk_full", "web-01")
    until(lambda: jon.json("notify", "inbox"))
    assert inbox(jon, "incident.opened") == ["INC-1"]
    until(lambda: running.json("incident", "show", "INC-1")["escalation_level"] == 3)
    assert inbox(running, "incident.escalated") == ["INC-1"]
    assert "level 2 is only for CRITICAL" in jon.run("incident", "timeline", "INC-1").out

    # an ack, and it is quiet; whoever knows that switch is fetched by name
    acme.alert("link_down", "sw-01", "critical")
    jon.run("incident", "ack", "INC-2")
    jon.run("incident", "escalate", "INC-2", "--to", "mara", "--reason", "knows that switch")
    assert mara.json("incident", "show", "INC-2")["assignee"] == "user-mara"

    # what is used stays; what is wrong is named
    refused = mara.run("escalation", "policy", "delete", "night", "--yes", "--json", exit=6).error
    assert "comp-acme" in refused["message"]
    wrong = NIGHT.replace("wait: 1s", "wait: 1", 1)
    said = mara.run("escalation", "policy", "edit", "night", "--from-file", "-", text=wrong, exit=2).err
    assert "step 1, wait: '1' has no unit" in said
    mara.run("escalation", "policy", "edit", "night", exit=2)
    jon.run("escalation", "policy", "list", exit=5)
    mara.run("escalation", "policy", "edit", "default", "--repeat", "1", exit=5)
    mara.run("company", "edit", "acme", "--policy", "default")
    mara.run("escalation", "policy", "delete", "night", "--yes")


def test_a_policy_is_changed_in_an_editor(running: House, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/^repeat: .*/repeat: 4/' \"$1\"\n")
    editor.chmod(0o755)
    running.terminal("escalation", "policy", "edit", "default", env={"EDITOR": str(editor)})
    assert running.json("escalation", "policy", "show", "default")["policy"]["repeat"] == 4
    untouched = running.terminal("escalation", "policy", "edit", "default", env={"EDITOR": "true"})
    assert (untouched.code, "nothing was changed" in untouched.out) == (130, True)
    document = running.run("escalation", "policy", "show", "default", "--document").out
    again = running.run("escalation", "policy", "edit", "default", "--from-file", "-", text=document).out
    assert "already so, nothing changed" in again
