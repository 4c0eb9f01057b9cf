"""Pages and people over HTTP: sent twice, tried without a trace, told to those who may know."""

from __future__ import annotations

from typing import Any

from siems.vocabulary import Role

from .house import House

ASK: dict[str, Any] = {"company": "acme", "to": "root", "message": "the VPN is down"}


async def test_a_page_that_is_sent_twice_with_one_idempotency_key_calls_once(house: House) -> None:
    for _ in range(2):
        reply = await house.ask("root", "POST", "/pages", ASK, headers=[("Idempotency-Key", "k-1")])
        assert (reply.status, reply.json()["page"]["id"], reply.json()["changed"]) == (201, "PAG-1", True)
    assert len((await house.ask("root", "GET", "/pages")).json()["items"]) == 1


async def test_a_dry_run_calls_nobody(house: House) -> None:
    reply = await house.ask("root", "POST", "/pages?dry_run=true", ASK)
    assert reply.json()["page"]["state"] == "open"
    assert (await house.ask("root", "GET", "/pages")).json()["items"] == []
    assert (await house.ask("root", "GET", "/inbox")).json()["items"] == []
    await house.ask("root", "POST", "/pages", ASK)
    reply = await house.ask("root", "POST", "/pages/PAG-1/actions/ack?dry_run=true", {})
    assert reply.json()["page"]["state"] == "acknowledged"
    assert (await house.ask("root", "GET", "/pages/PAG-1")).json()["state"] == "open"


async def test_a_page_needs_a_client_that_its_incident_may_name(house: House) -> None:
    await house.alert()
    reply = await house.ask("root", "POST", "/pages", {"to": "root", "message": "x"})
    assert (reply.status, reply.json()["hint"]) == (400, "add  --company NAME  or  --incident INC-12")
    reply = await house.ask("root", "POST", "/pages", {"to": "root", "incident": "INC-1"})
    assert reply.json()["page"]["company_id"] == "comp-acme"
    other = await house.ask("root", "POST", "/pages", {"to": "root", "incident": "INC-1", "company": "beta"})
    assert other.status == 400


async def test_staff_follow_pages_and_clients_do_not_hear_of_them(house: House) -> None:
    await house.hire("tess", Role.TECHNICIAN, "comp-acme")
    await house.hire("carol", Role.CLIENT, "comp-acme")
    async with house.events("tess", "?types=page") as following, house.events("carol") as overheard:
        await following()
        await overheard()
        await house.ask("root", "POST", "/pages", ASK)
        await house.ask("tess", "POST", "/pages/PAG-1/actions/ack", {})
        await house.alert()
        opened, acked = await following(), await following()
        assert [opened["type"], acked["type"]] == ["page.opened", "page.acknowledged"]
        assert (opened["data"]["message"], acked["data"]["state"]) == ("the VPN is down", "acknowledged")
        assert (await overheard())["type"] == "alert.received"


async def test_a_new_password_works_at_once_and_a_short_one_is_refused(house: House) -> None:
    await house.hire("tess", Role.TECHNICIAN, "comp-acme")
    short = await house.ask("root", "POST", "/users/tess/password", {"password": "short"})
    assert (short.status, short.code) == (422, "invalid_field")
    done = await house.ask("root", "POST", "/users/tess/password", {"password": "another good one"})
    assert (done.status, done.json()["changed"]) == (200, True)
    assert b"another good one" not in done.body
    for password, status in (("another good one", 200), ("correct horse battery", 401)):
        reply = await house.ask("root", "POST", "/auth/login", {"user": "tess", "password": password})
        assert reply.status == status


async def test_a_manager_changes_their_technicians_only(house: House) -> None:
    for name, role, scope in (("mia", Role.MANAGER, ("comp-acme",)), ("tess", Role.TECHNICIAN, ("comp-acme",)),
                              ("both", Role.TECHNICIAN, ("comp-acme", "comp-beta"))):  # fmt: skip
        await house.hire(name, role, *scope)
    assert (await house.ask("mia", "PATCH", "/users/tess", {"disabled": True})).status == 200
    assert (await house.ask("tess", "GET", "/me")).status == 401
    assert (await house.ask("mia", "PATCH", "/users/both", {"skills": ["cpu"]})).status == 200
    for body in ({"disabled": True}, {"email": "x@y.example"}, {"role": "manager"}):
        assert (await house.ask("mia", "PATCH", "/users/both", body)).status == 403, body
    reply = await house.ask("mia", "POST", "/users/both/password", {"password": "another good one"})
    assert reply.status == 403
