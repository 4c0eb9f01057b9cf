"""Alerts by mail: what the listener takes, and what becomes of it."""

from __future__ import annotations

from siems.domain.letter_rules import rules_from
from siems.domain.particulars import Particulars

from .house import House
from .mailing import DOMAIN, END, LETTER, address, alerts, send


async def test_a_mail_becomes_an_alert_and_its_end_resolves_it(mail_house: House) -> None:
    to = await address(mail_house)
    assert await send(mail_house, LETTER, to) == "250 2.0.0 on disk"
    [alert] = await alerts(mail_house)
    assert (alert["company_id"], alert["asset_name"], alert["severity"]) == ("comp-acme", "web-01", "HIGH")
    assert (alert["tool_source"], alert["status"]) == ("email", "active")
    assert (await send(mail_house, END, to)).startswith("250")
    [alert] = await alerts(mail_house)
    assert alert["status"] == "resolved"


async def test_the_raw_message_is_kept(mail_door: House) -> None:
    await send(mail_door, LETTER, await address(mail_door))
    shown = (await mail_door.ask("root", "GET", "/alerts/ALR-1?raw=true")).body.decode()
    assert "no answer" in shown
    assert "Return-Path: <mon@acme.example>" in shown


async def test_a_message_that_a_relay_repeats_is_stored_once(mail_house: House) -> None:
    to = await address(mail_house)
    for n in range(3):
        received = b"Received: from relay by siems; try %d\r\n" % n
        assert (await send(mail_house, received + LETTER, to)).startswith("250")
    [alert] = await alerts(mail_house)
    assert alert["count"] == 1


async def test_messages_with_one_id_and_different_words_are_different(mail_door: House) -> None:
    to = await address(mail_door)
    await send(mail_door, LETTER, to)
    await send(mail_door, LETTER.replace(b"web-01", b"web-02"), to)
    assert {alert["asset_name"] for alert in await alerts(mail_door)} == {"web-01", "web-02"}


async def test_one_message_to_two_clients_is_an_alert_of_each(mail_door: House) -> None:
    acme, beta = await address(mail_door), await address(mail_door, "comp-beta")
    assert (await send(mail_door, LETTER, acme, beta, acme.upper())).startswith("250")
    assert {alert["company_id"]: alert["count"] for alert in await alerts(mail_door)} == {
        "comp-acme": 1,
        "comp-beta": 1,
    }


async def test_an_address_may_have_a_plus_before_its_key(mail_door: House) -> None:
    assert (await send(mail_door, LETTER, f"alerts+{await address(mail_door)}")).startswith("250")


async def test_a_recovery_finds_its_problem_by_the_thread(mail_door: House) -> None:
    """It is called otherwise, but it answers the message that began it."""
    to = await address(mail_door)
    await send(mail_door, LETTER, to)
    other = b"Subject: RESOLVED: the machine at the north gate\r\nReferences: <1@acme.example>\r\n\r\nback\r\n"
    await send(mail_door, other, to)
    [alert] = await alerts(mail_door)
    assert alert["status"] == "resolved"


async def test_bounces_and_automatic_replies_are_taken_and_are_no_alerts(mail_door: House) -> None:
    to = await address(mail_door)
    away = b"Auto-Submitted: auto-replied\r\nSubject: web-01 is DOWN\r\n\r\nI am away\r\n"
    assert (await send(mail_door, away, to)).startswith("250")
    assert (await send(mail_door, LETTER, to, sender=b"")).startswith("250")
    assert await alerts(mail_door) == []
    [view] = [i for i in (await mail_door.ask("root", "GET", "/integrations")).json()["items"] if i["tool"] == "email"]
    assert (view["last_kind"], view["mail_domain"]) == ("test", DOMAIN)


async def test_rules_of_the_client_decide_by_the_first_that_fits(mail_door: House) -> None:
    rules = rules_from([
        {"field": "subject", "pattern": "*newsletter*", "ignore": True},
        {"field": "x-site", "pattern": "north", "severity": "critical", "asset": "north-gate"},
        {"field": "body", "pattern": "no answer", "severity": "low"},
    ])  # fmt: skip
    to = await address(mail_door, particulars=Particulars(rules=rules))
    await send(mail_door, b"Subject: Your NEWSLETTER: disk failed\r\n\r\nx\r\n", to)
    await send(mail_door, b"X-Site: North\r\n" + LETTER, to)
    await send(mail_door, LETTER.replace(b"web-01", b"web-02").replace(b"<1@", b"<3@"), to)
    assert [(a["asset_name"], a["severity"]) for a in reversed(await alerts(mail_door))] == [
        ("north-gate", "CRITICAL"), ("web-02", "LOW"),
    ]  # fmt: skip


async def test_the_same_message_comes_in_by_http_as_well(mail_door: House) -> None:
    rules = rules_from([{"field": "from", "pattern": "mon@acme.example", "severity": "LOW"}])
    added = await mail_door.integration("comp-acme", "email", particulars=Particulars(rules=rules))
    reply = await mail_door.send("POST", f"/api/webhooks/email?api_key={added.api_key}", [], LETTER)
    assert reply.status == 202
    [alert] = await alerts(mail_door)
    assert (alert["asset_name"], alert["severity"]) == ("web-01", "LOW")
