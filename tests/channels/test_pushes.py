"""Push to phones: ntfy and Pushover."""

from __future__ import annotations

from typing import Any

import pytest

from providers import RESET, Trouble
from providers.push import USER, Ntfy, Pushover
from siems.channels import Destination, Refused, TryLater, registry
from siems.errors import InvalidField, UsageError
from siems.vocabulary import Severity

from .conftest import HOSTILE, Open, bundle, message, settings


async def test_ntfy_gets_priority_text_and_buttons(opened: Open) -> None:
    with Ntfy(token="tk_canary") as ntfy:
        channel = opened("ntfy", ntfy={"server": ntfy.url, "token": "tk_canary"})
        accepted = await channel.send(message(), Destination(address="acme-oncall"))
        assert accepted.message_id == "n1"
        body = ntfy.taken[0].json
    assert (body["topic"], body["priority"], body["click"]) == ("acme-oncall", 5, "https://siems.example/i/42")
    assert body["title"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert [action["label"] for action in body["actions"]] == ["Acknowledge", "Resolve"]


async def test_only_pages_make_a_noise(opened: Open) -> None:
    with Ntfy() as ntfy:
        channel = opened("ntfy", ntfy={"server": ntfy.url})
        for severity in Severity:
            for pages in (True, False):
                await channel.send(message(severity=severity, pages=pages), Destination(address="t"))
        assert [seen.json["priority"] for seen in ntfy.taken] == [2, 2, 3, 3, 4, 3, 5, 3]


async def test_a_server_of_ones_own_does_not_get_the_token_of_the_settings(opened: Open) -> None:
    with Ntfy(token="tk_own") as ntfy:
        channel = opened("ntfy", ntfy={"token": "tk_canary"}, webhooks={"allow": "127.0.0.1"})
        address = channel.check(f"{ntfy.url}/deep/path/oncall", {})
        with pytest.raises(Refused, match="forbidden"):
            await channel.send(message(), Destination(address=address))
        assert "Authorization" not in ntfy.seen[0].headers
        await channel.send(message(), Destination(address=address, options={"token": "tk_own"}))
        assert (ntfy.taken[0].path, ntfy.taken[0].json["topic"]) == ("/deep/path", "oncall")


async def test_ntfy_on_this_machine_is_not_called(opened: Open) -> None:
    with Ntfy() as ntfy:
        channel = opened("ntfy")
        with pytest.raises(InvalidField, match="this machine"):
            channel.check(f"{ntfy.url}/oncall", {})
        with pytest.raises(Refused, match="this machine"):
            await channel.send(message(), Destination(address=f"{ntfy.url}/oncall"))
        assert not ntfy.seen


@pytest.mark.parametrize("bad", ["", "a b", "a/b", "ä", "t" * 65, "https://ntfy.example/", "https://ntfy.example/a b"])
async def test_what_is_no_topic(bad: str, opened: Open) -> None:
    with pytest.raises(InvalidField):
        opened("ntfy").check(bad, {})


def pushover(server: Pushover, token: str = "pushover-canary-token") -> dict[str, Any]:
    return {"pushover": {"token": token, "url": server.url}}


async def test_pushover_gets_what_it_takes(opened: Open) -> None:
    with Pushover() as server:
        channel = opened("pushover", **pushover(server))
        to = Destination(address=USER, options={"device": "phone"})
        assert (await channel.send(message(), to)).message_id == "req-1"
        await channel.send(bundle(50, subject=HOSTILE * 20, text=HOSTILE * 99, pages=False), to)
        form, huge = (seen.form for seen in server.taken)
    assert (form["priority"], form["device"], form["url"]) == ("2", "phone", "https://siems.example/i/42")
    assert form["title"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert huge["priority"] == "0"


async def test_only_critical_pages_ring_until_they_are_answered(opened: Open) -> None:
    with Pushover() as server:
        channel = opened("pushover", **pushover(server))
        for severity in Severity:
            for pages in (True, False):
                await channel.send(message(severity=severity, pages=pages), Destination(address=USER))
        forms = [seen.form for seen in server.taken]
    assert [form["priority"] for form in forms] == ["1", "-1", "1", "0", "1", "0", "2", "0"]
    assert [("retry" in form, "expire" in form) for form in forms].count((True, True)) == 1
    assert 30 <= int(forms[6]["retry"]) < int(forms[6]["expire"]) <= 10_800  # what the API allows


async def test_pushover_says_no(opened: Open) -> None:
    with Pushover() as server:
        with pytest.raises(Refused, match="application token is invalid") as told:
            await opened("pushover", **pushover(server, "canary-wrong")).send(message(), Destination(address=USER))
        assert "canary" not in str(told.value)
        with pytest.raises(Refused, match="user identifier"):
            await opened("pushover", **pushover(server)).send(message(), Destination(address="x" * 30))


@pytest.mark.parametrize(
    ("trouble", "kind", "wait"),
    [
        (Trouble(status=429, headers={"Retry-After": "60"}), TryLater, 60.0), (Trouble(status=500), TryLater, None),
        (Trouble(status=200, body={"status": 0, "errors": ["no"]}), Refused, None), (RESET, TryLater, None),
        (Trouble(status=200, body="<html>"), Refused, None),
    ],
)  # fmt: skip
async def test_what_pushover_answers(trouble: Trouble, kind: type[Exception], wait: float | None, opened: Open) -> None:
    with Pushover() as server:
        server.then(trouble)
        with pytest.raises(kind) as told:
            await opened("pushover", **pushover(server)).send(message(), Destination(address=USER))
    assert getattr(told.value, "retry_after", None) == wait


async def test_keys_of_pushover_are_looked_at(opened: Open) -> None:
    with Pushover() as server:
        channel = opened("pushover", **pushover(server))
        assert channel.check(f" {USER} ", {}) == USER
        for bad, options in (("short", {}), (USER, {"device": "a b"})):
            with pytest.raises(InvalidField):
                channel.check(bad, options)


def test_pushover_without_a_token() -> None:
    with pytest.raises(UsageError, match="token"):
        registry.get("pushover")(settings())
