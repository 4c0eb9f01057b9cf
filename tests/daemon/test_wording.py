"""Messages in a company's own words; whatever is wrong with those, the message goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from providers.hook import SECRET, Receiver
from siems.clock import ManualClock
from siems.storage import tables as t
from siems.vocabulary import Role

from .house import House, open_house

SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def post(database_url: str, clock: ManualClock, hook: Receiver) -> AsyncIterator[House]:
    """Maria is told of everything at her receiver."""
    async with open_house(database_url, clock, sections=SECTIONS) as house:
        await house.hire("maria", Role.TECHNICIAN, "comp-acme", "comp-beta")
        ask = {"user": "maria", "channel": "webhook", "address": f"{hook.url}/x"}
        assert (await house.ask("root", "POST", "/notify/rules", ask)).status == 201
        yield house


async def edit(house: House, body: str, company: str = "acme", name: str = "opened", **more: str) -> None:
    ask = {"company": company, "body": body, "event": "incident.opened", "channel": "webhook"} | more
    reply = await house.ask("root", "PUT", f"/templates/{name}", ask)
    assert reply.status == 200, reply


async def said(house: House, hook: Receiver, company: Any = None) -> dict[str, Any]:
    """What the next alert's message says."""
    number = len(hook.seen) + 1
    body = {"asset_name": f"web-{number}", "signature": f"down_{number}", "severity": "high", "message": "down"}
    assert (await house.alert(body, company=company)).status == 202
    await hook.until_seen(number)
    return dict(hook.seen[-1].json["data"])


async def problems(house: House) -> dict[str, str]:
    items = (await house.ask("root", "GET", "/templates?company=acme")).json()["items"]
    return {item["name"]: item["problem"] for item in items if item["problem"]}


async def test_the_first_line_is_the_subject_and_the_usual_text_may_be_part_of_it(post: House, hook: Receiver) -> None:
    await edit(post, "{{ company.name }}: {{ incident.assets | join(', ') }}\nPlease look.\n{{ text }}")
    found = await said(post, hook)
    assert found["subject"] == "Acme: web-1"
    assert "Please look." in found["text"]
    assert "owner: nobody" in found["text"] or "owner: maria" in found["text"]
    assert [a["verb"] for a in found["answers"]] == ["ack", "escalate", "resolve"], "the answers stay"


async def test_the_company_s_own_goes_before_the_msp_s_and_others_have_theirs(post: House, hook: Receiver) -> None:
    await edit(post, "for all: {{ incident.id }}", company="msp")
    await edit(post, "for Acme: {{ incident.id }}")
    assert (await said(post, hook))["subject"] == "for Acme: INC-1"
    assert (await said(post, hook, post.beta))["subject"] == "for all: INC-2"


async def test_another_event_or_channel_is_not_concerned(post: House, hook: Receiver) -> None:
    await edit(post, "never", name="a", event="incident.resolved")
    await edit(post, "never", name="b", channel="sms")
    assert (await said(post, hook))["subject"] == "HIGH opened: Down 1 on web-1"


async def test_one_that_fails_is_said_and_the_message_goes_out_as_usual(post: House, hook: Receiver) -> None:
    await edit(post, "{{ incident.id }}")
    broken = t.template.update().values(body="{{ incident.colour }}")  # as one of another version
    await post.do(lambda uow: uow.connection.execute(broken) and None)
    assert (await said(post, hook))["subject"] == "HIGH opened: Down 1 on web-1"
    assert "colour" in (await problems(post))["opened"]
    await edit(post, "{{ incident.id }} again")
    assert (await said(post, hook))["subject"] == "INC-2 again"
    await post.runtime.delivering.settled()
    assert await problems(post) == {}
