"""Signed webhooks: the message as JSON to any address, signed as Standard Webhooks says."""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from siems.channels import Accepted, Destination, Message, Refused
from siems.channels.calling import Call, now, settle
from siems.channels.outward import Outward
from siems.channels.rendering import body_lines, members, one_line
from siems.clock import rfc3339
from siems.config import Settings
from siems.errors import InvalidField
from siems.outward import Resolve

PROVIDER = "the webhook"
SHORTEST_SECRET = 16
"""Bytes, once decoded."""


class Webhook:
    """Options: `secret` (whsec_…), else that of the settings; `allow_private`."""

    def __init__(self, settings: Settings, *, resolve: Resolve | None = None) -> None:
        self._secret = settings.webhooks.secret.get_secret_value()
        self._outward = Outward(settings.webhooks, PROVIDER, resolve=resolve)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        _key(options.get("secret", "") or self._secret)
        return self._outward.check(address, options)

    async def send(self, message: Message, to: Destination) -> Accepted:
        try:
            key = _key(to.options.get("secret", "") or self._secret)
        except InvalidField as why:
            raise Refused(f"{PROVIDER}: {why.message}") from None
        at, delivery = now(), webhook_id(message.key)
        content = json.dumps(body(message) | {"timestamp": rfc3339(at)}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **signed(delivery, int(at.timestamp()), content, key)}
        reply = await self._outward.post(Call(url=to.address, content=content, headers=headers), to.options)
        settle(reply, PROVIDER)
        return Accepted(message_id=delivery)

    async def close(self) -> None:
        await self._outward.close()


def webhook_id(key: str) -> str:
    """The same at every try, and without the full stop that the signature is joined with."""
    return f"msg_{sha256(key.encode()).hexdigest()[:32]}"


def signed(delivery: str, seconds: int, content: bytes, key: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    mac = hmac.digest(key, f"{delivery}.{seconds}.".encode() + content, "sha256")
    return {
        "webhook-id": delivery, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }  # fmt: skip


def body(message: Message) -> dict[str, Any]:
    """What is sent: `type` is the event, `data` the message."""
    return {
        "type": message.event,
        "data": {
            "key": message.key, "severity": message.severity.name, "company": one_line(message.company),
            "company_id": message.company_id, "object": message.object, "subject": one_line(message.subject),
            "text": "\n".join(body_lines(message)), "lines": members(message), "url": message.url,
            "answers": [{"verb": a.verb, "label": a.label, "url": a.url} for a in message.answers],
            "thread": message.thread, "pages": message.pages,
        },
    }  # fmt: skip


def _key(secret: str) -> bytes:
    if not secret:
        raise InvalidField("a webhook needs a secret to sign with", hint="secret=whsec_… , or secret in [webhooks]")
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_SECRET:
        raise InvalidField("the secret is none of Standard Webhooks", hint="whsec_ and 24 to 64 bytes in base64")
    return key
