"""A daemon that sends by Twilio and Slack, and what these say to it when people answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from providers.phones import ACCOUNT, NUMBER, TOKEN, Twilio
from providers.slack import TOKEN as BOT
from providers.slack import Slack
from siems.channels import slack_signature, twilio_signature
from siems.clock import ManualClock

from .house import House, Reply, open_house, until

PUBLIC = "https://siems.msp.example"
MARIA, NINA = "+4930111111", "+4930222222"
SIGNING = "canary-signing-secret"


def alert(asset: str, **more: Any) -> dict[str, Any]:
    return {
        "asset_name": asset, "signature": f"down_{asset}", "severity": "high", "message": "down", "tool_source": "X",
    } | more  # fmt: skip


class Answering:
    """What a test does: people with numbers, messages that go out, answers that come in."""

    def __init__(self, house: House, twilio: Twilio, slack: Slack) -> None:
        self.house, self.twilio, self.slack = house, twilio, slack
        self._sid = 0

    async def reached(self, user: str, channel: str = "sms", address: str = MARIA, **more: Any) -> dict[str, Any]:
        """A person with a contact and a rule for everything."""
        ask = {"user": user, "channel": channel, "address": address} | more
        reply = await self.house.ask("root", "POST", "/notify/rules", ask)
        assert reply.status == 201, reply
        return dict(reply.json())

    async def settled(self, count: int = 1) -> None:
        """Until so many messages have left."""

        async def look() -> bool:
            items = (await self.house.ask("root", "GET", "/messages")).json()["items"]
            return sum(item["state"] == "sent" for item in items) >= count

        await until(look)

    # --- Twilio ------------------------------------------------------------------------------------------------

    async def posts(self, path: str, fields: dict[str, str], *, token: str = TOKEN, signed: str = PUBLIC) -> Reply:
        """As Twilio posts it."""
        pairs = sorted(fields.items())
        given = twilio_signature.signature(token, signed + path, pairs)
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("X-Twilio-Signature", given)]
        return await self.house.send("POST", path, headers, urlencode(pairs).encode())

    async def texts(self, body: str, number: str = MARIA, *, sid: str = "", **how: Any) -> str:
        """A text message of somebody; what it is answered with."""
        self._sid += 1
        fields = {"From": number, "To": NUMBER, "Body": body, "MessageSid": sid or f"SM{self._sid}"}
        reply = await self.posts("/api/twilio/sms", fields, **how)
        assert reply.status == 200, reply
        assert reply.headers["content-type"].startswith("text/xml")
        return ElementTree.fromstring(reply.body).findtext("Message") or ""

    async def keys(self, digits: str, path: str, *, sid: str = "CA1") -> ElementTree.Element:
        """A key pressed in a call."""
        reply = await self.posts(path, {"CallSid": sid, "Digits": digits, "From": NUMBER, "To": MARIA})
        assert reply.status == 200, reply
        return ElementTree.fromstring(reply.body)

    def gather(self, place: int = -1) -> str:
        """Where the keys of a call go."""
        [found] = ElementTree.fromstring(self.twilio.calls[place][1]).findall("Gather")
        return str(found.get("action")).removeprefix(PUBLIC)

    # --- Slack -------------------------------------------------------------------------------------------------

    async def presses(
        self, action: str, member: str = "U0SARAH01", *, at: str = "1.1", secret: str = SIGNING, url: str = "",
        message: Any = None,
    ) -> Reply:  # fmt: skip
        payload = {
            "type": "block_actions", "user": {"id": member}, "response_url": url or f"{self.slack.url}/actions/1",
            "actions": [{"action_id": action, "action_ts": at}],
            "message": message if message is not None else next(iter(self.slack.messages.values()), {}),
        }  # fmt: skip
        body = urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(self.house.clock.now().timestamp()))
        given = slack_signature.signature(secret, stamp, body)
        headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", given)]
        return await self.house.send("POST", "/api/slack/actions", headers, body)

    def said(self) -> dict[str, Any]:
        """What Slack was told last."""
        return self.slack.responses[-1]

    # --- what became of it -------------------------------------------------------------------------------------

    async def incident(self, ref: str = "INC-1") -> dict[str, Any]:
        return dict((await self.house.ask("root", "GET", f"/incidents/{ref}")).json()["incident"])

    async def states(self, refs: Iterable[str]) -> list[bool]:
        """Which are acknowledged."""
        return [(await self.incident(ref))["acknowledged_at"] is not None for ref in refs]

    async def audit(self, ref: str, action: str) -> list[tuple[str, str, str]]:
        """(actor, via, reason) of each."""
        entries = (await self.house.ask("root", "GET", f"/audit?object={ref}")).json()["items"]
        return [(e["actor"], e["via"], e["reason"]) for e in entries if e["action"] == action]


@asynccontextmanager
async def open_answering(url: str, clock: ManualClock, **more: Any) -> AsyncIterator[Answering]:
    """maria works for Acme, nina for Beta."""
    with Twilio() as twilio, Slack() as slack:
        sections = {
            "sms": {"provider": "twilio", "sender": NUMBER}, "voice": {"sender": NUMBER},
            "twilio": {"account": ACCOUNT, "token": TOKEN, "url": twilio.url},
            "slack": {"token": BOT, "signing_secret": SIGNING, "url": slack.url},
        } | more  # fmt: skip
        async with open_house(url, clock, sections=sections, public_url=PUBLIC) as house:
            from siems.vocabulary import Role

            await house.hire("maria", Role.TECHNICIAN, "comp-acme")
            await house.hire("nina", Role.TECHNICIAN, "comp-beta")
            yield Answering(house, twilio, slack)
