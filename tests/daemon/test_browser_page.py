"""The page that makes a browser tell somebody: opened by its link, answered once, and what is pushed then arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.browser import Browser, new_key
from siems.channels.webpush import public_key
from siems.clock import ManualClock
from siems.vocabulary import Role

from .house import ALERT, House, open_house

KEY = new_key()
SECTIONS: dict[str, Any] = {
    "webpush": {"private_key": KEY, "contact": "ops@msp.example"}, "webhooks": {"allow": "127.0.0.1"},
}  # fmt: skip


async def invited(house: House, who: str = "tess") -> str:
    """The path of a fresh link."""
    reply = await house.ask(who, "POST", "/notify/browsers", {})
    assert reply.status == 201
    url = str(reply.json()["url"])
    return url[url.index("/push/") :]


async def test_a_browser_subscribes_and_shows_the_next_page(database_url: str, clock: ManualClock) -> None:
    with Browser(public_key(KEY)) as browser:
        async with open_house(database_url, clock, sections=SECTIONS) as house:
            await house.hire("tess", Role.TECHNICIAN, "comp-acme")
            link = await invited(house)
            page = await house.send("GET", link)
            assert page.status == 200
            assert public_key(KEY) in page.body.decode()
            assert "siems, for tess" in page.body.decode()
            assert browser.seen == [], "looking at it subscribes nobody"
            done = await house.send("POST", link, body=browser.subscription.encode())
            assert (done.status, done.json()["id"]) == (201, "CON-1")
            assert "a first message is on its way" in done.json()["message"]
            assert browser.shown(browser.taken[0])["title"].endswith("This browser is told from now on.")
            [_, contact] = (await house.ask("tess", "GET", "/contacts")).json()["items"]
            assert (contact["channel"], contact["hint"], contact["verified"]) == ("webpush", "a browser", True)
            body = ALERT | {"severity": "critical"}
            await house.ask("root", "POST", "/alerts", {"company": "comp-acme", "body": json.dumps(body)})
            while await house.runtime.delivering.round():
                pass
            await house.runtime.delivering.settled()
            shown = browser.shown(browser.taken[-1])
            assert (shown["tag"], shown["requireInteraction"]) == ("comp-acme/INC-1", True)
            assert {action["action"] for action in shown["actions"]} <= {"ack", "escalate", "resolve"}
            assert "/a/" not in shown["body"], "links are buttons"


@pytest.fixture
def backend() -> str:
    """One database is enough for a page."""
    return "sqlite"


async def test_a_link_is_good_for_one_browser_and_a_quarter_of_an_hour(database_url: str, clock: ManualClock) -> None:
    with Browser(public_key(KEY)) as browser:
        async with open_house(database_url, clock, sections=SECTIONS) as house:
            await house.hire("tess", Role.TECHNICIAN, "comp-acme")
            link, other = await invited(house), await invited(house)
            body = browser.subscription.encode()
            assert (await house.send("POST", link, body=b"{}")).status == 422
            assert (await house.send("POST", link, body=body)).status == 201, "a mistake has not used it up"
            again = await house.send("POST", link, body=body)
            assert (again.status, again.json()["hint"]) == (409, "a new one:  siems notify browser")
            clock.advance(minutes=16)
            assert (await house.send("GET", other)).status == 404
            assert (await house.send("POST", other, body=body)).status == 404
            assert len((await house.ask("tess", "GET", "/contacts")).json()["items"]) == 2


async def test_nobody_subscribes_without_a_link_of_ours(database_url: str, clock: ManualClock) -> None:
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        link = await invited(house, "root")
        changed = link[:-9] + ("A" if link[-9] != "A" else "B") + link[-8:]
        for path in ("/push/x", "/push/" + "A" * 80, changed):
            assert (await house.send("GET", path)).status == 404
            assert (await house.send("POST", path, body=b"{}")).status == 404
        answer = link.replace("/push/", "/a/")
        assert (await house.send("GET", answer)).status == 404, "it is no link that answers a message"


async def test_the_page_may_do_only_what_it_needs(database_url: str, clock: ManualClock) -> None:
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        page = await house.send("GET", await invited(house, "root"))
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        for name in ("page.js", "worker.js"):
            script = await house.send("GET", f"/push/{name}")
            assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
            assert script.headers["x-content-type-options"] == "nosniff"


async def test_what_is_not_set_up_says_what_to_type(database_url: str, clock: ManualClock) -> None:
    async with open_house(database_url, clock) as house:
        reply = await house.ask("root", "POST", "/notify/browsers", {})
        assert reply.status == 400
        assert "siems notify browser --new-key" in reply.json()["hint"]


async def test_whose_browser_it_may_be(database_url: str, clock: ManualClock) -> None:
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        await house.hire("tess", Role.TECHNICIAN, "comp-acme")
        await house.hire("rob", Role.TECHNICIAN, "comp-acme")
        await house.hire("nina", Role.TECHNICIAN, "comp-beta")
        reply = await house.ask("root", "POST", "/notify/browsers", {"user": "tess"})
        assert reply.json()["user"] == "tess"
        assert (await house.ask("rob", "POST", "/notify/browsers", {"user": "tess"})).status == 403
        assert (await house.ask("nina", "POST", "/notify/browsers", {"user": "tess"})).status == 404


async def test_own_rules_are_named_where_they_decide(database_url: str, clock: ManualClock) -> None:
    with Browser(public_key(KEY)) as browser:
        async with open_house(database_url, clock, sections=SECTIONS) as house:
            ask = {"channel": "webhook", "address": f"{browser.url}/x"}
            assert (await house.ask("root", "POST", "/notify/rules", ask)).status == 201
            link = await invited(house, "root")
            done = await house.send("POST", link, body=browser.subscription.encode())
            assert "siems notify rules add --contact CON-2" in done.json()["message"]
            browser.gone = True
            link = await invited(house, "root")
            done = await house.send("POST", link, body=browser.subscription.encode())
            assert "a first message did not go out" in done.json()["message"]
