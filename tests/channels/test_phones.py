"""Text messages and calls: what arrives, what is never cut, what providers may answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import RESET, Trouble
from providers.amazon import REGION, Amazon
from providers.phones import ACCOUNT, LIMIT, NUMBER, TOKEN, Twilio
from siems.channels import Destination, Refused, TryLater, registry
from siems.channels.gsm import gsm, segments, septets, text_message
from siems.channels.voice import KEYS_PATH, script, thanks, twiml
from siems.errors import InvalidField, UsageError

from .conftest import HOSTILE, Open, bundle, message, settings

JOHN = Destination(address="+4930123456")


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as made:
        yield made


def by(twilio: Twilio, token: str = TOKEN, **more: Any) -> dict[str, Any]:
    return {
        "sms": {"provider": "twilio", "sender": NUMBER} | more, "voice": {"sender": NUMBER},
        "twilio": {"account": ACCOUNT, "token": token, "url": twilio.url},
        "server": {"public_url": "https://siems.example"},
    }  # fmt: skip


async def test_a_text_message_says_what_where_and_how_to_answer(twilio: Twilio, opened: Open) -> None:
    accepted = await opened("sms", **by(twilio)).send(message(), JOHN)
    assert accepted.message_id.startswith("SM")
    assert twilio.texts == [("+4930123456",
        "CRITICAL Acme: INC-42 High CPU usage on web-01\nhttps://siems.example/i/42\n"
        "Reply 12a to ack, 12r TEXT to resolve")]  # fmt: skip


async def test_a_messaging_service_sends_as_itself(twilio: Twilio, opened: Open) -> None:
    await opened("sms", **by(twilio, sender="MG" + "0" * 32)).send(message(), JOHN)
    assert twilio.taken[0].form["MessagingServiceSid"] == "MG" + "0" * 32
    assert "From" not in twilio.taken[0].form


@given(st.text(), st.text(), st.text(), st.integers(1, 9999))
def test_whatever_is_in_it_two_segments_and_the_reply_stays(
    subject: str, company: str, thing: str, number: int
) -> None:
    text = text_message(message(subject=subject, company=company, object=thing, reply=str(number)))
    assert gsm(text) == text
    assert segments(text) <= 2
    assert text.endswith(f"Reply {number}a to ack, {number}r TEXT to resolve")
    assert "https://siems.example/i/42" in text


@given(st.integers(1, 20), st.text(max_size=80))
def test_no_number_of_a_bundle_is_cut(count: int, tail: str) -> None:
    lines = tuple(f"{n} INC-{40 + n} CRITICAL: disk full {tail}" for n in range(1, count + 1))
    text = text_message(bundle(count, lines=lines))
    assert segments(text) <= 2
    assert text.endswith("Reply B7a to ack all")
    said = text.split("\n")
    assert all(any(line.startswith(f"{n} INC-{40 + n}") for line in said) for n in range(1, count + 1))


def test_what_is_too_much_is_counted() -> None:
    text = text_message(bundle(100))
    assert segments(text) == 2
    assert " more: see the inbox" in text


def test_letters_that_phones_have_not_become_ones_that_look_alike() -> None:
    assert gsm("Ça va – “naïve” Łódź … 温度") == 'Ça va - "naive" Lodz ... ??'
    assert septets("a€[") == 5
    assert (segments("a" * 160), segments("a" * 161), segments("€" * 80), segments("€" * 81)) == (1, 2, 1, 2)


@pytest.mark.parametrize("channel", ["sms", "voice"])
@pytest.mark.parametrize(
    ("trouble", "kind", "wait"),
    [
        (LIMIT, TryLater, 3.0), (Trouble(status=503), TryLater, None),
        (Trouble(status=500, body="<html>"), TryLater, None),
        (RESET, TryLater, None), (Trouble(status=404, body={"code": 20404}), Refused, None),
        (Trouble(status=400, body={"code": 14107, "message": "queue"}), TryLater, None),
        (Trouble(status=201, body={"sid": "x", "status": "failed", "error_code": 30007}), Refused, None),
    ],
)  # fmt: skip
async def test_what_twilio_answers(
    channel: str, trouble: Trouble, kind: type[Exception], wait: float | None, twilio: Twilio, opened: Open
) -> None:
    twilio.then(trouble)
    with pytest.raises(kind, match="Twilio") as told:
        await opened(channel, **by(twilio)).send(message(), JOHN)
    assert getattr(told.value, "retry_after", None) == wait


async def test_a_number_without_text_messages_and_a_wrong_token_are_refused(twilio: Twilio, opened: Open) -> None:
    twilio.landlines.add(JOHN.address)
    with pytest.raises(Refused, match="21614"):
        await opened("sms", **by(twilio)).send(message(), JOHN)
    with pytest.raises(Refused, match="20003") as told:
        await opened("sms", **by(twilio, token="canary-wrong")).send(message(), JOHN)
    assert "canary" not in str(told.value)
    assert not twilio.taken


@pytest.mark.parametrize(
    ("given", "kept"),
    [("+49 30 123456", "+4930123456"), ("0049 (30) 123-456", "+4930123456"), ("+1.500.555.0006", "+15005550006")],
)
@pytest.mark.parametrize("channel", ["sms", "voice"])
async def test_numbers_have_one_form(channel: str, given: str, kept: str, twilio: Twilio, opened: Open) -> None:
    assert opened(channel, **by(twilio)).check(given, {}) == kept


@pytest.mark.parametrize("bad", ["", "030 123456", "+0 30", "+49", "sarah", "+4930123456;ext=1", "+" + "1" * 20])
async def test_what_is_no_number(bad: str, twilio: Twilio, opened: Open) -> None:
    with pytest.raises(InvalidField, match="telephone"):
        opened("sms", **by(twilio)).check(bad, {})


# --- calls -----------------------------------------------------------------------------------------------------


async def test_a_call_reads_the_incident_out_and_takes_keys(twilio: Twilio, opened: Open) -> None:
    await opened("voice", **by(twilio)).send(message(), JOHN)
    [(number, spoken)] = twilio.calls
    assert number == JOHN.address
    gather = ElementTree.fromstring(spoken).find("Gather")
    assert gather is not None
    assert gather.get("action") == f"https://siems.example{KEYS_PATH}?reply=12&key=ev-1%3Arule-1%3Auser-john%3Aemail"
    words = [say.text for say in gather]
    assert words[0] == "Critical page for Acme. INC 42. High CPU usage on web 01."
    assert words[1] == "Press 4 to acknowledge, 6 to escalate. "
    assert words == words[:2] * 2


def test_what_cannot_be_answered_is_only_read_out() -> None:
    assert ElementTree.fromstring(twiml(message(reply=""), answer_url="https://x/")).find("Gather") is None


@given(st.text(), st.text(), st.lists(st.text(), max_size=30))
def test_whatever_is_in_it_the_call_is_well_formed_and_short_enough(
    subject: str, company: str, lines: list[str]
) -> None:
    made = message(subject=subject + HOSTILE, company=company, lines=tuple(lines))
    document = twiml(made, answer_url="https://siems.example/k")
    assert {node.tag for node in ElementTree.fromstring(document).iter()} <= {"Response", "Gather", "Say", "Pause"}
    assert len(document) <= 4_000


def test_a_bundle_is_read_out_by_its_numbers() -> None:
    assert "1 INC 41 CRITICAL: disk full on host 01. 2 INC 42" in script(bundle(2))
    assert "Taken by Sarah" in thanks("Taken by Sarah <&>")
    ElementTree.fromstring(thanks("<&>"))


@pytest.mark.parametrize(
    ("name", "sections", "missing"),
    [
        ("sms", {}, "provider"), ("sms", {"sms": {"provider": "twilio"}}, "sender"),
        ("sms", {"sms": {"provider": "twilio", "sender": NUMBER}}, "account"), ("voice", {}, "sender"),
        ("voice", {"voice": {"sender": NUMBER}, "twilio": {"account": ACCOUNT}}, "token"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(name: str, sections: dict[str, Any], missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        registry.get(name)(settings(**sections))


# --- Amazon ----------------------------------------------------------------------------------------------------


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    with Amazon() as made:
        yield made


async def test_sns_takes_text_messages_and_says_no_and_later(amazon: Amazon, opened: Open) -> None:
    sections = {"sms": {"provider": "sns", "sender": "siems"}, "aws": {"endpoint_url": amazon.url, "regions": REGION}}
    channel = opened("sms", **sections)
    assert (await channel.send(message(), JOHN)).message_id
    assert amazon.texts == [(JOHN.address, text_message(message()))]
    for trouble, kind in (((400, "Throttled"), Refused), ((400, "Throttling"), TryLater), ((500, "x"), TryLater)):
        amazon.then(trouble)
        with pytest.raises(kind) as told:
            await channel.send(message(), JOHN)
        assert "canary" not in str(told.value)
