"""Microsoft Teams: an Adaptive Card to the URL of a workflow ("When a Teams webhook request is received")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from siems.channels import Accepted, Destination, Message
from siems.channels.calling import Call, Reply, settle
from siems.channels.outward import Outward
from siems.channels.rendering import body_lines, cut, members, one_line, title
from siems.config import Settings

PROVIDER = "Teams"
LONGEST = 24_000
"""Bytes of a whole request; Teams takes 28 KB."""
TEXT = 4_000
COLOUR = {"CRITICAL": "attention", "HIGH": "warning", "MEDIUM": "accent", "LOW": "default"}
_INSIDE = re.compile(rb"returned HTTP error (\d{3})")
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~<&])")


class Teams:
    """The URL of a workflow. Options: `allow_private`."""

    def __init__(self, settings: Settings) -> None:
        self._outward = Outward(settings.webhooks, PROVIDER)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        return self._outward.check(address, options)

    async def send(self, message: Message, to: Destination) -> Accepted:
        call = Call(url=to.address, content=_request(message), headers={"Content-Type": "application/json"})
        reply = await self._outward.post(call, to.options)
        settle(reply, PROVIDER)
        inside = _INSIDE.search(reply.body)
        if inside:  # it says no with 200
            settle(Reply(int(inside[1]), reply.headers), PROVIDER)
        return Accepted(message_id=reply.headers.get("x-ms-workflow-run-id", ""))

    async def close(self) -> None:
        await self._outward.close()


def _request(message: Message) -> bytes:
    """The request with as much text as goes into it."""
    for room in (TEXT, 1_000, 0):
        made = {"type": "message", "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": card(message, room)},
        ]}  # fmt: skip
        raw = json.dumps(made).encode()
        if len(raw) <= LONGEST:
            break
    return raw


def card(message: Message, room: int = TEXT) -> dict[str, Any]:
    """The Adaptive Card; foreign text is escaped, so that it neither links nor formats."""
    head = " ".join(filter(None, (message.severity.name, one_line(message.company, 60), one_line(message.object, 40))))
    body = [
        _block(head, color=COLOUR[message.severity.name], weight="bolder"),
        _block(one_line(message.subject), size="medium", weight="bolder"),
        *(_block(line) for line in members(message, 200 if room else 60)[:40]),
    ]
    told = cut("\n".join(body_lines(message)), room)
    body += [_block(line) for line in told.split("\n")[:40] if line]
    actions = [{"type": "Action.OpenUrl", "title": one_line(a.label, 40), "url": a.url} for a in message.answers[:5]]
    if message.url:
        actions.append({"type": "Action.OpenUrl", "title": "Open", "url": message.url})
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "fallbackText": title(message), "msteams": {"width": "Full"}, "body": body, "actions": actions,
    }  # fmt: skip


def _block(text: str, **looks: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": escaped(text), "wrap": True, **looks}


def escaped(text: str) -> str:
    """Text that the cards' markdown leaves as it is."""
    return _MARKS.sub(r"\\\1", text)
