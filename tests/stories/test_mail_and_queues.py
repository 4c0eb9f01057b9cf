"""Alerts that come by mail, and alerts that are fetched from a queue of AWS, as people set both up and see them."""

from __future__ import annotations

import json
import re
import smtplib
import threading
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import pytest

from house import House, free_port, until

REGION = "eu-north-1"


# --- mail ------------------------------------------------------------------------------------------------------


@pytest.fixture
def post(prepared: Callable[..., House]) -> House:
    """A machine whose daemon listens for mail."""
    settings = {"ENABLED": "true", "PORT": str(free_port()), "DOMAIN": "alerts.msp.example"}
    return prepared(**{f"SIEMS_MAIL_INGEST_{name}": value for name, value in settings.items()}).up()


def mail(house: House, to: str, subject: str, text: str = "see above", **headers: str) -> None:
    """A message as a tool sends it. Raises SMTPException."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Nagios <nagios@mon.acme.example>", to, subject
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    with smtplib.SMTP("127.0.0.1", int(house.env["SIEMS_MAIL_INGEST_PORT"]), timeout=20) as link:
        link.send_message(letter)


def address_in(said: str) -> str:
    return next(line.split()[2] for line in said.splitlines() if line.startswith("  mail address"))


def test_a_tool_that_can_only_write_mail_reports_a_problem_and_its_end(post: House) -> None:
    acme = post.onboard("Acme Corp")
    said = post.run("integration", "add", "email", "--company", "acme").out
    to = address_in(said)
    assert re.fullmatch(r"acme-[a-z2-7]{20}@alerts\.msp\.example", to), to
    assert f"enter {to} as the recipient" in said

    mail(post, to, "** PROBLEM Service Alert: web01/HTTP is CRITICAL **", "Additional Info: no route")
    [incident] = post.incidents(acme)
    assert (incident["severity"], incident["assets"], incident["active_count"]) == ("CRITICAL", ["web01"], 1)
    mail(post, to, "** RECOVERY Service Alert: web01/HTTP is OK **")
    assert post.incidents(acme)[0]["active_count"] == 0

    shown = post.run("integration", "show", "int-acme-email-2").out
    assert "KEY@alerts.msp.example" in shown
    assert "600/min, burst 600, the company's" in shown
    assert "recovered   asset web01   signature HTTP" in shown
    assert to.partition("@")[0] not in shown
    assert "no route" in post.run("alert", "show", "ALR-1", "--raw").out
    assert "mail" in {check["name"] for check in post.json("doctor")["checks"]}


def test_rules_keep_the_noise_out_and_an_address_that_ended_takes_nothing(post: House) -> None:
    acme = post.onboard("Acme Corp")
    rules = [
        {"field": "subject", "pattern": "*weekly report*", "ignore": True},
        {"field": "from", "pattern": "mon.acme.example", "severity": "LOW", "asset": "the old monitor"},
    ]
    made = post.run("integration", "add", "email", "--company", "acme", "--rules-file", "-", text=json.dumps(rules)).out
    to = address_in(made)
    mail(post, to, "Weekly report: 3 failed jobs")
    mail(post, to, "Fan failure on rack-2")
    [incident] = post.incidents(acme)
    assert (incident["severity"], incident["assets"]) == ("LOW", ["the old monitor"])
    assert "subject: *weekly report* -> ignored" in post.run("integration", "show", "int-acme-email-2").out

    wrong = post.run("integration", "edit", "int-acme-email-2", "--rules-file", "-", text='[{"field": "x"}]', exit=2)
    assert "rule 1 needs a field and a pattern" in wrong.err

    post.run("integration", "revoke", "int-acme-email-2", "--confirm", "int-acme-email-2")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        mail(post, to, "Fan failure on rack-3")
    assert refused.value.recipients[to][0] == 550
    rejected = until(lambda: post.run("alert", "list", "--rejected").out)
    assert "revoked key" in rejected


def test_without_a_listener_people_are_told_what_is_missing(running: House) -> None:
    running.onboard("Acme Corp")
    said = running.run("integration", "add", "email", "--company", "acme").out
    assert "mail_ingest.enabled" in said


# --- queues ----------------------------------------------------------------------------------------------------


class Gate(BaseHTTPRequestHandler):
    """What lies between the daemon and AWS; closed, nothing can be deleted."""

    closed = threading.Event()
    asked = threading.Event()
    receipts: ClassVar[list[str]] = []
    behind = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "DeleteMessageBatch" in self.headers.get("X-Amz-Target", "") and self.closed.is_set():
            self.receipts.extend(entry["ReceiptHandle"] for entry in json.loads(body)["Entries"])
            self.asked.set()
            self.close_connection = True
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        with urllib.request.urlopen(urllib.request.Request(self.behind, body, headers), timeout=20) as answer:
            said = answer.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *said: Any) -> None:
        """Nothing."""


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of AWS on this machine."""
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    amazon = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    amazon.start()
    host, port = amazon.get_host_and_port()
    Gate.behind = f"http://{host}:{port}"
    Gate.closed.clear()
    front = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    thread = threading.Thread(target=front.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{front.server_address[1]}"
    finally:
        front.shutdown()
        front.server_close()
        amazon.stop()


def alarm(name: str, state: str = "ALARM") -> str:
    """What CloudWatch writes into a topic with raw delivery."""
    return json.dumps({
        "AlarmName": name, "NewStateValue": state, "NewStateReason": "Threshold Crossed",
        "AWSAccountId": "000000000042", "AlarmArn": f"arn:aws:cloudwatch:{REGION}:000000000042:alarm:{name}",
        "Trigger": {"MetricName": "CPU", "Dimensions": [{"name": "InstanceId", "value": "i-0feed42"}]},
    })  # fmt: skip


def test_alarms_are_fetched_from_a_queue_even_by_a_daemon_that_is_killed(
    prepared: Callable[..., House], gate: str
) -> None:
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=Gate.behind)
    url = sqs.create_queue(QueueName="story")["QueueUrl"].replace(Gate.behind, gate)
    house = prepared(
        SIEMS_AWS_ENDPOINT_URL=gate, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_EC2_METADATA_DISABLED="true"
    ).up()

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    house.onboard("Acme Corp")
    assert "which queue" in house.run("integration", "add", "sqs", "--company", "acme", exit=2).err
    said = house.run("integration", "add", "sqs", "--company", "acme", "--queue-url", url, "--region", REGION).out
    assert f"queue         {url}" in said
    sqs.send_message(QueueUrl=url, MessageBody=alarm("cpu-high"))
    until(lambda: left() == 0, seconds=30)
    [alert] = house.json("alert", "list")
    assert (alert["signature"], alert["asset_name"]) == ("cpu-high", "i-0feed42")
    assert alert["tool_source"] == "aws-cloudwatch"

    # it is killed after the alert is on disk and before the message is deleted
    Gate.closed.set()
    sqs.send_message(QueueUrl=url, MessageBody=alarm("disk-full"))
    assert Gate.asked.wait(30)
    house.kill()
    assert left() == 1
    Gate.closed.clear()
    for receipt in dict.fromkeys(Gate.receipts):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
    house.up()
    until(lambda: left() == 0, seconds=30)
    counts = {alert["signature"]: alert["count"] for alert in house.json("alert", "list")}
    assert counts == {"cpu-high": 1, "disk-full": 1}

    shown = house.run("integration", "show", "int-acme-sqs-2").out
    assert "as aws-cloudwatch, last asked" in shown

    # a queue that is gone is told wherever somebody looks
    sqs.delete_queue(QueueUrl=url)
    until(lambda: "failing" in house.run("integration", "list").out, seconds=30)
    doctor = house.run("doctor", exit=9).out
    assert "FAIL queues" in doctor
    assert "sqs:ReceiveMessage" in doctor
