"""Queues as a source, against a real SQS over HTTP (moto): what is stored, what is deleted and when, and what fails."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy.engine import URL

import postgres
from siems.clock import ManualClock
from siems.clouds import aws
from siems.clouds.aws import QueueReader
from siems.config import Aws
from siems.daemon import pulling
from siems.domain.particulars import Particulars, Queue, queue_from
from siems.errors import InvalidField
from siems.vocabulary import Role

from .house import House, open_house, until

REGION = "eu-north-1"
_numbers = count(1)


class Amazon:
    """A queue, as its owner sees it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
        self.name = f"siems-{next(_numbers)}"  # who was cut off in another test may still be asking
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.sections = {"aws": Aws(endpoint_url=endpoint)}

    def alarm(self, name: str = "pump-pressure", state: str = "ALARM", *, body: str = "") -> str:
        """What CloudWatch tells by SNS; the id of the message."""
        said = {
            "AlarmName": name, "NewStateValue": state, "NewStateReason": "Threshold Crossed",
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:000000000042:alarm:{name}", "AWSAccountId": "000000000042",
            "Trigger": {"MetricName": "Pressure", "Dimensions": [{"name": "InstanceId", "value": "i-0feed42"}]},
        }  # fmt: skip
        envelope = {"Type": "Notification", "MessageId": "x", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(said)}
        sent = self.sqs.send_message(QueueUrl=self.url, MessageBody=body or json.dumps(envelope))
        return str(sent["MessageId"])

    def left(self) -> int:
        """Messages that are in it, hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def queue(self, **changes: str) -> Particulars:
        facts = {"url": self.url, "region": REGION, "source": "aws-cloudwatch"} | changes
        return Particulars(queue=Queue(**facts))


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    from moto.server import ThreadedMotoServer

    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_EC2_METADATA_DISABLED", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pulling, "LONG_POLL", 1)
    monkeypatch.setattr(pulling, "FIRST_WAIT", 0.02)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Amazon(f"http://{host}:{port}")
    finally:
        boto3.client("sqs", region_name=REGION, endpoint_url=f"http://{host}:{port}")
        server.stop()


async def alerts(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    return found


async def view(house: House) -> dict[str, Any]:
    items = (await house.ask("root", "GET", "/integrations")).json()["items"]
    return dict(next(item for item in items if item["tool"] == "sqs"))


def some(look: Callable[[], Any]) -> Callable[[], Any]:
    async def looked() -> Any:
        return await asyncio.to_thread(look)

    return looked


async def added(house: House, amazon: Amazon, **changes: str) -> Any:
    return await house.integration("comp-acme", "sqs", particulars=amazon.queue(**changes))


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


@pytest.fixture
def file(sqlite_template: Path, quick_path: Path) -> str:
    path = quick_path / "queues.db"
    shutil.copy(sqlite_template, path)
    return str(path)


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

    def hear(tool: Any, body: bytes, headers: Any) -> Any:
        if b"poison" in body:
            reads.append(body)
            raise RuntimeError("a bug of the source")
        return real(tool, body, headers)

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
        assert "allow sqs:ReceiveMessage" in found["hint"]
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
        unknown = ask | {"queue": {"url": amazon.url, "region": REGION, "source": "nothing"}}
        assert (await house.ask("root", "POST", "/integrations", unknown)).status == 404


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
