"""Messages leave a real daemon for a real receiver: at once, once, and again when it fails."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from providers import HELD, RESET, Trouble
from providers.hook import SECRET, Receiver
from siems.clock import ManualClock
from siems.vocabulary import Role

from .house import House, open_house, until

SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def post(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    """A daemon that may call addresses on this machine; maria works for Acme."""
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        await house.hire("maria", Role.TECHNICIAN, "comp-acme")
        yield house


async def rule(house: House, hook: Receiver, path: str = "/x", **more: Any) -> dict[str, Any]:
    ask = {"user": "maria", "channel": "webhook", "address": f"{hook.url}{path}"} | more
    reply = await house.ask("root", "POST", "/notify/rules", ask)
    assert reply.status == 201, reply
    return dict(reply.json())


async def messages(house: House) -> list[dict[str, Any]]:
    return list((await house.ask("root", "GET", "/messages")).json()["items"])


async def states(house: House) -> list[str]:
    return [m["state"] for m in await messages(house)]


async def sent(house: House, state: str = "sent") -> list[dict[str, Any]]:
    """The messages, once all are in this state."""

    async def look() -> Any:
        found = await messages(house)
        return found if found and all(m["state"] == state for m in found) else None

    return list(await until(look))


async def test_a_page_reaches_its_receiver_without_anybody_asking(post: House, hook: Receiver) -> None:
    made = await rule(post, hook)
    assert made["hint"].startswith("http://127.0.0.1:")
    assert "/x" not in made["hint"]
    await post.alert()
    [message] = await sent(post)
    assert message["provider_message_id"].startswith("msg_")
    assert message["why"] == f"{made['id']}: webhook from LOW"
    [seen] = hook.taken
    said = seen.json
    assert said["type"] == "incident.opened"
    assert said["data"]["object"] == "INC-1"
    assert said["data"]["company"] == "Acme"
    assert [a["verb"] for a in said["data"]["answers"]] == ["ack", "escalate", "resolve"]


async def test_what_breaks_after_it_was_taken_is_sent_again_with_the_same_key(
    post: House, hook: Receiver, clock: ManualClock
) -> None:
    hook.then(RESET, Trouble(status=503), Trouble(status=429, headers={"Retry-After": "60"}))
    await rule(post, hook)
    await post.alert()
    for wait in (7, 37, 145):
        await sent(post, "failed")
        clock.advance(seconds=wait)
        await post.runtime.delivering.round()
    await sent(post)
    assert len(hook.seen) == 4
    assert len(hook.taken) == 1, "the receiver knows the key"
    assert len({seen.headers["webhook-id"] for seen in hook.seen}) == 1


async def test_one_that_hangs_does_not_keep_the_others(post: House, hook: Receiver) -> None:
    with Receiver() as stuck:
        stuck.then(*[HELD] * 3)
        await rule(post, stuck, "/stuck")
        await rule(post, hook, "/fine")
        for number in range(3):
            await post.alert(_alert(f"web-{number}"))
        await hook.until_seen(3)

        async def look() -> bool:
            return (await states(post)).count("sent") == 3

        await until(look)
        assert (await states(post)).count("sending") == 3
        stuck.release()
        await post.runtime.delivering.settled()


def _alert(asset: str) -> dict[str, Any]:
    return {
        "asset_name": asset, "signature": f"down_{asset}", "severity": "high", "message": "down", "tool_source": "X",
    }  # fmt: skip


async def test_refused_for_good_is_given_up_and_said(post: House, hook: Receiver) -> None:
    hook.then(Trouble(status=410))
    await rule(post, hook)
    await post.alert()
    [message] = await sent(post, "dead")
    assert "410" in message["error"]
    lines = (await post.ask("root", "GET", "/incidents/INC-1/timeline")).json()["items"]
    assert any("was given up" in line["text"] for line in lines)
    inbox = (await post.ask("root", "GET", "/inbox")).json()["items"]
    assert any(notice["kind"] == "message.dead" for notice in inbox), "nobody was reached: the admins hear of it"


async def test_an_address_inside_is_refused_unless_settings_allow_it(database_url: str, clock: ManualClock) -> None:
    async with open_house(database_url, clock) as house:
        await house.hire("maria", Role.TECHNICIAN, "comp-acme")
        ask = {"channel": "webhook", "address": "http://127.0.0.1:9/x"}
        reply = await house.ask("maria", "POST", "/contacts", ask)
        assert (reply.status, reply.code) == (422, "invalid_field")
        reply = await house.ask("maria", "POST", "/contacts", ask | {"options": {"allow_private": "yes"}})
        assert (reply.status, reply.code) == (403, "forbidden")
        reply = await house.ask("root", "POST", "/contacts", ask | {"options": {"allow_private": "yes"}})
        assert reply.status == 201
        assert reply.json()["secret"].startswith("whsec_"), "it is shown once"
        [listed] = [c for c in (await house.ask("root", "GET", "/contacts")).json()["items"] if c["id"] == "CON-1"]
        assert listed["secret"] == ""
        assert listed["options"] == {"allow_private": "yes", "secret": "..."}


async def test_a_channel_is_tried_alone_and_says_what_came_back(post: House, hook: Receiver) -> None:
    await rule(post, hook)
    hook.then(Trouble(status=500))
    ask = {"user": "maria", "channel": "webhook"}
    bad = (await post.ask("root", "POST", "/notify/test", ask)).json()
    assert (bad["ok"], "500" in bad["error"]) == (False, True)
    good = (await post.ask("root", "POST", "/notify/test", ask)).json()
    assert good["ok"]
    assert hook.taken[0].json["data"]["subject"] == "siems: a test message"


async def test_a_code_proves_a_contact(post: House, hook: Receiver) -> None:
    ref = (await rule(post, hook))["contact_id"]
    assert (await post.ask("maria", "POST", f"/contacts/{ref}/code", {})).json()["ok"]
    code = re.findall(r"\b(\d{6})\b", hook.taken[0].json["data"]["text"])[0]
    wrong = await post.ask("maria", "POST", f"/contacts/{ref}/verify", {"code": "000000" if code != "000000" else "1"})
    assert wrong.status == 422
    assert (await post.ask("maria", "POST", f"/contacts/{ref}/verify", {"code": code})).status == 422, "used up"
    await post.ask("maria", "POST", f"/contacts/{ref}/code", {})
    code = re.findall(r"\b(\d{6})\b", hook.taken[1].json["data"]["text"])[0]
    assert (await post.ask("maria", "POST", f"/contacts/{ref}/verify", {"code": code})).json() == {"verified": True}


# --- answering -------------------------------------------------------------------------------------------------


async def links(house: House, hook: Receiver) -> dict[str, str]:
    """Verb → path of the newest message."""
    data = hook.taken[-1].json["data"]
    found = {a["verb"]: a["url"] for a in data["answers"]} | {"look": data["url"]}
    return {verb: url.removeprefix("http://here") for verb, url in found.items()}


async def incident(house: House, ref: str = "INC-1") -> dict[str, Any]:
    return dict((await house.ask("root", "GET", f"/incidents/{ref}")).json()["incident"])


async def test_opening_a_link_does_nothing_and_pressing_its_button_does(post: House, hook: Receiver) -> None:
    await rule(post, hook)
    await post.alert()
    await sent(post)
    found = await links(post, hook)
    for verb in found:
        page = await post.send("GET", found[verb])
        assert page.status == 200
        assert page.headers["referrer-policy"] == "no-referrer"
        assert b"nobody has acknowledged it" in page.body
    assert (await incident(post))["state"] == "OPEN"
    done = await post.send("POST", found["ack"])
    assert b"acknowledged by maria" in done.body
    shown = await incident(post)
    assert (shown["state"], shown["assignee"]) == ("ASSIGNED", "user-maria")
    again = await post.send("POST", found["ack"])
    assert again.status == 409
    assert b"used already" in again.body
    assert b"acknowledged by maria at" in again.body, "it says who did it and when"
    entries = (await post.ask("root", "GET", "/audit?object=INC-1")).json()["items"]
    acked = [e for e in entries if e["action"] == "incident.acknowledged"]
    assert [(e["actor"], e["via"]) for e in acked] == [("user-maria", "portal")]


async def test_resolving_by_link_asks_what_was_done(post: House, hook: Receiver) -> None:
    await rule(post, hook)
    await post.alert()
    await sent(post)
    found = await links(post, hook)
    assert (await post.send("POST", found["resolve"])).status == 400
    done = await post.send("POST", found["resolve"], body=b"note=new+power+supply")
    assert b"RESOLVED by maria" in done.body
    assert (await incident(post))["resolution_notes"] == "new power supply"


async def test_a_link_that_was_changed_is_too_old_or_somebody_elses_does_nothing(
    post: House, hook: Receiver, clock: ManualClock
) -> None:
    await rule(post, hook)
    await post.alert()
    await sent(post)
    ack = (await links(post, hook))["ack"]
    bodies = set()
    for place in range(3, len(ack), 7):
        letter = "A" if ack[place] != "A" else "B"
        reply = await post.send("POST", f"{ack[:place]}{letter}{ack[place + 1 :]}")
        assert reply.status == 404
        bodies.add(reply.body)
    assert len(bodies) == 1
    clock.advance(hours=49)
    assert (await post.send("POST", ack)).status == 404
    assert (await incident(post))["acknowledged_at"] is None


async def test_the_page_shows_hostile_text_as_text(post: House, hook: Receiver) -> None:
    await rule(post, hook)
    await post.alert(_alert("<script>alert(1)</script>\x1b[31m"))
    await sent(post)
    page = await post.send("GET", (await links(post, hook))["look"])
    assert b"<script>" not in page.body
    assert b"\x1b" not in page.body


# --- what is shown ---------------------------------------------------------------------------------------------


async def test_why_tells_the_whole_story(post: House, hook: Receiver) -> None:
    await rule(post, hook, severity="CRITICAL")
    await post.alert()
    [told] = (await post.ask("root", "GET", "/notify/why/INC-1")).json()["items"]
    assert told["user"] == "maria"
    assert told["messages"] == []
    assert "no rule matches" in told["why"]


async def test_nothing_of_an_address_or_a_secret_is_ever_shown_or_kept_in_clear(post: House, hook: Receiver) -> None:
    await rule(post, hook, "/canary-7f3a", options={"token": "canary-9b1c"})
    await post.alert()
    await sent(post)
    for path in ("/messages", "/contacts", "/notify/rules", "/notify/why/INC-1", "/audit"):
        reply = await post.ask("root", "GET", path)
        assert b"canary" not in reply.body, path
    kept = await post.runtime.database.read(
        lambda c: [tuple(row) for table in ("contact", "message", "audit_detail", "event", "notify_rule")
                   for row in c.exec_driver_sql(f"SELECT * FROM {table}")]
    )  # fmt: skip
    assert "canary" not in json.dumps(kept, default=str)
