"""Buttons in Slack: done as the member who pressed, the message changes in place, strangers hear how to link."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from siems.clock import ManualClock

from .answering import Answering, alert, open_answering

SARAH = "U0SARAH01"


@pytest_asyncio.fixture
async def chat(database_url: str, clock: ManualClock) -> AsyncIterator[Answering]:
    async with open_answering(database_url, clock) as made:
        yield made


def buttons(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Action id → button."""
    blocks = [b for a in message["attachments"] for b in a["blocks"] if b["type"] == "actions"]
    return {button["action_id"]: button for block in blocks for button in block["elements"]}


async def test_a_button_acknowledges_and_the_message_says_so(chat: Answering) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert()
    await chat.settled()
    [posted] = chat.slack.messages.values()
    known = buttons(posted)
    assert list(known) == ["siems:ack:1", "siems:escalate:1", "siems:resolve:1", "siems:open"]
    assert ["url" in button for button in known.values()] == [False, False, True, True], "a link would open as well"
    reply = await chat.presses("siems:ack:1")
    assert (reply.status, reply.body) == (200, b"")
    assert (await chat.incident())["assignee"] == "user-maria"
    assert await chat.audit("INC-1", "incident.acknowledged") == [("user-maria", "portal", "answered by slack")]
    now = chat.said()
    assert now["replace_original"] is True
    assert list(buttons(now)) == ["siems:escalate:1", "siems:resolve:1", "siems:open"]
    assert "INC-1 acknowledged" in json.dumps(now)


async def test_slack_tries_again_and_it_is_done_once(chat: Answering) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert()
    await chat.settled()
    for _ in range(2):
        await chat.presses("siems:escalate:1", at="5.5")
    assert chat.slack.responses[0] == chat.slack.responses[1]
    assert len(await chat.audit("INC-1", "incident.escalated")) == 1
    await chat.presses("siems:ack:1", at="5.6")
    await chat.presses("siems:ack:1", at="5.7")
    assert chat.said()["response_type"] == "ephemeral"
    assert "acknowledged by maria at" in chat.said()["text"]


async def test_an_option_of_any_contact_says_who_a_member_is(chat: Answering) -> None:
    await chat.reached("maria", "sms", options={"slack_user": "U0MARIA99"})
    await chat.house.alert()
    await chat.presses("siems:ack:1", "U0MARIA99")
    assert (await chat.incident())["assignee"] == "user-maria"


async def test_a_stranger_is_told_how_to_link_and_a_colleague_nothing_of_others(chat: Answering) -> None:
    await chat.reached("nina", "slack", "U0NINA001")
    await chat.house.alert()
    await chat.presses("siems:ack:1", "U0STRANGE")
    assert chat.said()["response_type"] == "ephemeral"
    assert "siems notify contact add --channel slack --to U0STRANGE" in chat.said()["text"]
    said = []
    for number in ("1", "99"):
        await chat.presses(f"siems:ack:{number}", "U0NINA001", at=number)
        said.append(chat.said()["text"].replace(f"INC-{number} ", "INC "))
    assert said[0] == said[1]
    assert (await chat.incident())["acknowledged_at"] is None


async def test_a_page_has_one_button(chat: Answering) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.ask("root", "POST", "/pages", {"to": "maria", "company": "acme", "message": "VPN"})
    await chat.settled()
    [posted] = chat.slack.messages.values()
    assert list(buttons(posted)) == ["siems:ack:P1", "siems:open"]
    await chat.presses("siems:escalate:P1", at="1")
    assert "can only be acknowledged" in chat.said()["text"]
    await chat.presses("siems:ack:P1", at="2")
    assert (await chat.house.ask("root", "GET", "/pages/PAG-1")).json()["state"] == "acknowledged"


async def test_only_what_slack_signed_just_now_is_heard(chat: Answering, clock: ManualClock) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert()
    assert (await chat.presses("siems:ack:1", secret="another")).code == "forbidden"
    assert (await chat.presses("siems:ack:1", secret="")).code == "forbidden"
    assert chat.slack.responses == []
    assert (await chat.incident())["acknowledged_at"] is None


@pytest.mark.parametrize("action", ["siems:open", "siems:resolve:1", "other", "siems:ack:1; drop", "siems:ack:B"])
async def test_buttons_that_are_no_answers_do_nothing(chat: Answering, action: str) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert()
    assert (await chat.presses(action)).status == 200
    assert chat.slack.responses == []
    assert (await chat.incident())["state"] == "OPEN"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "https://hooks.slack.com.evil.example/x", "no", "/x"])
async def test_it_answers_at_slacks_own_address_only(chat: Answering, url: str) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert()
    assert (await chat.presses("siems:ack:1", url=url)).status == 200
    assert (await chat.incident())["assignee"] == "user-maria", "done all the same"
    assert chat.slack.responses == []


@pytest.mark.parametrize("message", [[], {"attachments": "x"}, {"attachments": [{"blocks": [7, {"type": "actions"}]}]}])
async def test_a_message_of_another_shape_stops_nothing(chat: Answering, message: Any) -> None:
    await chat.reached("maria", "slack", SARAH)
    await chat.house.alert(alert("<!channel> *x*"))
    reply = await chat.presses("siems:ack:1", message=message)
    if message == []:
        assert reply.status == 200
    assert (await chat.incident())["assignee"] == "user-maria"
    assert "<!channel>" not in json.dumps(chat.said())
