"""A rota over two continents, a shift that goes from one to the next, and a calendar that follows it."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar

from house import House, until

from .test_people import hire

SYDNEY, CHICAGO = ZoneInfo("Australia/Sydney"), ZoneInfo("America/Chicago")
LAYERS = """
- name: chicago
  rotation: weekly
  handoff: mon 09:00
  members: [jon, sam]
- name: nights
  rotation: daily
  handoff: "18:00"
  members: [ana]
  restrictions: ["daily 18:00-06:00"]
"""


def when(text: str, zone: ZoneInfo) -> tuple[int, int, int]:
    """(weekday, hour, minute) there."""
    there = datetime.fromisoformat(text).astimezone(zone)
    return there.weekday(), there.hour, there.minute


def test_a_week_in_two_time_zones_with_a_swap(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    running.onboard("Borealis")
    jon, sam = (hire(running, tmp_path, name, "technician", "acme", "borealis") for name in ("jon", "sam"))
    hire(running, tmp_path, "ana", "technician", "acme", "borealis")
    assert "there is no schedule yet" in jon.run("oncall", "who").err

    # one for everybody, in Chicago, with nights on top; one of Borealis' own, in Sydney
    file = tmp_path / "layers.yaml"
    file.write_text(LAYERS)
    create = ("oncall", "schedule", "create")
    said = running.run(*create, "primary", "--tz", "America/Chicago", "--from-file", str(file)).out
    assert "layer nights: daily at 18:00, only daily 18:00-06:00: ana" in said
    weekly = ("--rotation", "weekly", "--handoff", "mon 09:00", "--members", "sam,jon")
    running.run(*create, "south", "--company", "borealis", "--tz", "Australia/Sydney", *weekly)
    shifts = running.json("oncall", "schedule", "show", "primary")["shifts"]
    assert {when(s["starts_at"], CHICAGO)[1:] for s in shifts if s["source"] == "nights"} == {(18, 0)}
    south = running.json("oncall", "schedule", "show", "sch-borealis-south", "--days", "21")["shifts"]
    assert [when(s["starts_at"], SYDNEY) for s in south[1:]] == [(0, 9, 0)] * len(south[1:])
    assert running.json("oncall", "who", "--company", "borealis")[0]["user"] == "user-sam"
    running.run("oncall", "schedule", "gaps", "--days", "14")

    # what is written back as it was shown changes nothing
    shown = running.run("oncall", "schedule", "show", "primary", "-o", "yaml").out
    again = running.json("oncall", "schedule", "edit", "primary", "--from-file", "-", text=shown)
    assert [s["user"] for s in again["shifts"]] == [s["user"] for s in shifts]

    # jon gives a week in the south away, for one of sam's
    mine, theirs = south[1], south[2]
    days = [datetime.fromisoformat(s["starts_at"]).astimezone(SYDNEY).date().isoformat() for s in (mine, theirs)]
    swap = ("oncall", "swap", "--schedule", "sch-borealis-south", "--mine", days[0], "--with", "sam")
    ref = jon.run(*swap, "--their", days[1], "-q").out.strip()
    [asked] = [n for n in sam.json("notify", "inbox") if n["kind"] == "swap.asked"]
    assert f"siems oncall swap accept {ref}" in asked["subject"]
    jon.run("oncall", "swap", "accept", ref, exit=5)
    assert sam.run("oncall", "swap", "accept", ref).out == f"{ref}: accepted (OVR-1, OVR-2)\n"
    at = (datetime.fromisoformat(mine["starts_at"]) + timedelta(hours=1)).isoformat()
    assert running.json("oncall", "who", "--schedule", "sch-borealis-south", "--at", at)[0]["user"] == "user-sam"
    trail = [entry["action"] for entry in running.json("audit", "list", "--object", ref)]
    assert trail == ["swap.accepted", "swap.asked"]


def test_a_gap_a_stand_in_and_what_cannot_be(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    office = ("--rotation", "weekly", "--members", "jon", "--restrict", "mon-fri 09:00-17:00", "--tz", "UTC")
    running.run("oncall", "schedule", "create", "office", "--company", "acme", *office)
    gaps = running.run("oncall", "schedule", "gaps", exit=9)
    assert gaps.lines[0].startswith("sch-acme-office\t20")
    assert "'x' is no time" in jon.run("oncall", "override", "add", "--user", "@me", "--until", "x", exit=2).err
    ref = jon.run("oncall", "override", "add", "--user", "@me", "--until", "3h", "-q").out.strip()
    assert jon.json("oncall", "who", "--company", "acme")[0]["source"] == ref
    assert "on call until" in jon.run("whoami").out
    assert jon.run("oncall", "override", "remove", ref).out == f"{ref}: removed\n"
    jon.run("oncall", "override", "remove", "OVR-9", exit=3)
    jon.run("oncall", "schedule", "delete", "office", "--confirm", "office", exit=5)
    running.run("oncall", "schedule", "create", "x", "--members", "jon", "--rotation", "often", exit=2)
    ready = jon.run("oncall", "ready", "--within", "10d", exit=9)
    assert "contact: no contact" in ready.out
    assert running.json("oncall", "fairness")["people"][0]["user"] == "user-jon"


def test_a_handoff(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    jon, sam = (hire(running, tmp_path, name, "technician", "acme") for name in ("jon", "sam"))
    running.run("oncall", "schedule", "create", "primary", "--tz", "UTC", "--members", "jon,sam")
    first, second = (acme.alert("disk_full", asset, severity="low")["incident_id"] for asset in ("a", "b"))
    for ref in (first, second):
        jon.run("incident", "take", ref)
    jon.run("handoff", "note", first, "call the vendor at 9")
    brief = jon.run("handoff", "show").out
    assert "next: call the vendor at 9 (jon)" in brief
    assert f"not written:  siems handoff note {second} TEXT" in brief
    sam.run("handoff", "accept", exit=6)
    jon.run("handoff", "give", "--keep", second)
    running.run("oncall", "override", "add", "--user", "sam", "--until", "2h")
    assert "to take 1 incident over:  siems handoff accept" in sam.run("handoff", "show").out
    assert sam.run("handoff", "accept").out == f"{first}: yours now\n"
    owners = {ref: running.json("incident", "show", ref)["assignee"] for ref in (first, second)}
    assert owners == {first: "user-sam", second: "user-jon"}
    people = {u["name"]: u["availability"] for u in running.json("user", "list")}
    assert (people["jon"], people["sam"]) == ("away", "available")


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_a_calendar_that_follows_the_schedule(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    jon = hire(running, tmp_path, "jon", "technician", "acme")
    hire(running, tmp_path, "sam", "technician", "acme")
    running.run("oncall", "schedule", "create", "primary", "--tz", "Europe/Oslo", "--members", "jon,sam")
    made = jon.json("oncall", "export", "--url")
    status, body = fetch(made["url"])
    assert status == 200

    def events(raw: bytes) -> list[tuple[datetime, datetime]]:
        found = icalendar.Calendar.from_ical(raw).walk("VEVENT")
        return [(e.decoded("dtstart").astimezone(UTC), e.decoded("dtend").astimezone(UTC)) for e in found]

    before = events(body)
    assert len(before) >= 4
    assert all(b - a in (timedelta(days=7), timedelta(days=7, hours=1), timedelta(days=6, hours=23)) for a, b in before)
    running.run("oncall", "override", "add", "--user", "sam", "--until", "1h")
    until(lambda: len(events(fetch(made["url"])[1])) > len(before) or events(fetch(made["url"])[1]) != before)

    # a wrong address, a revoked one and any other nothing are the same
    wrong = fetch(made["url"].replace("ics_", "ics_x"))
    assert wrong == fetch(made["url"].partition("/ics/")[0] + "/nothing")
    jon.run("oncall", "export", "--revoke", made["id"])
    assert fetch(made["url"]) == wrong
    assert wrong[0] == 404

    # the file comes back as overrides elsewhere
    file = tmp_path / "sam.ics"
    running.run("oncall", "export", "--user", "sam", "--out", str(file))
    running.run("oncall", "schedule", "create", "second", "--members", "jon", "--tz", "UTC")
    words = ("oncall", "schedule", "import", str(file), "--schedule", "second")
    taken = running.json(*words)
    assert taken["skipped"] == []
    assert {o["user"] for o in taken["overrides"]} == {"user-sam"}
    assert running.json(*words)["overrides"] == []
    file.write_text(file.read_text().replace("sam", "Zed"))
    assert "Zed (primary): nobody here is called so" in running.run(*words, exit=9).err
    assert running.json(*words, "--map", "Zed=jon")["overrides"][0]["user"] == "user-jon"
