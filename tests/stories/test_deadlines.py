"""Deadlines: hours of a client, what counts and what does not, and scripts that must hear of it in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from house import House, until

from .test_people import hire


def lines_of(said: str, clock: str) -> list[str]:
    """The part of an explanation that is about one clock."""
    blocks = [block.splitlines() for block in said.split("\n\n")]
    return next(block for block in blocks if block[0].startswith(clock))


def test_a_client_with_hours_and_a_hold_over_the_weekend(running: House) -> None:
    """Onboarded with a tier; what is held for the client is no time of ours, and the sum says so."""
    words = ("--sla", "silver", "--tz", "Europe/Oslo", "--hours", "Mon-Fri 08:00-17:00", "--holidays", "NO")
    made = running.json("company", "onboard", "Fjord Media", *words)
    assert made["sla_plan"]["calendar"] == {
        "hours": "Mon-Fri 08:00-17:00", "time_zone": "Europe/Oslo", "holidays": "NO", "open_days": [],
        "closed_days": [],
    }  # fmt: skip
    policy = ("sla", "policy", "set", "--company", "fjord-media")
    running.run(*policy, "--holidays", "XX", exit=2)
    running.run(*policy, "--pausing", "client,parts", "--reason", "contract")
    shown = running.run("sla", "policy", "show", "--company", "fjord-media").lines
    assert shown[1] == (
        "tier silver, Mon-Fri 08:00-17:00 Europe/Oslo, holidays NO (CRITICAL 24x7), paused by client, parts"
    )
    running.run("company", "edit", "fjord-media", "--sla", "gold")
    assert running.json("sla", "policy", "show", "--company", "fjord-media")["calendar"] is None
    running.run("company", "edit", "fjord-media", "--sla", "silver", "--hours", "Mon-Fri 08:00-17:00")
    assert running.json("sla", "policy", "list")[1]["companies"] == [made["company_id"]]

    running.run("alert", "send", "--company", "fjord-media", "--severity", "high", "--asset", "web", "--message", "x")
    [incident] = running.json("incident", "list")
    running.run("incident", "ack", incident["id"])
    running.run("incident", "hold", incident["id"], "--for", "client", "--until", "3d")
    account = running.json("sla", "explain", incident["id"])
    for clock in (account["response"], account["resolution"]):
        starts, due = (datetime.fromisoformat(clock[name]).replace(microsecond=0) for name in ("starts_at", "due_at"))
        assert starts + timedelta(seconds=sum(line["seconds"] for line in clock["lines"])) == due
        counted = sum(line["seconds"] for line in clock["lines"] if line["kind"] in ("counted", "left", "unused"))
        assert counted == clock["target_seconds"]
    assert account["hours"].startswith("Mon-Fri 08:00-17:00 Europe/Oslo")
    assert account["resolution"]["standing"] == "paused"
    said = lines_of(running.run("sla", "explain", incident["id"]).out, "resolution")
    assert said[0] == "resolution: on hold"
    assert said[1].endswith("target of HIGH: 8h00m00s")
    assert any("the deadline moves on while this is on hold" in line for line in said)


def test_a_check_in_cron(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    running.run("sla", "check")
    target = ("--company", "acme", "--severity", "CRITICAL", "--response", "2s", "--resolution", "1h", "--warn", "1s")
    running.run("sla", "policy", "set", *target)
    assert running.run("sla", "check", "--within", "15m", "-q").out == ""
    late = acme.alert("db_down", "db-1", "critical")["incident_id"]
    near = acme.alert("slow", "db-2", "high")["incident_id"]
    assert running.run("sla", "check", "--within", "3h", "-q", exit=9).lines == [late, near]
    assert running.run("sla", "check", "--within", "15m", "-q", exit=9).lines == [late]
    until(lambda: running.json("incident", "show", late)["sla"]["response"]["breached"])
    [told] = running.json("sla", "check", "--breached", "--once", "cron", exit=9)
    assert (told["id"], told["clock"], told["standing"]) == (late, "response", "breached")
    assert running.json("sla", "check", "--breached", "--once", "cron") == []
    assert running.run("sla", "check", "--breached", "--once", "mail", "--query", "#acme", "-q", exit=9).lines == [late]

    # what was missed asks for a cause; a script may leave it open
    ran = running.run("incident", "resolve", late, "--note", "failed over", exit=2)
    assert ran.err.splitlines()[-1].strip() == 'add  --cause "..."'
    said = running.run("incident", "resolve", late, "--note", "failed over", "--yes").out
    assert "cause unstated" in said
    assert running.json("incident", "show", late)["cause"] == "unstated"
    running.run("sla", "check", "--breached")
    again = acme.alert("db_down_2", "db-9", "critical")["incident_id"]
    until(lambda: running.json("incident", "show", again)["sla"]["response"]["breached"])
    asked = running.terminal(
        "incident", "resolve", again, "--note", "x", answers=[("what was the cause?", "the vendor\r")]
    )
    assert asked.code == 0, asked.out
    assert running.json("incident", "show", again)["cause"] == "the vendor"

    [line] = running.json("sla", "report", "--range", "1d")["lines"]
    assert (line["group"], line["response"]["percent"]) == (acme.id, 0.0)
    assert line["response"]["breached"] == [late, again]
    [head, row] = running.run("sla", "report", "--by", "company", "-o", "csv").lines
    assert head.startswith("group,incidents,response,resp_in_time,resp_breached,resolution")
    assert row.startswith("comp-acme,3,0.0,0,2,100.0,2,0")
    board = running.run("sla", "board").rows
    assert [row[3] for row in board] == [near]
    assert "\x1b" not in running.run("sla", "board").out
    running.run("sla", "board", "--watch", exit=2)

    # a client reads about their own
    guest = hire(running, tmp_path, "gus", "client", "acme")
    assert guest.json("sla", "report", "--by", "severity")["total"]["incidents"] == 3
    guest.run("sla", "report", "--by", "technician", exit=5)
    assert {part["who"] for part in guest.json("sla", "explain", late)["response"]["lines"]} == {""}
    guest.run("sla", "policy", "set", "--company", "acme", "--tier", "gold", exit=5)
