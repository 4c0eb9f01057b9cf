"""Runs approved and rejected by the link of a message: as that person, once, and never by whoever asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from providers.hook import SECRET, Receiver
from siems.clock import ManualClock
from siems.vocabulary import Role

from .house import House, open_house, until

SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}
BOOK = "health-check"
HIGH = "name: wipe\ntitle: Wipe it\nrisk: high\nplatforms: [linux]\nsteps: [{name: wipe, run: 'echo <b>gone</b>'}]\n"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


async def furnished(house: House, hook: Receiver) -> House:
    await house.hire("maria", Role.TECHNICIAN, "comp-acme")
    await house.hire("priya", Role.MANAGER, "comp-acme")
    await house.hire("dana", Role.ADMIN)
    asset = {"name": "web-1", "addresses": ["127.0.0.1"], "platform": "linux"}
    assert (await house.ask("root", "POST", "/companies/comp-acme/assets", asset)).status in (200, 201)
    login = {"username": "ops", "port": 9, "known_hosts": "* ssh-ed25519 AAAA", "secrets": {"password": "x"}}
    assert (await house.ask("root", "PUT", "/companies/comp-acme/logins/ssh", login)).status == 200
    for name in ("priya", "dana"):
        rule = {"user": name, "channel": "webhook", "address": f"{hook.url}/{name}", "about": ["all"]}
        assert (await house.ask("root", "POST", "/notify/rules", rule)).status == 201
    return house


@pytest_asyncio.fixture
async def shop(database_url: str, clock: ManualClock, hook: Receiver) -> AsyncIterator[House]:
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        yield await furnished(house, hook)


@pytest_asyncio.fixture
async def quick(file: str, clock: ManualClock, hook: Receiver) -> AsyncIterator[House]:
    async with open_house(file, clock, sections=SECTIONS) as house:
        yield await furnished(house, hook)


async def asked(house: House, book: str = BOOK, **more: Any) -> str:
    ask = {"company": "acme", "runbook": book, "hosts": ["web-1"], "request_approval": True, "reason": "slow", **more}
    reply = await house.ask("maria", "POST", "/runs", ask)
    assert reply.status == 201, reply
    return str(reply.json()["run"]["id"])


async def links(hook: Receiver, name: str, ref: str) -> dict[str, str]:
    """Verb → path of the message that asks this person about this run."""

    async def look() -> Any:
        found = [seen.json["data"] for seen in hook.taken if seen.path == f"/{name}"]
        return [data for data in found if data["object"] == ref and data["answers"]]

    [data] = await until(look)
    assert ref in data["subject"]
    assert "web-1" in data["text"]
    found = {a["verb"]: a["url"] for a in data["answers"]} | {"look": data["url"]}
    return {verb: url.removeprefix("http://here") for verb, url in found.items()}


async def press(house: House, path: str, **fields: str) -> Any:
    return await house.send("POST", path, body=urlencode(fields).encode())


async def state(house: House, ref: str) -> str:
    return str((await house.ask("root", "GET", f"/runs/{ref}")).json()["state"])


async def test_looking_does_nothing_and_the_button_approves_as_that_person(shop: House, hook: Receiver) -> None:
    ref = await asked(shop)
    found = await links(hook, "priya", ref)
    assert set(found) == {"look", "approve", "reject"}
    for verb, path in found.items():
        page = await shop.send("GET", path)
        assert page.status == 200
        for text in (b"waits for an answer until", b"web-1", b"maria", b"slow", b"# linux, steps"):
            assert text in page.body, verb
    assert b">Approve<" in (await shop.send("GET", found["look"])).body
    assert await state(shop, ref) == "pending_approval"

    done = await press(shop, found["approve"])
    assert (done.status, b"approved by priya at" in done.body) == (200, True)
    entries = (await shop.ask("root", "GET", f"/audit?object={ref}")).json()["items"]
    [entry] = [e for e in entries if e["action"] == "run.approved"]
    assert (entry["actor"], entry["via"], entry["reason"]) == ("user-priya", "portal", "answered by link")

    again = await press(shop, found["approve"])
    assert (again.status, b"used already" in again.body, b"approved by priya at" in again.body) == (409, True, True)
    late = await press(shop, found["reject"], note="too late")
    assert (late.status, b"approved by priya at" in late.body) == (409, True)
    shown = await shop.send("GET", found["look"])
    assert b"approved by priya at" in shown.body
    assert b"<button>" not in shown.body
    assert await state(shop, ref) != "rejected"


async def test_rejecting_asks_why_and_says_it_to_whoever_asked(quick: House, hook: Receiver) -> None:
    ref = await asked(quick)
    found = await links(hook, "priya", ref)
    assert (await press(quick, found["reject"])).status == 400
    done = await press(quick, found["reject"], note="after <six>")
    assert b"rejected by priya" in done.body
    assert b"after &lt;six&gt;" in done.body
    assert await state(quick, ref) == "rejected"
    told = (await quick.ask("maria", "GET", "/inbox")).json()["items"]
    assert any("after <six>" in one["subject"] for one in told)


async def test_high_risk_wants_the_company_typed_and_an_admin(quick: House, hook: Receiver) -> None:
    made = await quick.ask("root", "POST", "/runbooks", {"company": "acme", "text": HIGH})
    assert made.status == 201, made
    ref = await asked(quick, "wipe", confirm="comp-acme")
    found = await links(hook, "dana", ref)
    assert not [seen for seen in hook.taken if seen.path == "/priya"], "managers are not asked"
    page = await quick.send("GET", found["approve"])
    assert b"<b>comp-acme</b>" in page.body
    assert b"&lt;b&gt;gone" in page.body
    for typed in ("", "acme", "comp-beta"):
        wrong = await press(quick, found["approve"], typed=typed)
        assert (wrong.status, b'name="typed"' in wrong.body) == (400, True)
        assert await state(quick, ref) == "pending_approval"
    assert (await press(quick, found["approve"], typed="comp-acme")).status == 200
    assert (await quick.ask("root", "GET", f"/runs/{ref}")).json()["answered_by"] == "user-dana"


async def test_four_eyes_hold_whoever_has_the_link(quick: House, hook: Receiver) -> None:
    ref = await asked(quick)
    found = await links(hook, "priya", ref)
    for change, status in (
        ({"role": "technician"}, 403), ({"role": "client"}, 403), ({"remove_companies": ["acme"]}, 404)
    ):  # fmt: skip
        assert (await quick.ask("root", "PATCH", "/users/user-priya", change)).status == 200
        page = await quick.send("GET", found["look"])
        assert b"<button>" not in page.body
        assert (await press(quick, found["approve"])).status == status
        assert await state(quick, ref) == "pending_approval"


async def test_expired_requests_and_links_tell_what_became_of_them(
    quick: House, hook: Receiver, clock: ManualClock
) -> None:
    ref = await asked(quick)
    found = await links(hook, "priya", ref)
    other = await asked(quick)
    kept = await links(hook, "priya", other)
    await press(quick, kept["approve"])
    clock.advance(minutes=61)
    await quick.runtime.scheduler.tick()
    assert await state(quick, ref) == "expired"
    page = await press(quick, found["approve"])
    assert (page.status, b"nobody has answered within an hour" in page.body) == (409, True)
    clock.advance(hours=30)
    for reply in (await quick.send("GET", kept["approve"]), await press(quick, kept["approve"])):
        assert b"too old" in reply.body
        assert b"approved by priya at" in reply.body
        assert b"<button>" not in reply.body


async def test_each_request_is_a_message_of_its_own(quick: House, hook: Receiver) -> None:
    refs = [await asked(quick) for _ in range(3)]
    found = [await links(hook, "priya", ref) for ref in refs]
    assert len({path["approve"] for path in found}) == 3
    await press(quick, found[1]["approve"])
    assert [await state(quick, ref) == "pending_approval" for ref in refs] == [True, False, True]
