"""The envelope of SNS: what is in it, and how its handshakes are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from siems.domain.sns import confirmable
from siems.errors import UsageError
from siems.sources import Headers, Read
from siems.sources.reading import Doc, as_text, header, parse
from siems.sources.shapes import documents


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that came by SNS, without its envelope."""

    text: str
    doc: Doc | None
    """The message as an object, when it is one."""
    subject: str = ""
    topic: str = ""
    """The topic's ARN."""
    id: str = ""
    at: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    through_sns: bool = True
    """False when the body came as it is, so that it need not be a message of SNS at all."""


def through_sns(body: bytes, headers: Headers, read: Callable[[Notice], Read]) -> Read:
    """What `read` finds in the messages of a body: in an envelope of SNS, in several as AWS Lambda gets them, or in
    the body itself (raw delivery, EventBridge). Handshakes are answered here."""
    raw = {name: header(headers, f"x-amz-sns-{name}") for name in ("rawdelivery", "topic-arn", "message-id")}
    if any(raw.values()) and body.strip() and body.lstrip()[:1] != b"{":  # raw delivery of plain text
        return read(Notice(as_text(body), None, topic=raw["topic-arn"], id=raw["message-id"]))
    docs = documents(body, headers)
    records = [record.doc("Sns") for doc in docs for record in doc.docs("Records") if record.has("Sns.Message")]
    reads = [_opened(doc, body, raw, read) for doc in records or docs]
    if len(reads) == 1 and not records:
        return reads[0]
    readings = tuple(reading for one in reads for reading in one.readings)
    remarks = tuple(remark for one in reads for remark in one.remarks)
    said = "" if readings or remarks else "; ".join(one.said for one in reads if one.said)
    return Read(readings, many=True, remarks=remarks, said=said)


def _opened(doc: Doc, body: bytes, raw: Mapping[str, str], read: Callable[[Notice], Read]) -> Read:
    kind = doc.first("Type")
    if doc.has("TopicArn") and kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return _handshake(doc, kind)
    if doc.has("TopicArn", "Message"):
        return read(_notice(doc))
    came = any(raw.values())
    return read(Notice(as_text(body), doc, topic=raw["topic-arn"], id=raw["message-id"], through_sns=came))


def _handshake(doc: Doc, kind: str) -> Read:
    topic, url = doc.first("TopicArn"), doc.first("SubscribeURL")
    if kind == "UnsubscribeConfirmation":
        return Read(said=f"unsubscribed from {topic}: nothing more will come of it")
    if not confirmable(url):
        return Read(said=f"SNS asks for a subscription to {topic} to be confirmed, but not at an address of SNS")
    return Read(said=f"SNS asks for the subscription to {topic} to be confirmed", confirm=url)


def _notice(envelope: Doc) -> Notice:
    said = envelope.at("Message")
    if isinstance(said, str):
        with suppress(UsageError):  # text that only looks like JSON stays text
            said = parse(said.encode("utf-8", "replace")) if said.lstrip()[:1] == "{" else said
    given = envelope.at("MessageAttributes")
    attributes = {
        name: Doc(value).first("Value")
        for name, value in (given.items() if isinstance(given, dict) else ())
        if isinstance(value, dict)
    }
    return Notice(
        envelope.first("Message"), Doc(said) if isinstance(said, dict) else None, envelope.first("Subject"),
        envelope.first("TopicArn"), envelope.first("MessageId"), envelope.first("Timestamp"), attributes,
    )  # fmt: skip
