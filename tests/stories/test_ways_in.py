"""A tool of a client is set up, its key is replaced and ended, and one key serves many clients."""

from __future__ import annotations

import json
import shutil

import pytest

from house import Client, House, until

ZABBIX = {
    "event_id": "71", "event_source": "0", "event_value": "1", "event_name": "Disk is full", "event_nseverity": "4",
    "host_host": "srv-7", "message": "/var is full",
}  # fmt: skip


def url_of(said: str) -> str:
    return next(line.split()[2] for line in said.splitlines() if line.startswith("  webhook URL"))


def test_a_tool_is_set_up_and_its_first_alert_is_waited_for(running: House) -> None:
    acme = running.onboard("Acme Corp")
    said = running.run("integration", "setup", "zabbix", "--company", "acme").out
    url = url_of(said)
    assert f"value: '{url}'" in said  # the snippet can be pasted as it is
    assert "\n1. " in said
    assert "127.0.0.1 is this machine only" in said
    assert "siems config set server.public_url" in said

    # nothing has come yet, and a script can tell
    failed = running.run("integration", "setup", "zabbix", "--company", "acme", "--verify", "--wait", "1s", exit=9)
    assert "nothing came from zabbix within 1 s" in failed.err
    assert url not in failed.out
    assert "siems integration rotate int-acme-zabbix-2" in failed.out

    # somebody waits; a request with another key's URL does not count, the tool's first alert does
    waiting = running.start("integration", "setup", "zabbix", "--company", "acme", "--verify", "--wait", "20s")
    assert waiting.stderr is not None
    assert "waiting 20 s" in waiting.stderr.readline()
    assert acme.deliver(json.dumps(ZABBIX).encode(), url=url)[0] == 202
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    assert "HIGH firing   asset srv-7" in out
    assert "ALR-1 in INC-1, comp-acme" in out
    [row] = running.json("integration", "list", "--company", "acme", "--fields", "id,last_kind")[1:]
    assert row == {"id": "int-acme-zabbix-2", "last_kind": "alert"}


def test_the_printed_line_of_curl_works(running: House) -> None:
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        pytest.skip("the line needs curl and openssl")
    running.onboard("Acme Corp")
    kept = running.run("integration", "setup", "generic", "--company", "acme", "--print", "curl", exit=6)
    assert "--rotate" in kept.err.splitlines()[-1]
    sent = running.shell("siems integration setup generic --company acme --rotate --print curl | sh")
    assert json.loads(sent.out)["alert_id"] == "ALR-1", sent.err


def test_keys_are_replaced_without_a_gap_and_ended(running: House) -> None:
    acme = running.onboard("Acme Corp")
    assert "--confirm acme" in running.run("company", "rotate-key", "acme", exit=2).err
    secrets = running.home / "new.env"
    ran = running.run("company", "rotate-key", "acme", "--confirm", "acme", "--secrets-file", str(secrets))
    assert "is taken until" in ran.out
    named = dict(line.split("=", 1) for line in secrets.read_text().splitlines())
    new = Client(acme.id, acme.name, named["SIEMS_KEY"].strip("'"), named["SIEMS_HMAC"].strip("'"), acme.url)
    assert new.key not in ran.out
    acme.alert()
    new.alert()

    running.run("company", "revoke-key", "acme", acme.key[-4:], "--confirm", acme.key[-4:])
    assert acme.send(b"{}")[0] == 401
    new.alert()
    running.run("integration", "revoke", "int-acme-generic-1", "--confirm", "int-acme-generic-1")
    assert new.send(b"{}")[0] == 401
    assert running.run("company", "keys", "acme").rows[0][6] == "revoked"
    assert (
        "as before" in running.run("integration", "revoke", "int-acme-generic-1", "--confirm", "int-acme-generic-1").out
    )
    gone = running.run("company", "rotate-key", "acme", "--confirm", "acme", exit=3)
    assert "siems integration add generic --company acme" in gone.err


def test_one_key_serves_many_clients(running: House) -> None:
    acme = running.onboard("Acme Corp")
    words = ("integration", "add", "zabbix", "--company", "msp", "--tenant-field", "site.id")
    made = running.json(*words)
    body = json.dumps({**ZABBIX, "site": {"id": 77}}).encode()
    acme.deliver(body, url=made["webhook_url"])
    [incident] = running.json("incident", "list")
    assert (incident["company_id"], incident["severity"]) == ("msp", "HIGH")
    [alert] = running.json("alert", "list")
    hint = alert["message"].split("map it:  siems ")[1].replace("ACME", "acme").split()
    running.run(*hint)
    acme.deliver(body, url=made["webhook_url"])
    assert [i["severity"] for i in running.incidents(acme)] == ["HIGH"]


def test_a_client_is_tested_from_end_to_end(running: House) -> None:
    running.onboard("Acme Corp")
    ran = running.run("company", "test", "acme")
    assert [line.split()[:2] for line in ran.lines] == [
        ["ok", step] for step in ("reached", "signed", "stored", "incident", "resolved")
    ]
    assert [i["state"] for i in running.json("incident", "list", "--query", "signature:siems_test")] == ["RESOLVED"]
    assert running.json("company", "test", "acme")["ok"] is True  # again, with the same integration
    assert [i["state"] for i in running.json("incident", "list", "--query", "signature:siems_test")] == ["RESOLVED"]
    assert len(running.json("integration", "list")) == 2


def test_a_test_that_reaches_nobody_says_at_which_step(prepared: object) -> None:
    house: House = prepared(SIEMS_SERVER_PUBLIC_URL="http://127.0.0.1:1")  # type: ignore[operator]
    house.up().onboard("Acme Corp")
    ran = house.run("company", "test", "acme", "--wait", "2s", exit=9)
    assert ran.lines[0].startswith("FAIL reached   http://127.0.0.1:1/api/webhooks/alerts")
    assert "signed    not tried" in ran.out


def test_people_send_alerts_and_send_them_once_more(running: House) -> None:
    acme, demo = running.onboard("Acme Corp"), running.onboard("Demo")
    words = ("alert", "send", "--company", "acme", "--asset", "dc01", "--message", "no power")
    said = running.json(*words, "--severity", "critical", "--label", "site=oslo", "--wait")
    assert (said["alert_id"], said["incident_id"]) == ("ALR-1", "INC-1")
    assert running.json("alert", "show", "ALR-1")["labels"] == {"site": "oslo"}
    assert running.json("incident", "show", "INC-1")["title"] == "No power on dc01"
    assert "resolved" in running.run(*words, "--resolve").out
    sent = running.shell(f"echo '{json.dumps(ZABBIX)}' | siems alert send --company acme --source zabbix --file - -q")
    assert sent.out == "ALR-2\n"

    again = ("alert", "replay", "--since", "1h", "--company", "acme")
    lines = running.run(*again, "--dry-run", "-o", "jsonl").out
    assert running.incidents(demo) == []
    (running.home / "hour.jsonl").write_text(lines)
    assert len(running.run(*again, "--to", "demo").lines) == 2
    replayed = running.json("alert", "replay", "--file", "hour.jsonl", "--to", "demo")
    assert [one["message"] for one in replayed] == ["repeated", "repeated"]
    assert len(running.incidents(demo)) == 2
    assert len(running.incidents(acme)) == 2
    told = {entry["action"] for entry in running.json("audit", "list", "--company", "demo")}
    assert "alert.replayed" in told
    assert until(lambda: running.json("audit", "verify")["ok"])
