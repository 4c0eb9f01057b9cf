"""Answers by telephone: what Twilio brings is done as whoever it came from, once, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.daemon.http.replies import FORGERIES, HOW, LARGEST, UNKNOWN

from .answering import MARIA, NINA, Answering, alert, open_answering


@pytest_asyncio.fixture
async def phones(database_url: str, clock: ManualClock) -> AsyncIterator[Answering]:
    """On both databases."""
    async with open_answering(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture
async def phone(file: str, clock: ManualClock) -> AsyncIterator[Answering]:
    """For what is decided before anything is written."""
    async with open_answering(file, clock) as made:
        yield made


# --- text messages ---------------------------------------------------------------------------------------------


async def test_a_reply_acknowledges_as_the_person_and_the_second_hears_who_did_it(phones: Answering) -> None:
    await phones.reached("maria")
    await phones.house.alert()
    await phones.settled()
    assert "Reply 1a to ack" in phones.twilio.texts[0][1]
    said = await phones.texts("1a")
    assert said.startswith("INC-1 acknowledged: ")
    shown = await phones.incident()
    assert (shown["state"], shown["assignee"]) == ("ASSIGNED", "user-maria")
    assert await phones.audit("INC-1", "incident.acknowledged") == [("user-maria", "portal", "answered by sms")]
    again = await phones.texts("1a")
    assert "acknowledged by maria at 20" in again
    assert len(await phones.audit("INC-1", "incident.acknowledged")) == 1


async def test_what_twilio_posts_twice_is_done_once_and_answered_alike(phones: Answering) -> None:
    await phones.reached("maria")
    await phones.house.alert()
    first = await phones.texts("1e the switch is not ours", sid="SM77")
    level = (await phones.incident())["escalation_level"]
    again = await phones.texts("1e the switch is not ours", sid="SM77")
    assert first == again
    assert first.startswith("INC-1 escalated: ")
    assert (await phones.incident())["escalation_level"] == level > 1
    [(actor, _, reason)] = await phones.audit("INC-1", "incident.escalated")
    assert (actor, reason) == ("user-maria", "answered by sms: the switch is not ours")


async def test_resolving_needs_words_and_they_become_the_note(phones: Answering) -> None:
    await phones.reached("maria")
    await phones.house.alert()
    assert "say what was done, as 1r TEXT" in await phones.texts("1r")
    assert (await phones.incident())["state"] == "OPEN"
    assert (await phones.texts("1r new power supply")).startswith("INC-1 resolved")
    shown = await phones.incident()
    assert (shown["state"], shown["resolution_notes"]) == ("RESOLVED", "new power supply")


async def test_a_bundle_acknowledges_exactly_what_it_listed_to_this_person(
    phones: Answering, clock: ManualClock
) -> None:
    await phones.reached("maria")
    await phones.house.alert(alert("web-0"))
    await phones.settled()
    for number in range(1, 4):
        await phones.house.alert(alert(f"web-{number}"))
    clock.advance(seconds=30)
    await phones.house.runtime.delivering.round()
    await phones.settled(4)
    assert "Reply B1a to ack all" in phones.twilio.texts[-1][1]
    await phones.house.alert(alert("web-9"))
    await phones.reached("nina", address=NINA)
    assert await phones.texts("B1a", NINA) == "There is no B1 that you can answer. Nothing was done."
    assert "can only be acknowledged: B1a" in await phones.texts("B1r all fine")
    assert not any(await phones.states(f"INC-{n}" for n in range(1, 6)))
    said = await phones.texts("B1a")
    assert [f"INC-{n} acknowledged" in said for n in range(1, 6)] == [False, True, True, True, False]
    assert await phones.states(f"INC-{n}" for n in range(1, 6)) == [False, True, True, True, False]


async def test_a_page_is_acknowledged_by_its_reply(phones: Answering) -> None:
    await phones.reached("maria")
    ask = {"to": "maria", "company": "acme", "message": "the VPN is down"}
    assert (await phones.house.ask("root", "POST", "/pages", ask)).status == 201
    await phones.settled()
    text = phones.twilio.texts[0][1]
    assert "Reply P1a to ack" in text
    assert "resolve" not in text
    assert "can only be acknowledged" in await phones.texts("P1r done")
    assert await phones.texts("P1a") == "PAG-1 acknowledged: the VPN is down."
    shown = (await phones.house.ask("root", "GET", "/pages/PAG-1")).json()
    assert shown["state"] == "acknowledged"
    assert await phones.audit("PAG-1", "page.acknowledged") == [("user-maria", "portal", "answered by sms")]
    assert "acknowledged by maria at" in await phones.texts("P1a")


async def test_what_is_not_theirs_is_told_like_what_is_not_there(phones: Answering) -> None:
    await phones.reached("nina", address=NINA)
    await phones.house.alert()
    await phones.house.ask("root", "POST", "/pages", {"to": "maria", "company": "acme", "message": "x"})
    for theirs, nowhere in (("1a", "99a"), ("1r x", "99r x"), ("P1a", "P99a")):
        foreign, missing = await phones.texts(theirs, NINA), await phones.texts(nowhere, NINA)
        assert foreign.replace("-1 ", "-99 ") == missing
    assert (await phones.incident())["acknowledged_at"] is None


async def test_a_number_of_two_people_is_whose_was_told(phones: Answering) -> None:
    await phones.reached("maria")
    await phones.house.ask("root", "POST", "/contacts", {"user": "nina", "channel": "sms", "address": MARIA})
    await phones.house.alert()
    await phones.settled()
    assert (await phones.texts("1a")).startswith("INC-1 acknowledged")
    assert (await phones.incident())["assignee"] == "user-maria"
    assert "several accounts" in await phones.texts("99a")


async def test_somebody_who_has_left_does_nothing(phones: Answering) -> None:
    await phones.reached("maria")
    await phones.house.alert()
    reply = await phones.house.ask("root", "PATCH", "/users/maria", {"disabled": True})
    assert reply.status == 200, reply
    assert "There is no INC-1" in await phones.texts("1a")
    assert (await phones.incident())["acknowledged_at"] is None


async def test_strangers_and_nonsense_change_nothing_and_are_not_answered_for_ever(phone: Answering) -> None:
    await phone.reached("maria")
    await phone.house.alert()
    assert [await phone.texts("1a", "+4930999999") for _ in range(5)] == [UNKNOWN] * 3 + [""] * 2
    assert await phone.texts("1a", "whatsapp:+4930111111") == UNKNOWN
    assert [await phone.texts("I am driving") for _ in range(4)] == [HOW] * 3 + [""]
    assert (await phone.incident())["acknowledged_at"] is None


@pytest.mark.parametrize(
    "text", ["1r \x00<b>&amp;</b>\x1b[31m\u202eevil", "1r ' OR 1=1 --", "1r \U0001f525 caf\u00e9 \ud800"],
)  # fmt: skip
async def test_hostile_words_are_kept_as_words(phones: Answering, text: str) -> None:
    await phones.reached("maria")
    await phones.house.alert(alert("<Message>&]]>\x1b[2J"))
    body = quote(text.encode("utf-8", "surrogatepass"))
    from siems.channels import twilio_signature

    from .answering import PUBLIC, TOKEN

    pairs = [("Body", text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")), ("From", MARIA)]
    given = twilio_signature.signature(TOKEN, f"{PUBLIC}/api/twilio/sms", pairs)
    reply = await phones.house.send(
        "POST", "/api/twilio/sms", [("X-Twilio-Signature", given)], f"Body={body}&From={quote(MARIA)}".encode()
    )
    assert (reply.status, reply.body.count(b"<Message>")) == (200, 1), reply
    assert b"\x1b" not in reply.body
    notes = (await phones.incident())["resolution_notes"]
    assert notes
    assert not set(notes) & set("\x00\x1b\u202e")


async def test_only_what_twilio_signed_is_heard(phone: Answering) -> None:
    await phone.reached("maria")
    await phone.house.alert()
    fields = {"From": MARIA, "Body": "1a", "MessageSid": "SM1"}
    for how in ({"token": "another"}, {"signed": "https://other.example"}):
        reply = await phone.posts("/api/twilio/sms", fields, **how)
        assert (reply.status, reply.body) == (403, b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>')
    unsigned = await phone.house.send("POST", "/api/twilio/keys?reply=1&key=x", [], b"Digits=4")
    assert unsigned.status == 403
    assert (await phone.incident())["acknowledged_at"] is None


async def test_forgers_are_slowed_down_and_twilio_is_not(phone: Answering) -> None:
    await phone.reached("maria")
    await phone.house.alert()
    fields = {"From": MARIA, "Body": "1a", "MessageSid": "SM1"}
    seen = [(await phone.posts("/api/twilio/sms", fields, token="x")).status for _ in range(FORGERIES + 2)]
    assert seen[:FORGERIES] == [403] * FORGERIES
    assert 429 in seen
    assert (await phone.texts("1a")).startswith("INC-1 acknowledged")


@pytest.mark.parametrize("path", ["/api/twilio/sms", "/api/twilio/keys", "/api/aws/sms", "/api/slack/actions"])
async def test_a_large_body_is_refused(phone: Answering, path: str) -> None:
    reply = await phone.house.send("POST", path, [], b"x" * (LARGEST + 1))
    assert (reply.status, reply.code) == (413, "too_large")


# --- calls -----------------------------------------------------------------------------------------------------


async def test_four_acknowledges_and_the_same_key_again_is_told_the_same(phones: Answering) -> None:
    await phones.reached("maria", "voice")
    await phones.house.alert()
    await phones.settled()
    path = phones.gather()
    said = await phones.keys("4", path)
    assert "INC 1 acknowledged" in str(said.findtext("Say"))
    assert (await phones.incident())["assignee"] == "user-maria"
    assert await phones.audit("INC-1", "incident.acknowledged") == [("user-maria", "portal", "answered by call")]
    assert (await phones.keys("4", path)).findtext("Say") == said.findtext("Say")
    assert "INC 1 escalated" in str((await phones.keys("6", path)).findtext("Say"))
    assert (await phones.incident())["escalation_level"] > 1


async def test_another_key_asks_again_and_a_foreign_call_does_nothing(phone: Answering) -> None:
    await phone.reached("maria", "voice")
    await phone.house.alert()
    await phone.settled()  # else one call may tell of both
    await phone.house.alert(alert("other"))
    await phone.settled()
    path = phone.gather(0)
    number = re.search(r"reply=([0-9]+)&", path)
    assert number is not None
    asked = (await phone.keys("9", path)).find("Gather")
    assert asked is not None
    assert str(asked.get("action")).endswith(path)
    other = path.replace(number[0], f"reply={2 if number[1] == '1' else 1}&")
    for query in ("", "?reply=x&key=y", "?reply=B1&key=bundle:1", other.partition("keys")[2]):
        wrong = f"/api/twilio/keys{query}"
        assert "cannot be answered any more" in str((await phone.keys("4", wrong)).findtext("Say"))
    assert await phone.states(["INC-1", "INC-2"]) == [False, False]


async def test_a_call_about_a_page_offers_only_its_ack(phone: Answering) -> None:
    await phone.reached("maria", "voice")
    await phone.house.ask("root", "POST", "/pages", {"to": "maria", "company": "acme", "message": "VPN"})
    await phone.settled()
    assert "escalate" not in phone.twilio.calls[0][1]
    assert (await phone.keys("6", phone.gather())).find("Gather") is not None
    assert "PAG 1 acknowledged" in str((await phone.keys("4", phone.gather())).findtext("Say"))
