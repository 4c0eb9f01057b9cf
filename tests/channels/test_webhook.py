"""Signed webhooks: what a receiver sees and can check, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers import Trouble
from providers.hook import SECRET, Receiver
from siems.channels import Accepted, Destination, Refused, TryLater
from siems.domain.signature import verify
from siems.errors import InvalidField

from .conftest import HOSTILE, Open, bundle, message

SECTIONS = {"webhooks": {"secret": SECRET, "allow": "127.0.0.1"}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


async def test_the_message_comes_as_json_with_all_that_is_in_it(receiver: Receiver, opened: Open) -> None:
    accepted = await opened("webhook", **SECTIONS).send(message(), Destination(address=receiver.url))
    sent = receiver.taken[0]
    assert accepted == Accepted(message_id=sent.headers["webhook-id"])
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.json["type"] == "incident.opened"
    data = sent.json["data"]
    assert (data["severity"], data["company_id"], data["object"]) == ("CRITICAL", "comp-acme", "INC-42")
    assert data["answers"][0] == {
        "verb": "ack", "label": "Acknowledge", "url": "https://siems.example/a/ack-token",
    }  # fmt: skip
    assert data["text"] == "CPU at 95% for 10 minutes\nSeen by Datadog"


async def test_siems_itself_would_let_it_in(receiver: Receiver, opened: Open) -> None:
    from datetime import UTC, datetime

    from multidict import CIMultiDict

    await opened("webhook", **SECTIONS).send(bundle(3), Destination(address=receiver.url))
    sent = receiver.taken[0]
    at = datetime.fromtimestamp(int(sent.headers["webhook-timestamp"]), UTC)
    headers = CIMultiDict(sent.headers)
    assert verify(headers, sent.body, SECRET, now=at, tolerance=1) is None
    assert verify(headers, sent.body + b" ", SECRET, now=at, tolerance=1) is not None


async def test_the_same_key_is_the_same_delivery(receiver: Receiver, opened: Open) -> None:
    channel = opened("webhook", **SECTIONS)
    for key in ("a.b:c", "a.b:c", "a.b:d"):
        await channel.send(message(key=key), Destination(address=receiver.url))
    assert (len(receiver.seen), len(receiver.taken)) == (3, 2)
    assert all("." not in seen.headers["webhook-id"] for seen in receiver.seen)


async def test_a_secret_of_the_contact_goes_before_that_of_the_settings(receiver: Receiver, opened: Open) -> None:
    receiver.secret = "whsec_" + "QUJD" * 8
    await opened("webhook", **SECTIONS).send(
        message(), Destination(address=receiver.url, options={"secret": receiver.secret})
    )
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("secret", ["", "whsec_", "short", "whsec_not base64!", "whsec_QUJD"])
async def test_nothing_is_sent_unsigned(secret: str, receiver: Receiver, opened: Open) -> None:
    channel = opened("webhook", webhooks={"allow": "127.0.0.1"})
    with pytest.raises(InvalidField, match="secret"):
        channel.check(receiver.url, {"secret": secret})
    with pytest.raises(Refused, match="secret"):
        await channel.send(message(), Destination(address=receiver.url, options={"secret": secret}))
    assert not receiver.seen


@pytest.mark.parametrize(
    ("status", "header", "kind", "wait"),
    [
        (400, "", Refused, None), (401, "", Refused, None), (404, "", Refused, None), (410, "", Refused, None),
        (408, "", TryLater, None), (425, "", TryLater, None), (429, "7", TryLater, 7.0),
        (429, "99999999", TryLater, 3600.0), (429, "-5", TryLater, 0.0), (429, "nan", TryLater, None),
        (500, "", TryLater, None), (503, "soon", TryLater, None),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", TryLater, 0.0), (504, "12.5", TryLater, 12.5),
    ],
)  # fmt: skip
async def test_what_answers_mean(
    status: int, header: str, kind: type[Exception], wait: float | None, receiver: Receiver, opened: Open
) -> None:
    receiver.then(Trouble(status=status, headers={"Retry-After": header} if header else {}))
    with pytest.raises(kind, match=str(status)) as told:
        await opened("webhook", **SECTIONS).send(message(), Destination(address=receiver.url))
    assert getattr(told.value, "retry_after", None) == wait


async def test_hostile_text_stays_text(receiver: Receiver, opened: Open) -> None:
    await opened("webhook", **SECTIONS).send(message(subject=HOSTILE, text=HOSTILE), Destination(address=receiver.url))
    said = receiver.taken[0].body.decode()
    assert not any(bad in said for bad in ("\x1b", "\\u001b", "\x07", "\x9b", "\u202e", "\u200b", "\x00", "\\u0000"))
