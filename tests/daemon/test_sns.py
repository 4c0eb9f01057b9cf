"""Messages of Amazon SNS at the door: proved before they are read, and asked for only at Amazon's own address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from domain.test_sns import HOST, NOW, certificate, message, signed
from siems.clock import ManualClock
from siems.daemon.amazon import LARGEST, Amazon, over_https

from .house import House, Reply

ALARM = {
    "AlarmName": "disk-queue", "NewStateValue": "ALARM", "NewStateReason": "above 5", "AWSAccountId": "210987654321",
    "Region": "EU (Stockholm)", "AlarmArn": "arn:aws:cloudwatch:eu-north-1:210987654321:alarm:disk-queue",
    "StateChangeTime": "2031-03-04T05:06:00.000+0000", "Trigger": {"MetricName": "Queue", "Namespace": "Own"},
}  # fmt: skip


class Stand:
    """Stands in for Amazon: answers with a certificate of our own, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[str], bytes] = lambda url: certificate()

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return self.answer(url)


class Topic:
    """An integration for CloudWatch, and what its topic sends."""

    def __init__(self, house: House, path: str) -> None:
        self.house, self.path, self.amazon = house, path, Stand()
        house.runtime.amazon = Amazon(ManualClock(NOW), house.runtime.limiter, self.amazon.fetch)

    async def sends(self, body: Any) -> Reply:
        return await self.house.send("POST", self.path, [], json.dumps(body).encode())

    async def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.house.ask("root", "GET", "/alerts")).json()["items"]
        return found


@pytest_asyncio.fixture
async def topic(door: House) -> Topic:
    added = await door.integration("comp-acme", "aws-cloudwatch")
    return Topic(door, added.webhook_url.removeprefix("http://x"))


def alarm(**other: Any) -> dict[str, object]:
    return message(Message=json.dumps(ALARM), **other)


async def test_an_alarm_that_amazon_signed_is_taken_and_its_certificate_asked_for_once(topic: Topic) -> None:
    replies = [await topic.sends(alarm(MessageId=f"m-{number}")) for number in range(3)]
    assert [reply.status for reply in replies] == [202] * 3
    [alert] = await topic.alerts()
    assert (alert["count"], alert["tool_source"]) == (3, "aws-cloudwatch")
    assert topic.amazon.asked == [f"https://{HOST}/SimpleNotificationService-0011aabb.pem"]


async def test_a_topic_that_was_subscribed_to_pagerduty_needs_another_host_and_key_only(topic: Topic) -> None:
    topic.path = f"/integration/{topic.path.partition('api_key=')[2]}/enqueue"
    spoilt = await topic.sends(alarm() | {"Message": "{}"})
    assert (spoilt.status, (await topic.alerts())) == (400, [])
    reply = await topic.sends(alarm())
    assert (reply.status, reply.json()["status"]) == (202, "success")
    assert [alert["tool_source"] for alert in await topic.alerts()] == ["aws-cloudwatch"]


async def test_a_message_that_amazon_repeats_is_the_same_delivery(topic: Topic) -> None:
    replies = [await topic.sends(alarm()) for _ in range(2)]
    assert [reply.json()["duplicate"] for reply in replies] == [False, True]
    [alert] = await topic.alerts()
    assert alert["count"] == 1


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"Message": "{}"}, "signature mismatch"),
        ({"Signature": ""}, "unsigned"),
        ({"Signature": None}, "no signature"),
        ({"SigningCertURL": "https://evil.example/a.pem"}, "certificate of another host"),
        ({"SigningCertURL": "https://sns.eu-north-1.amazonaws.com.evil.example/a.pem"}, "certificate of another host"),
        ({"Type": ["Notification"]}, "no signature"),
        ({"Type": "Other"}, "no signature"),
        ({"SignatureVersion": "3"}, "malformed signature"),
    ],
)
async def test_what_amazon_did_not_sign_is_refused_like_everything_else(
    topic: Topic, spoilt: dict[str, Any], why: str
) -> None:
    unknown = await topic.house.send("POST", "/api/webhooks/aws-cloudwatch?api_key=sk_x", [], b"{}")
    reply = await topic.sends(alarm() | spoilt)
    assert (reply.status, reply.body) == (401, unknown.body)
    rejected = (await topic.house.ask("root", "GET", "/rejections")).json()["items"]
    [row] = [row for row in rejected if row["cause"] == "not signed by Amazon SNS"]
    assert row["detail"].endswith(why)
    assert await topic.alerts() == []
    assert [url for url in topic.amazon.asked if not url.startswith(f"https://{HOST}/")] == []


async def test_a_certificate_of_somebody_else_is_not_kept(topic: Topic) -> None:
    topic.amazon.answer = lambda url: certificate("sns.evil.example")
    assert (await topic.sends(alarm())).status == 401
    topic.amazon.answer = lambda url: certificate()
    assert (await topic.sends(alarm())).status == 202


async def test_when_amazon_cannot_be_reached_the_message_is_asked_for_again(topic: Topic) -> None:
    """A 401 would lose it: SNS repeats on 5xx only."""

    def fails(url: str) -> bytes:
        raise OSError("no route")

    topic.amazon.answer = fails
    reply = await topic.sends(alarm())
    assert (reply.status, reply.code) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) > 0
    topic.amazon.answer = lambda url: certificate()
    assert (await topic.sends(alarm())).status == 202


async def test_a_body_that_is_no_message_of_sns_asks_nobody(topic: Topic) -> None:
    assert (await topic.sends(ALARM)).status == 202  # raw delivery
    assert len(await topic.alerts()) == 1
    assert topic.amazon.asked == []


async def test_without_a_key_nobody_is_asked(topic: Topic) -> None:
    reply = await topic.house.send(
        "POST", "/api/webhooks/aws-cloudwatch?api_key=sk_x", [], json.dumps(alarm()).encode()
    )
    assert reply.status == 401
    assert topic.amazon.asked == []


async def test_a_generic_key_still_refuses_what_its_client_did_not_sign(topic: Topic) -> None:
    path = f"/api/webhooks/aws-cloudwatch?api_key={topic.house.acme.api_key}"
    reply = await topic.house.send("POST", path, [], json.dumps(alarm()).encode())
    assert reply.status == 401


async def test_a_subscription_is_confirmed_once_it_is_proved(topic: Topic) -> None:
    asks = message("SubscriptionConfirmation")
    assert (await topic.sends(asks | {"Token": "other"})).status == 401
    assert asks["SubscribeURL"] not in topic.amazon.asked
    reply = await topic.sends(asks)
    assert (reply.status, reply.json()["alert_id"]) == (202, None)
    assert topic.amazon.asked[-1] == asks["SubscribeURL"]
    found = (await topic.house.ask("root", "GET", "/integrations")).json()["items"]
    [mine] = [item for item in found if item["tool"] == "aws-cloudwatch"]
    assert mine["last_kind"] == "test"


@pytest.mark.parametrize("url", ["https://evil.example/?Action=ConfirmSubscription", "https://10.0.0.1/", "x"])
async def test_no_other_address_is_called_even_if_it_was_signed(topic: Topic, url: str) -> None:
    asks = signed(message("SubscriptionConfirmation") | {"SubscribeURL": url})
    assert (await topic.sends(asks)).status == 202
    assert url not in topic.amazon.asked


async def test_a_confirmation_in_a_list_proves_nothing_and_is_not_followed(topic: Topic) -> None:
    await topic.sends([message("SubscriptionConfirmation")])
    assert topic.amazon.asked == []


async def test_nobody_can_make_us_ask_amazon_for_ever(topic: Topic) -> None:
    topic.amazon.answer = lambda url: b"none"
    urls = [f"https://{HOST}/{number}.pem" for number in range(50)]
    statuses = [(await topic.sends(alarm() | {"SigningCertURL": url})).status for url in urls]
    assert statuses[-1] == 503
    assert len(topic.amazon.asked) <= 32


# --- fetching --------------------------------------------------------------------------------------------------


async def served(answer: bytes) -> tuple[asyncio.Server, str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.pem"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", ""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST + 1), "too long"),
        (b"nonsense\r\n\r\n", "."),
    ],
    ids=["right", "elsewhere", "missing", "long", "nonsense"],
)
async def test_little_is_taken_and_nothing_is_followed(answer: bytes, why: str) -> None:
    server, url = await served(answer)
    async with server:
        if answer.startswith(b"HTTP/1.1 200") and not why:
            assert await over_https(url) == b"yes"
            return
        with pytest.raises(OSError, match=why):
            await over_https(url)


async def test_who_does_not_answer_is_an_error_of_the_network() -> None:
    with pytest.raises(OSError):
        await over_https("http://127.0.0.1:1/a.pem")
