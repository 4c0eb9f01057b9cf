"""Subjects of mails: a problem and its end come out alike, and two problems never do."""

from __future__ import annotations

import os

import pytest

from siems.domain.alert import Reading
from siems.sources.email import read
from siems.vocabulary import Severity

PAIRS = (
    ("web-01 is DOWN", "web-01 is UP"),
    ("Re: [EXTERNAL] web-01 is DOWN", "web-01 is back online"),
    ("Disk usage 91% on web-02", "Disk usage 12% on web-02 is back to normal"),
    ("[nas01] Volume 1 has crashed", "[nas01] Volume 1 has been restored"),
    ("RAID OK -> DEGRADED on nas02", "RAID DEGRADED -> OK on nas02"),
    ("[FIRING:2] HighLoad (web01 node)", "[RESOLVED] HighLoad (web01 node)"),
    ("[Alerting] Queue too long", "[OK] Queue too long"),
    ("Problem: High CPU", "Resolved in 5m 10s: High CPU"),
    ("Backup of srv7 failed: 3 errors", "Backup of srv7 completed without errors"),
    ("Monitor DOWN: https://shop.acme.example", "Monitor UP: https://shop.acme.example"),
    ("[PROBLEM] Ping on gw-2 is CRITICAL!", "[RECOVERY] Ping on gw-2 is OK!"),
    ("PROBLEM - db1 - disk / is CRITICAL", "RECOVERY - db1 - disk / is OK"),
    ("Check_MK: db1 UP -> DOWN", "Check_MK: db1 DOWN -> UP"),
    ("** PROBLEM Host Alert: web01 is DOWN **", "** RECOVERY Host Alert: web01 is UP **"),
    ("CRITICAL: disk 97% full on web-01", "OK: disk 40% full on web-01"),
    ("[CRITICAL] disk 97% full on web-01", "[RESOLVED] disk 97% full on web-01"),
    ("DOWN: vpn tunnel on fw-2", "UP: vpn tunnel on fw-2"),
    ("ALARM: Backup of the mail store failed", "RESOLVED: Backup of the mail store failed"),
    ("Warning: Interface eth0: errors", "Recovery: Interface eth0: errors"),
    ("PROBLEM: web01/HTTP is CRITICAL", "RECOVERY: web01/HTTP is OK"),
    ("WARNING: temperature 45C on rack-3", "Temperature 21C on rack-3 returned to normal"),
)
FIRING = (
    "Problem not resolved: raid degraded on nas02", "Server up for 300 days needs a reboot", "UPS on battery",
    "Backup succeeded with warnings on PC-7", "Follow up: disk failing on web-09", "unresolved host name on dns1",
    "Login failed for admin on fw1.acme.example", "Something odd happened", "Failed to recover volume 3 on nas4",
)  # fmt: skip


def one(subject: str, text: str = "", sender: str = "mon@mon.acme.example") -> Reading:
    [found] = read(f"From: {sender}\nSubject: {subject}\n\n{text}".encode(), {}).readings
    return found


def named(reading: Reading) -> tuple[str, str]:
    return reading.asset_name.lower(), reading.signature.lower()


@pytest.mark.parametrize(("problem", "end"), PAIRS)
def test_an_end_comes_out_as_its_problem(problem: str, end: str) -> None:
    begun, over = one(problem), one(end)
    assert (begun.firing, over.firing) == (True, False)
    assert named(begun) == named(over)


@pytest.mark.parametrize("subject", FIRING)
def test_what_is_not_surely_over_is_a_problem(subject: str) -> None:
    assert one(subject).firing


def test_an_incident_of_huntress_is_about_its_machine() -> None:
    found = one("Fwd: CRITICAL - Incident on DESKTOP-7 (Harbour Bakery (North))", sender="support@huntress.example")
    assert named(found) == ("desktop-7", "incident")
    assert (found.firing, found.severity, found.labels["tool"]) == (True, Severity.CRITICAL, "huntress")


def test_numbers_that_tell_things_apart_stay() -> None:
    subjects = [
        "[nas01] Volume 1 has crashed", "[nas01] Volume 2 has crashed", "web-01 is DOWN", "web-02 is DOWN",
        "Disk 3 failed on nas01", "Disk 4 failed on nas01", "[Failed] Job A (2 objects)", "[Failed] Job B (2 objects)",
        "** PROBLEM Service Alert: web01/HTTP 80 is DOWN **", "** PROBLEM Service Alert: web01/HTTP 81 is DOWN **",
    ]  # fmt: skip
    assert len({named(one(subject)) for subject in subjects}) == len(subjects)


def test_the_text_tells_host_and_state_where_the_subject_does_not() -> None:
    found = one("Notification", "Host: db-7 (192.0.2.7)\nSeverity: Critical\nStatus: OK\n")
    assert (found.asset_name, found.severity.name, found.firing) == ("db-7", "CRITICAL", False)


def test_a_machine_in_the_subject_is_named_where_the_form_is_of_a_tool() -> None:
    assert named(one("Problem: disk full on web-01")) == ("web-01", "disk full")
    assert named(one("PROBLEM: web01/HTTP is CRITICAL")) == ("web01", "http")


def test_a_problem_that_has_a_number_is_called_as_its_tool_calls_it() -> None:
    found = one("Problem: Less than 20% free on C:", "Host: srv-1\nOriginal problem ID: 4711")
    assert named(found) == ("srv-1", "less than 20% free on c:")
    assert found.dedup_key is not None


def test_words_of_a_page_stay_apart() -> None:
    page = "From: m@m.example\nSubject: x\nContent-Type: text/html\n\n<p>Job <b>Nightly</b> has <i>failed</i></p>"
    [found] = read(page.encode(), {}).readings
    assert "Job Nightly has failed" in found.message


def test_a_number_of_a_kind_of_event_is_no_key() -> None:
    """Windows calls the same kind of event by the same number everywhere."""
    assert one("Service failed on srv1", "Event ID: 7031").dedup_key is None


HUGE = 1_000_000
BOMBS = {
    "nested parts": b"Subject: x\n" + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 5_000,
    "many parts": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "many headers": b"Subject: x\n" + b"a: b\n" * 200_000 + b"\nhello",
    "a long header": b"Subject: x\n" + b" y\n" * 300_000 + b"\nhello",
    "encoded words": b"Subject: " + b"=?utf-8?q?=41" * 50_000 + b"\n\nhello",
    "parameters": b"Subject: x\nContent-Type: text/plain" + b';a="b' * 100_000 + b"\n\nhello",
    "tags": b"Subject: x\nContent-Type: text/html\n\n" + b"<" * HUGE,
    "scripts": b"Subject: x\nContent-Type: text/html\n\n" + b"<script" * 150_000,
    "bad base64": b"Subject: x\nContent-Transfer-Encoding: base64\n\n" + b"A" * (HUGE + 1),
    "punycode": b"Subject: x\nContent-Type: text/plain; charset=punycode\n\n" + b"a-b" * HUGE,
    "no such charset": b"Subject: =?x-klingon?q?=ff?=\nContent-Type: text/plain; charset=x-klingon\n\n\xff\xfe",
    "noise": os.urandom(HUGE),
    "brackets": b"Subject: " + b"([" * HUGE + b"\n\nx",
    "durations": b"Subject: Resolved in " + b"1m" * HUGE + b"\n\nx",
    "references": b"Subject: x\nReferences: " + b"<" * HUGE + b"\n\nx",
    "8 bit": b"Subject: \xe4\xf6 down\nFrom: \xff@\xfe\n\n\xe4",
    "nothing but newlines after a subject": b"Subject: x" + b"\n" * HUGE,
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_hostile_messages_are_read_as_far_as_they_can_be(name: str) -> None:
    """None takes half a second; with work that is quadratic in their size this test would never end."""
    [found] = read(BOMBS[name], {}).readings
    assert found.signature
    found.message.encode()
