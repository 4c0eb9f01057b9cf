"""A queue of SQS over HTTP (moto), as its owner and as its reader see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3

from siems.config import Aws
from siems.domain.particulars import Particulars, Queue

from .house import House

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
        return max(self._counted(), self._counted())  # one that comes back between the two counts is in neither

    def _counted(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def queue(self, **changes: str) -> Particulars:
        facts = {"url": self.url, "region": REGION, "source": "aws-cloudwatch"} | changes
        return Particulars(queue=Queue(**facts))


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
