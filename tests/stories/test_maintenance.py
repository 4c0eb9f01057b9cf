"""A night with planned work: what is silent pages nobody, and what is still ill afterwards does."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from house import House, until

from .test_people import hire

SENDS = """
import json, sys
sys.path[:0] = {path!r}
from house import Client
client = Client(*{client!r})
asset, *statuses = sys.argv[1:]
for status in statuses:
    client.alert("high_cpu", asset, status=status)
"""


def test_a_battery_swap(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    tech = hire(running, tmp_path, "jon", "technician", "acme")
    acme.alert("on_battery", "ups-3")

    # what would it match?
    words = ("silence", "add", "asset=ups-3", "--for", "2h", "--comment", "battery swap")
    foreseen = tech.run(*words, "--preview").out
    assert "active now: 1 alert" in foreseen
    assert "INC-1  HIGH  On battery on ups-3: nobody would be paged" in foreseen
    assert "last 24 h: 1 of 1 alert" in foreseen
    assert tech.run("silence", "list", "-q").out == ""

    # it is silent; what is held back is shown with the reason
    ref = tech.run(*words, "-q").out.strip()
    assert acme.alert("replace_battery", "ups-3")["incident_id"] is None
    assert acme.alert("on_battery", "ups-4")["incident_id"] == "INC-2"
    [held] = tech.json("alert", "list", "--query", f"suppressed_by:{ref}")
    assert (held["status"], held["suppressed_by"]) == ("suppressed", f"{ref} battery swap")
    assert "battery swap" in tech.run("alert", "show", held["id"]).out
    assert "holds 1 alert back" in tech.run("silence", "show", ref).out
    tech.run("silence", "extend", ref, "--for", "23h", exit=5)
    assert f"{ref}: until 20" in tech.run("silence", "extend", ref, "--for", "1h").out

    # afterwards what is still ill comes up
    assert tech.run("silence", "end", ref).out == f"{ref}: over\n"
    assert tech.json("alert", "show", held["id"])["incident_id"] == "INC-3"
    told = [entry["action"] for entry in running.json("audit", "list", "--object", ref)]
    assert told == ["silence.ended", "silence.extended", "silence.created"]


def test_the_end_is_announced_and_what_was_held_comes_up_by_itself(running: House) -> None:
    acme = running.onboard("Acme")
    ref = running.run("silence", "add", "asset=*", "--for", "2s", "--comment", "short", "-q").out.strip()
    assert acme.alert()["incident_id"] is None
    until(lambda: running.json("incident", "list"))
    [notice] = [n for n in running.json("notify", "inbox") if n["kind"] == "silence.expiring"]
    assert notice["object"] == ref
    assert running.json("silence", "show", ref)["ended_by"] == "system"


def test_patches_every_second_tuesday(running: House) -> None:
    running.onboard("Acme")
    words = ("maintenance", "create", "--company", "acme", "--match", "asset=dc*", "--reason", "CHG-9", "--for", "3h")
    when = ("--from", "2031-03-11 22:00", "--repeat", "monthly 2tue", "--tz", "America/New_York")
    planned = running.run(*words, *when, "--dry-run").lines
    assert planned[1] == "  monthly 2TU 22:00-01:00 America/New_York"
    assert planned[2:4] == [
        "  window 2031-03-12T02:00:00Z to 2031-03-12T05:00:00Z",
        "  window 2031-04-09T02:00:00Z to 2031-04-09T05:00:00Z",
    ]  # fmt: skip
    ref = running.run(*words, *when, "-q").out.strip()
    shown = running.json("maintenance", "show", ref)
    assert (shown["state"], shown["kind"], shown["change"]) == ("coming", "maintenance", "CHG-9")
    assert [w["starts_at"][:10] for w in shown["windows"]][-1] == "2031-07-09"
    assert running.run("maintenance", "list", "-q").lines == [ref]
    assert "next window from 2031-04-09T02:00:00Z" in running.run("maintenance", "end", ref, "--once").out
    assert running.run("maintenance", "end", ref).out == f"{ref}: over\n"
    assert running.run("maintenance", "list").out == ""
    assert running.run("maintenance", "list", "--expired", "-q").lines == [ref]


def test_a_command_inside_a_window(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    script = tmp_path / "deploy.py"
    given = (acme.id, acme.name, acme.key, acme.secret, acme.url)
    script.write_text(SENDS.format(path=[p for p in sys.path if p], client=given))
    window = ("maintenance", "run", "--company", "acme", "--match", "asset=web*", "--max", "30m", "--reason", "CHG-9")

    def run(*command: str, exit: int, settle: str = "1s") -> str:
        return running.run(*window, "--settle", settle, "--", *command, exit=exit).err

    def on() -> list[str]:
        return running.run("maintenance", "list", "-q").lines

    # the service went away and came back: nobody heard of it
    said = run(sys.executable, str(script), "web-1", "firing", "resolved", exit=0)
    assert "SIL-1: open until" in said
    assert "SIL-1: over" in said
    assert running.json("incident", "list") == []

    # it did not come back: exit 9, and now it is an incident
    assert "1 matching alert stayed active" in run(sys.executable, str(script), "web-2", "firing", exit=9)
    [incident] = running.json("incident", "list")
    assert incident["assets"] == ["web-2"]
    running.run("incident", "resolve", incident["id"], "--note", "restarted")

    # however the command ends, the window does
    run("sh", "-c", "exit 7", exit=7, settle="5m")
    run("sh", "-c", "kill -9 $$", exit=137, settle="5m")
    run("no-such-command", exit=2)
    assert on() == []
    ran = running.terminal(*window, "--", "sleep", "60", interrupt="open until")
    assert ran.code == 130
    assert ": over" in ran.out
    assert on() == []
    for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        going = running.start(*window, "--", "sleep", "60")
        until(on)
        going.send_signal(number)
        assert going.wait(20) == code
        going.communicate()
        assert on() == []

    # without a daemon nothing is run
    running.stop()
    running.run(*window, "--", "touch", str(tmp_path / "ran"), exit=10)
    assert not (tmp_path / "ran").exists()


def test_whoever_listens_hears_of_silences(running: House) -> None:
    acme = running.onboard("Acme")
    watching = running.start("watch", "--types", "silence,alert", "--exit-after", "4", "-o", "jsonl")
    until(lambda: running.json("daemon", "status")["subscribers"])
    ref = running.run("silence", "add", "asset=*", "--for", "1h", "--comment", "swap", "-q").out.strip()
    acme.alert()
    running.run("silence", "end", ref)
    out, _ = watching.communicate(timeout=20)
    told = [json.loads(line) for line in out.splitlines()]
    assert [(e["type"], e["object"]) for e in told] == [
        ("silence.created", ref), ("alert.suppressed", "ALR-1"), ("alert.received", "ALR-1"), ("silence.ended", ref),
    ]  # fmt: skip
    assert told[1]["data"]["suppressed_by"] == f"{ref} swap"
