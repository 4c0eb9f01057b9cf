"""Push to browsers, against one that decrypts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from providers import RESET, Trouble
from providers.browser import Browser, new_key
from siems.channels import Destination, Refused, TryLater, registry
from siems.channels.webpush import public_key
from siems.errors import InvalidField, UsageError

from .conftest import HOSTILE, Open, bundle, message, settings

KEY = new_key()
SECTIONS: dict[str, Any] = {
    "webpush": {"private_key": KEY, "contact": "ops@msp.example"}, "webhooks": {"allow": "127.0.0.1"},
}  # fmt: skip


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(public_key(KEY)) as made:
        yield made


async def test_the_browser_reads_what_nobody_between_can(browser: Browser, opened: Open) -> None:
    channel = opened("webpush", **SECTIONS)
    address = channel.check(browser.subscription, {})
    assert (await channel.send(message(), Destination(address=address))).message_id == "1"
    [sent] = browser.taken
    shown = browser.shown(sent)
    assert shown["title"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert [action["action"] for action in shown["actions"]] == ["ack", "resolve"]
    assert b"Acme" not in sent.body
    assert (sent.headers["Urgency"], len(sent.headers["Topic"])) == ("high", 32)


async def test_whatever_is_in_it_it_is_small_enough(browser: Browser, opened: Open) -> None:
    huge = bundle(99, subject="€" * 5_000, text=HOSTILE * 500, url="https://siems.example/" + "x" * 2_000)
    await opened("webpush", **SECTIONS).send(huge, Destination(address=browser.subscription))
    assert len(browser.taken) == 1


async def test_who_has_left_is_not_tried_again(browser: Browser, opened: Open) -> None:
    browser.gone = True
    with pytest.raises(Refused, match="over") as told:
        await opened("webpush", **SECTIONS).send(message(), Destination(address=browser.subscription))
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(Trouble(status=429, headers={"Retry-After": "9"}), TryLater), (Trouble(status=413), Refused),
     (Trouble(status=502), TryLater), (RESET, TryLater)],
)  # fmt: skip
async def test_what_push_services_answer(
    trouble: Trouble, kind: type[Exception], browser: Browser, opened: Open
) -> None:
    browser.then(trouble)
    with pytest.raises(kind):
        await opened("webpush", **SECTIONS).send(message(), Destination(address=browser.subscription))


async def test_another_key_is_not_taken(browser: Browser, opened: Open) -> None:
    other = SECTIONS | {"webpush": {"private_key": new_key(), "contact": "ops@msp.example"}}
    with pytest.raises(Refused, match="403"):
        await opened("webpush", **other).send(message(), Destination(address=browser.subscription))


async def test_an_endpoint_inside_is_not_called(browser: Browser, opened: Open) -> None:
    channel = opened("webpush", webpush=SECTIONS["webpush"])
    with pytest.raises(InvalidField, match="this machine"):
        channel.check(browser.subscription, {})
    with pytest.raises(Refused, match="this machine"):
        await channel.send(message(), Destination(address=browser.subscription))
    assert not browser.seen


@pytest.mark.parametrize(
    "bad",
    ["", "x", "[]", "{}", '{"endpoint": "https://push.example/x"}',
     '{"endpoint": 5, "keys": {"p256dh": "", "auth": ""}}',
     '{"endpoint": "https://p.example/", "keys": {"p256dh": "QUJD", "auth": "QUJD"}}', "[" * 5_000],
)  # fmt: skip
async def test_what_is_no_subscription(bad: str, opened: Open) -> None:
    channel = opened("webpush", **SECTIONS)
    with pytest.raises(InvalidField):
        channel.check(bad, {})
    with pytest.raises(Refused):
        await channel.send(message(), Destination(address=bad))


async def test_only_what_is_needed_of_a_subscription_is_kept(browser: Browser, opened: Open) -> None:
    kept = json.loads(opened("webpush", **SECTIONS).check(browser.subscription, {}))
    assert sorted(kept) == ["endpoint", "keys"]


async def test_a_notification_says_nothing_twice_and_holds_no_links(browser: Browser, opened: Open) -> None:
    told = message(subject="disk full", text="disk full\n\nINC-42 CRITICAL OPEN\non: web-01")
    await opened("webpush", **SECTIONS).send(told, Destination(address=browser.subscription))
    assert browser.shown(browser.taken[0])["body"] == "INC-42 CRITICAL OPEN\non: web-01"


@pytest.mark.parametrize(
    ("sections", "said"),
    [({"webpush": {"contact": "mailto:ops@msp.example"}}, "mailto:ops@msp.example"),
     ({"webpush": {"contact": "https://msp.example/who"}}, "https://msp.example/who"),
     ({"email": {"sender": "Siems <siems@msp.example>"}}, "mailto:siems@msp.example"),
     ({"server": {"public_url": "https://siems.msp.example"}}, "https://siems.msp.example")],
)  # fmt: skip
async def test_whom_a_push_service_may_ask(sections: dict[str, Any], said: str, browser: Browser, opened: Open) -> None:
    given = {"webhooks": SECTIONS["webhooks"], **sections}
    given["webpush"] = {"private_key": KEY, **sections.get("webpush", {})}
    await opened("webpush", **given).send(message(), Destination(address=browser.subscription))
    token = browser.taken[0].headers["Authorization"].partition("t=")[2].partition(",")[0]
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == said


def test_nobody_to_ask_is_said_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="contact is not set"):
        registry.get("webpush")(settings(webpush={"private_key": KEY}))


@pytest.mark.parametrize("key", ["", "canary-no-key", "QUJD"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(UsageError, match="private_key") as told:
        registry.get("webpush")(settings(webpush={"private_key": key}))
    assert "canary" not in str(told.value)
