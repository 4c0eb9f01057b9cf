"""A client with a Jira of its own: what its people see there, and what ours see here."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from house import House, bare, until
from tickets.jira import JiraSystem
from tickets.systems import SECRET, USER, running


@pytest.fixture
def jira() -> Iterator[JiraSystem]:
    with running(JiraSystem()) as system:
        yield system


def calls(url: str) -> None:
    """As the webhook of a ticket system does."""
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}"), timeout=20) as answer:
        assert answer.status == 204


def test_a_day_with_a_client_that_keeps_its_own_tickets(running: House, jira: JiraSystem) -> None:
    house, client = running, running.onboard("Acme")
    secret = house.home / "token.txt"
    secret.write_text(SECRET + "\n")
    made = house.run(
        "ticket", "account", "add", "jira", "--company", "acme", "--url", jira.url, "--project", "OPS", "--user", USER,
        "--secret-file", str(secret), "--webhook", "--json",
    )  # fmt: skip
    assert SECRET not in made.out + made.err
    account, hook = made.json["id"], made.json["webhook_url"]
    assert house.run("ticket", "account", "test", account).out.startswith(f"{account}: ")

    # an alert opens an incident, and that a ticket
    ref = client.alert("disk_full", severity="critical")["incident_id"]
    until(lambda: jira.issues and house.json("ticket", "list")[0]["key"])
    assert jira.only.fields["summary"].startswith(f"{ref} CRITICAL: ")
    assert f"ticket {jira.only.key}  To Do  {jira.url}/browse/{jira.only.key}" in house.run("incident", "show", ref).out

    # what is done here is seen there
    house.run("incident", "start", ref)
    said = house.run("incident", "update", ref, "--template", "identified", "A failed disk.").out
    assert "the client reads" in said
    until(lambda: jira.only.status == "In Progress" and any("A failed disk." in text for text in jira.texts()))

    # what is written there is read here, once it calls
    jira.write("we have a spare in the cellar")
    calls(hook)
    until(lambda: "spare in the cellar" in house.run("incident", "timeline", ref).out)

    # it is resolved there
    jira.move("Done")
    calls(hook)
    house.run("incident", "wait", ref, "--for", "state=resolved", "--timeout", "15s")
    row = house.run("ticket", "list").rows[0]
    assert (row[1], row[3]) == (jira.only.key, ref)
    assert house.run("ticket", "show", jira.only.key).lines[-1] == "both sides agree"
    shown = bare(house.terminal("ticket", "list", columns=120).out)
    assert jira.only.key in shown
    assert "in step" in shown
    assert house.run("audit", "verify").code == 0


def test_what_goes_wrong_says_what_to_do(running: House, jira: JiraSystem) -> None:
    house, client = running, running.onboard("Acme")
    add = ("ticket", "account", "add", "jira", "--company", "acme", "--url", jira.url, "--project", "OPS")
    assert "--secret-file" in house.run(*add, "--user", USER, "--no-input", exit=2).err
    assert "e-mail" in house.run(*add, "--user", "joe", "--secret-file", "-", text="x", exit=2).err
    house.run(*add, "--user", USER, "--secret-file", "-", "--create", "never", text="a wrong token")
    refused = house.run("ticket", "account", "test", "acme-jira", exit=10).err
    assert "401" in refused
    assert "wrong token" not in refused
    ref = client.alert()["incident_id"]
    assert "OPS-7" not in house.run("ticket", "link", ref, "OPS-7", exit=10).out
    house.run("ticket", "show", "TKT-9", exit=3)
    house.run("ticket", "account", "edit", "acme-jira", "--secret-file", "-", text=SECRET)
    missing = house.run("ticket", "link", ref, "OPS-7", exit=2)
    assert "does not exist" in missing.err
    house.run("ticket", "open", ref)
    until(lambda: house.json("ticket", "list")[0]["key"])
    assert house.run("ticket", "open", ref).out.rstrip().endswith("already so, nothing changed")
    assert "unlinked" in house.run("ticket", "unlink", "TKT-1").out
    assert house.json("ticket", "list") == []
    asked = house.run("ticket", "account", "remove", "acme-jira", "--no-input", exit=2).err
    assert "--yes" in asked
    house.run("ticket", "account", "remove", "acme-jira", "--yes")
    assert len(jira.issues) == 1


def test_words_for_clients_are_tried_before_they_are_taken(running: House) -> None:
    house, client = running, running.onboard("Acme")
    ref = client.alert(severity="critical")["incident_id"]
    names = [row[0] for row in house.run("template", "list", "--company", "acme").rows]
    assert names == ["identified", "investigating", "monitoring", "resolved"]
    shown = house.run("template", "render", "identified", "--incident", ref, "--text", "A disk.").out
    assert ref in shown
    wrong = house.run("template", "edit", "identified", "--company", "acme", "--file", "-", text="{{ titel }}", exit=2)
    assert "titel" in wrong.err
    house.run("template", "edit", "identified", "--company", "acme", "--file", "-", text="Cause found: {{ text }}")
    assert (
        house.run("incident", "update", ref, "--template", "identified", "a disk").lines[1] == "  Cause found: a disk"
    )
    assert "which template" in house.run("incident", "update", ref, exit=2).err
    house.run("template", "edit", "identified", "--company", "acme", "--reset")
    assert house.json("template", "show", "identified", "--company", "acme")["origin"] == "shipped"
