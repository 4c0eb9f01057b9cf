"""Push to phones by ntfy: a topic of the server in the settings, or the URL of a topic on a server of one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from siems.channels import Accepted, Destination, Message, Refused
from siems.channels.calling import Call, Http, settle, word
from siems.channels.outward import Outward
from siems.channels.rendering import cut_bytes, one_line, plain, title
from siems.config import Settings
from siems.errors import InvalidField
from siems.vocabulary import Severity

PROVIDER = "ntfy"
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST = 3_800
"""Bytes; a longer message becomes an attachment."""
PRIORITY = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}


class Ntfy:
    """Options: `token` for a server of one's own; `allow_private`."""

    def __init__(self, settings: Settings) -> None:
        self._server = settings.ntfy.server.rstrip("/")
        self._token = settings.ntfy.token.get_secret_value()
        self._http = Http(PROVIDER)
        self._outward = Outward(settings.webhooks, PROVIDER)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        found = address.strip()
        if "://" in found:
            found = self._outward.check(found, options)
            _, topic = _split(found)
        else:
            topic = found
        if not TOPIC.fullmatch(topic):
            raise InvalidField(f"{one_line(topic, 60)!r} is no topic of ntfy", hint="a topic, or https://server/topic")
        return found

    async def send(self, message: Message, to: Destination) -> Accepted:
        own = "://" in to.address
        server, topic = _split(to.address) if own else (self._server, to.address)
        token = to.options.get("token", "") if own else self._token
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = json.dumps(body(message, topic), ensure_ascii=False).encode("utf-8", "replace")
        call = Call(url=server, content=content, headers=headers)
        reply = await (self._outward.post(call, to.options) if own else self._http.post(call))
        said = reply.json()
        settle(reply, PROVIDER, why=word(said.get("error", "")))
        if "id" not in said:
            raise Refused(f"{PROVIDER}: what answered is no ntfy")
        return Accepted(message_id=word(said["id"]))

    async def close(self) -> None:
        await self._http.close()
        await self._outward.close()


def body(message: Message, topic: str) -> dict[str, Any]:
    """What ntfy publishes; at most three buttons."""
    actions = [
        {"action": "view", "label": one_line(a.label, 40), "url": a.url, "clear": True} for a in message.answers[:3]
    ]
    made: dict[str, Any] = {
        "topic": topic, "title": title(message, 240), "message": cut_bytes(plain(message, longest=LONGEST), LONGEST),
        "priority": PRIORITY[message.severity] if message.pages else min(3, PRIORITY[message.severity]),
        "tags": [message.severity.name.lower()],
    }  # fmt: skip
    return made | ({"click": message.url} if message.url else {}) | ({"actions": actions} if actions else {})


def _split(url: str) -> tuple[str, str]:
    """(server, topic) of `https://server/topic`."""
    parsed = httpx.URL(url)
    path, _, topic = parsed.path.rstrip("/").rpartition("/")
    return str(parsed.copy_with(path=path or "/", query=None, fragment=None)), topic
