"""Queues as a source: what is stored, what is deleted and when, and who asks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy.engine import URL

import postgres
from siems.clock import ManualClock
from siems.clouds import aws
from siems.clouds.aws import QueueReader
from siems.daemon import pulling
from siems.domain.particulars import queue_from
from siems.errors import InvalidField
from siems.vocabulary import Role

from .amazon import REGION, Amazon, added, alerts, some, view
from .house import open_house, until


async def test_an_alarm_in_the_queue_is_an_alert_and_leaves_the_queue(
    database_url: str, clock: ManualClock, amazon: Amazon
) -> None:
    async with open_house(database_url, clock, sections=amazon.sections) as house:
        await added(house, amazon)
        amazon.alarm()
        await until(some(lambda: amazon.left() == 0))
        [alert] = await alerts(house)
        assert (alert["company_id"], alert["signature"], alert["asset_name"]) == (
            "comp-acme", "pump-pressure", "i-0feed42",
        )  # fmt: skip
        assert alert["tool_source"] == "aws-cloudwatch"
        amazon.alarm(state="OK")
        await until(some(lambda: amazon.left() == 0))
        [alert] = await alerts(house)
        assert alert["status"] == "resolved"
        shown = (await view(house))["queue"]
        assert (shown["received"], shown["failures"], shown["error"], shown["source"]) == (2, 0, "", "aws-cloudwatch")


async def test_a_daemon_that_dies_between_commit_and_delete_stores_nothing_twice(
    database_url: str, clock: ManualClock, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "HIDDEN_SECONDS", 1)
    monkeypatch.setattr(pulling, "FINISH_SECONDS", 0.0)
    deleting, dead = threading.Event(), threading.Event()
    amazon.alarm()
    with monkeypatch.context() as dying:

        def never(self: QueueReader, receipts: Any) -> int:
            deleting.set()
            dead.wait(20)
            return 0

        dying.setattr(QueueReader, "delete", never)
        async with open_house(database_url, clock, sections=amazon.sections) as house:
            await added(house, amazon)
            assert await asyncio.to_thread(deleting.wait, 20)
            [alert] = await alerts(house)
    dead.set()
    assert amazon.left() == 1
    clock.advance(seconds=61)  # on PostgreSQL the dead daemon's lease has to end
    async with open_house(database_url, clock, furnished=False, sections=amazon.sections) as again:
        again.tokens = house.tokens
        await until(some(lambda: amazon.left() == 0))
        [same] = await alerts(again)
        assert (same["id"], same["count"]) == (alert["id"], 1)


async def test_a_revoked_queue_is_asked_no_more(file: str, clock: ManualClock, amazon: Amazon) -> None:
    async with open_house(file, clock, sections=amazon.sections) as house:
        made = await added(house, amazon)
        amazon.alarm()
        await until(some(lambda: amazon.left() == 0))
        await house.ask("root", "POST", f"/integrations/{made.integration_id}/revoke", {})
        assert house.runtime.pulls._running == {}
        await asyncio.gather(*house.runtime.pulls._ending, return_exceptions=True)
        amazon.alarm("later")
        assert amazon.left() == 1


async def test_a_queue_of_the_msp_tells_clients_apart(file: str, clock: ManualClock, amazon: Amazon) -> None:
    async with open_house(file, clock, sections=amazon.sections) as house:
        made = await house.integration("msp", "sqs", particulars=amazon.queue(), tenant_field="AWSAccountId")
        mapped = {"value": "000000000042", "company": "beta"}
        await house.ask("root", "POST", f"/integrations/{made.integration_id}/tenants", mapped)
        amazon.alarm()
        await until(some(lambda: amazon.left() == 0))
        [alert] = await alerts(house)
        assert alert["company_id"] == "comp-beta"


async def test_of_two_daemons_on_one_database_one_asks_the_queue_and_the_other_takes_over(
    postgres_server: URL, postgres_template: str, clock: ManualClock, amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "ASK_FOR_LEASE", 0.05)
    asked: list[int] = []
    real = QueueReader.receive

    def receive(self: QueueReader, seconds: int) -> Any:
        asked.append(id(self))
        return real(self, seconds)

    monkeypatch.setattr(QueueReader, "receive", receive)
    name = f"siems_queue_{id(clock)}"
    postgres.run(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    url = postgres.text_of(postgres_server.set(database=name))
    try:
        async with open_house(url, clock, furnished=False, sections=amazon.sections) as two:
            async with open_house(url, clock, sections=amazon.sections) as one:
                two.tokens = one.tokens
                await added(one, amazon)
                amazon.alarm("first")
                await until(some(lambda: amazon.left() == 0))
                await two.runtime.reload_keys()

                async def thrice() -> bool:
                    return len(asked) >= 4

                await until(thrice)
                assert len(set(asked)) == 1
            amazon.alarm("second")
            await until(some(lambda: amazon.left() == 0))
            assert len(set(asked)) == 2
            assert {alert["signature"] for alert in await alerts(two)} == {"first", "second"}
    finally:
        postgres.run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


# --- adding one ------------------------------------------------------------------------------------------------


async def test_a_queue_is_added_by_an_admin_and_its_key_is_nobodys(
    file: str, clock: ManualClock, amazon: Amazon
) -> None:
    async with open_house(file, clock, sections=amazon.sections) as house:
        await house.hire("mara", Role.MANAGER, "comp-acme")
        ask = {"tool": "sqs", "company": "acme", "queue": {"url": amazon.url, "region": REGION}}
        assert (await house.ask("mara", "POST", "/integrations", ask)).status == 403
        made = (await house.ask("root", "POST", "/integrations", ask)).json()
        assert (made["queue_url"], made["api_key"], made["webhook_url"]) == (amazon.url, None, "")
        for wrong in ({"url": "http://169.254.169.254/1/x"}, {"url": amazon.url}, {"url": amazon.url, "region": "x"}):
            reply = await house.ask("root", "POST", "/integrations", ask | {"queue": wrong})
            assert (reply.status, reply.code) == (422, "invalid_field"), wrong
        reply = await house.ask("root", "POST", "/integrations", {"tool": "sqs", "company": "acme"})
        assert "which queue" in reply.json()["detail"]
        assert f"--queue-url {amazon.url} --source aws-cloudwatch" in " ".join(made["setup"]["steps"])
        unknown = ask | {"queue": {"url": amazon.url, "region": REGION, "source": "nothing"}}
        assert (await house.ask("root", "POST", "/integrations", unknown)).status == 404


async def test_a_queue_is_emptied_for_one_integration_only(file: str, clock: ManualClock, amazon: Amazon) -> None:
    async with open_house(file, clock, sections=amazon.sections) as house:
        queue = {"url": amazon.url, "region": REGION, "source": "aws-eventbridge"}
        ask = {"tool": "sqs", "company": "acme", "queue": queue}
        first = (await house.ask("root", "POST", "/integrations", ask)).json()
        assert "--source aws-eventbridge" in " ".join(first["setup"]["steps"])
        for again in (ask | {"company": "beta"}, ask, ask | {"queue": queue | {"url": f"{amazon.url}/"}}):
            refused = await house.ask("root", "POST", "/integrations", again)
            assert (refused.status, refused.code) == (409, "conflict")
            assert first["integration_id"] in refused.json()["detail"]
        await house.ask("root", "POST", f"/integrations/{first['integration_id']}/revoke", {})
        assert (await house.ask("root", "POST", "/integrations", ask | {"company": "beta"})).status == 201


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/000000000042/siems", "eu-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/000000000042/siems", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/000000000042/siems", "cn-north-1"),
    ],
)
def test_the_region_stands_in_the_url(url: str, region: str) -> None:
    assert queue_from(url, "", "", "", "aws-sns").region == region


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://sqs.eu-west-1.amazonaws.com.evil.example/1/x"}, {"url": "http://sqs.eu-west-1.amazonaws.com/1/x"},
        {"url": "https://sqs.eu-west-1.amazonaws.com/x"}, {"url": ""}, {"url": "https://[/1/x"}, {"region": "mars"},
        {"role_arn": "arn:aws:iam::1:user/x"}, {"external_id": "without-a-role"},
    ],
)  # fmt: skip
def test_what_is_no_queue_is_refused(wrong: dict[str, str]) -> None:
    right = {
        "url": "https://sqs.eu-west-1.amazonaws.com/000000000042/siems", "region": "", "role_arn": "",
        "external_id": "", "source": "aws-sns",
    }  # fmt: skip
    with pytest.raises(InvalidField):
        queue_from(**(right | wrong))
