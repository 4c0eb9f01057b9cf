"""Canary secrets (L1): whatever goes wrong, no token and no secret address is in an exception, a log or a repr."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from providers import Provider, Seen, Trouble
from providers.browser import Browser, new_key
from providers.hook import SECRET
from providers.phones import NUMBER
from providers.push import USER
from siems.channels import Channel, Destination, Refused, TryLater, email, registry
from siems.channels.webpush import public_key
from siems.errors import InvalidField

from .conftest import Open, message, settings

KEY = new_key()
CANARY = "canary-4f1d"


class Wall(Provider):
    """Refuses everything, and repeats in its answer what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 500

    async def answer(self, seen: Seen):  # type: ignore[no-untyped-def]
        from aiohttp import web

        return web.Response(status=self.status, text="<html>internal</html>")


@pytest.fixture
def wall() -> Iterator[Wall]:
    with Wall() as made:
        yield made


def sections(url: str) -> dict[str, Any]:
    """Every secret of the settings is a canary."""
    return {
        "email": {"sender": "s@msp.example", "host": "127.0.0.1", "port": int(url.rpartition(":")[2]), "tls": "none",
                  "user": "siems", "password": CANARY},
        "sms": {"provider": "twilio", "sender": NUMBER}, "voice": {"sender": NUMBER},
        "twilio": {"account": "AC42", "token": CANARY, "url": url}, "slack": {"token": CANARY, "url": url},
        "ntfy": {"server": url, "token": CANARY}, "pushover": {"token": CANARY, "url": url},
        "webpush": {"private_key": KEY, "contact": "o@msp.example"},
        "webhooks": {"secret": SECRET, "allow": "127.0.0.1"},
    }  # fmt: skip


def destinations(url: str) -> dict[str, list[Destination]]:
    """For each channel an address, with the secret in it where addresses are secret."""
    secret = f"{url}/{CANARY}?token={CANARY}"
    with Browser(public_key(KEY)) as browser:
        subscription = browser.subscription.replace(browser.url, f"{url}/{CANARY}")
    return {
        "apprise": [Destination(address=secret.replace("http", "json", 1).partition("?")[0])],
        "email": [Destination(address="sarah@msp.example")],
        "ntfy": [Destination(address="topic"), Destination(address=secret, options={"token": CANARY})],
        "pushover": [Destination(address=USER)],
        "slack": [Destination(address="#acme"), Destination(address=secret)],
        "sms": [Destination(address="+4930123456")],
        "teams": [Destination(address=secret)],
        "voice": [Destination(address="+4930123456")],
        "webhook": [Destination(address=secret), Destination(address=secret, options={"secret": CANARY})],
        "webpush": [Destination(address=subscription)],
    }  # fmt: skip


def frames(error: BaseException) -> str:
    """All that a log could show of it: with everything it came from."""
    shown, seen = "", error
    while seen is not None:
        shown += repr(seen) + str(vars(seen)) + "".join(traceback.format_exception(seen))
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    return shown


def secrets() -> list[str]:
    return [CANARY, KEY, SECRET.removeprefix("whsec_")]


async def failing(channel: Channel, to: Destination) -> BaseException:
    with pytest.raises((Refused, TryLater)) as told:
        await channel.send(message(), to)
    return told.value


@pytest.mark.parametrize("name", list(registry))
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 302, 0])
async def test_no_failure_tells_a_secret(
    name: str, status: int, wall: Wall, opened: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(email, "PATIENCE", 0.5)  # for a greeting that a web server never gives
    wall.status = status or 500
    if not status:
        wall.then(*[Trouble(reset=True)] * 3)
    channel = opened(name, **sections(wall.url))
    for to in destinations(wall.url)[name]:
        said = frames(await failing(channel, to)) + caplog.text + repr(channel)
        assert [secret for secret in secrets() if secret in said] == []


@pytest.mark.parametrize("name", list(registry))
async def test_no_wrong_address_is_repeated_as_a_whole(name: str, wall: Wall, opened: Open) -> None:
    channel = opened(name, **sections(wall.url))
    for bad in (f"ftp://{CANARY}@x/", f"https://u:{CANARY}@x.example/", f"https://x.example:99999/{CANARY}"):
        with pytest.raises(InvalidField) as told:
            channel.check(bad, {})
        if name not in ("email", "sms", "voice"):  # there an address is no secret
            assert CANARY not in frames(told.value)


def test_settings_keep_their_secrets() -> None:
    made = settings(**sections("http://127.0.0.1:1"))
    for said in (repr(made), str(made), made.model_dump_json(), repr(made.model_dump())):
        assert [secret for secret in secrets() if secret in said] == []
