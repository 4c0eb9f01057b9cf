"""Answers by Amazon SNS: only of the topic that the settings name, signed by Amazon, done once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from domain.test_sns import HOST, NOW, TOPIC, certificate, message
from siems.clock import ManualClock
from siems.daemon.amazon import Amazon

from .answering import MARIA, Answering, open_answering
from .house import Reply


class Stand:
    """Stands in for Amazon's own addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return certificate()


class Topic:
    def __init__(self, made: Answering) -> None:
        self.made, self.amazon = made, Stand()
        made.house.runtime.amazon = Amazon(ManualClock(NOW), made.house.runtime.limiter, self.amazon.fetch)

    async def posts(self, body: Any) -> Reply:
        return await self.made.house.send("POST", "/api/aws/sms", [], json.dumps(body).encode())


def texted(text: str, number: str = MARIA, **other: Any) -> dict[str, object]:
    said = {"originationNumber": number, "destinationNumber": "+15005550006", "messageBody": text}
    return message(Message=json.dumps(said), **other)


@pytest_asyncio.fixture
async def topic(file: str, clock: ManualClock) -> AsyncIterator[Topic]:
    """Text messages leave by the stand-in of Twilio: what comes by the topic is the same."""
    async with open_answering(file, clock) as made:
        settings = made.house.runtime.settings
        sms = settings.sms.model_copy(update={"topic": TOPIC})
        made.house.runtime.settings = settings.model_copy(update={"sms": sms})
        await made.reached("maria")
        await made.house.alert()
        await made.settled()
        yield Topic(made)


async def test_a_reply_by_the_topic_is_done_once_and_its_sender_is_told(topic: Topic) -> None:
    for _ in range(2):
        assert (await topic.posts(texted("1a"))).status == 200
    assert (await topic.made.incident())["assignee"] == "user-maria"
    assert len(await topic.made.audit("INC-1", "incident.acknowledged")) == 1
    assert [number for number, _ in topic.made.twilio.texts[1:]] == [MARIA] * 2
    assert all(text.startswith("INC-1 acknowledged: ") for _, text in topic.made.twilio.texts[1:])


async def test_a_stranger_is_not_written_to(topic: Topic) -> None:
    assert (await topic.posts(texted("1a", "+4930999999"))).status == 200
    assert len(topic.made.twilio.texts) == 1
    assert (await topic.made.incident())["acknowledged_at"] is None


async def test_another_topic_does_nothing_though_amazon_signed_it(topic: Topic) -> None:
    """Whoever has an account at Amazon can make a topic and say anything with it."""
    foreign = texted("1a", TopicArn="arn:aws:sns:eu-north-1:999999999999:night-watch")
    assert (await topic.posts(foreign)).code == "forbidden"
    assert topic.amazon.asked == [], "nobody is asked for the sake of a foreign topic"
    forged = texted("1a") | {"Message": json.dumps({"originationNumber": MARIA, "messageBody": "1a"})}
    assert (await topic.posts(forged)).code == "forbidden"
    assert (await topic.made.incident())["acknowledged_at"] is None


async def test_without_a_topic_in_the_settings_nothing_is_taken(topic: Topic) -> None:
    settings = topic.made.house.runtime.settings
    sms = settings.sms.model_copy(update={"topic": ""})
    topic.made.house.runtime.settings = settings.model_copy(update={"sms": sms})
    assert (await topic.posts(texted("1a"))).code == "forbidden"
    assert (await topic.posts(texted("1a", TopicArn=""))).code == "forbidden"


async def test_the_subscription_is_confirmed(topic: Topic) -> None:
    assert (await topic.posts(message("SubscriptionConfirmation"))).status == 200
    assert topic.amazon.asked[-1].startswith(f"https://{HOST}/?Action=ConfirmSubscription")


@pytest.mark.parametrize("inner", ["", "[]", "7", "{}", '{"originationNumber": 7}', "[" * 5_000])
async def test_what_is_no_text_message_is_refused(topic: Topic, inner: str) -> None:
    assert (await topic.posts(message(Message=inner))).code == "usage"
