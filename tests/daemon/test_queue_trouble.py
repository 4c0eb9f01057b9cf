"""Queues that fail, messages that cannot be read, and a database that takes nothing more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from siems.clock import ManualClock
from siems.clouds import aws
from siems.daemon import pulling

from .amazon import Amazon, added, alerts, some, view
from .house import open_house, until


async def test_what_cannot_be_stored_now_stays_in_the_queue(
    file: str, clock: ManualClock, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "HIDDEN_SECONDS", 1)
    async with open_house(file, clock, sections=amazon.sections) as house:
        with monkeypatch.context() as full:
            full.setattr("siems.storage.lanes.QUEUE_BYTES", -1)
            await added(house, amazon)
            amazon.alarm()
            tried = asyncio.Event()
            real = pulling.Puller._take

            async def take(self: pulling.Puller, message: Any) -> str:
                said = await real(self, message)
                tried.set()
                return said

            full.setattr(pulling.Puller, "_take", take)
            await asyncio.wait_for(tried.wait(), 20)
            assert amazon.left() == 1
            assert await alerts(house) == []
        await until(some(lambda: amazon.left() == 0))
        assert len(await alerts(house)) == 1


async def test_a_message_that_cannot_be_read_five_times_becomes_an_alert_that_shows_it(
    file: str, clock: ManualClock, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "HIDDEN_SECONDS", 0)
    reads = []
    real = pulling.hear

    def hear(tool: Any, body: bytes, headers: Any, at: Any) -> Any:
        if b"poison" in body:
            reads.append(body)
            raise RuntimeError("a bug of the source")
        return real(tool, body, headers, at)

    monkeypatch.setattr(pulling, "hear", hear)
    async with open_house(file, clock, sections=amazon.sections) as house:
        await added(house, amazon)
        amazon.alarm(body='{"poison": "in the well"}')
        amazon.alarm("healthy")
        await until(some(lambda: amazon.left() == 0))
        found = {alert["signature"]: alert for alert in await alerts(house)}
        assert set(found) == {"healthy", "unknown aws-cloudwatch message"}
        assert "in the well" in found["unknown aws-cloudwatch message"]["message"]
        assert len(reads) == 5


async def test_a_blank_message_does_not_stay_for_ever(
    file: str, clock: ManualClock, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "HIDDEN_SECONDS", 0)
    async with open_house(file, clock, sections=amazon.sections) as house:
        await added(house, amazon)
        amazon.alarm(body="  ")
        await until(some(lambda: amazon.left() == 0))
        assert len(await alerts(house)) == 1


async def test_a_queue_that_cannot_be_asked_is_seen_everywhere_and_told_to_the_msp(
    file: str, clock: ManualClock, amazon: Amazon
) -> None:
    async with open_house(file, clock, sections=amazon.sections) as house:
        await added(house, amazon, url=f"{amazon.url}-later")

        async def failing() -> Any:
            found = await view(house)
            return found if found["queue"]["failures"] >= 5 else None

        found = (await until(failing))["queue"]
        assert "sqs:ReceiveMessage" in found["error"]
        assert "no such queue" in found["hint"]
        checks = (await house.ask("root", "GET", "/status")).json()["checks"]
        [check] = [check for check in checks if check["name"] == "queues"]
        assert not check["ok"]
        assert "int-acme-sqs" in check["cause"]
        [told] = await alerts(house)
        assert (told["company_id"], told["signature"], told["status"]) == ("msp", "queue_not_emptied", "active")
        amazon.sqs.create_queue(QueueName=f"{amazon.name}-later")

        async def well() -> Any:
            return (await view(house))["queue"]["failures"] == 0

        await until(well)
        [told] = await alerts(house)
        assert told["status"] == "resolved"
        checks = (await house.ask("root", "GET", "/status")).json()["checks"]
        assert [check["ok"] for check in checks if check["name"] == "queues"] == [True]


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("AccessDenied", "allow sqs:ReceiveMessage"),
        ("InvalidClientTokenId", "credentials are wrong"),
        ("ExpiredToken", "have ended"),
        ("AWS.SimpleQueueService.NonExistentQueue", "no such queue"),
    ],
)
def test_what_helps_is_told_by_what_is_wrong(error: str, hint: str) -> None:
    assert hint in aws.Refused("sqs:ReceiveMessage", "eu-north-1", error).hint
