"""Somebody's own receiver of signed webhooks: it checks the signature as Standard Webhooks says."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode

from aiohttp import web

from . import Provider, Seen

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes, ok").decode()


class Receiver(Provider):
    """Takes what is signed with `secret`; repeats (the same webhook-id) are answered and not taken again."""

    def __init__(self, secret: str = SECRET) -> None:
        super().__init__()
        self.secret = secret
        self.ids: set[str] = set()

    async def answer(self, seen: Seen) -> web.Response:
        delivery, at = seen.headers.get("webhook-id", ""), seen.headers.get("webhook-timestamp", "")
        key = b64decode(self.secret.removeprefix("whsec_"))
        wanted = hmac.digest(key, f"{delivery}.{at}.".encode() + seen.body, "sha256")
        if seen.headers.get("webhook-signature") != f"v1,{b64encode(wanted).decode()}":
            return web.Response(status=401)
        if delivery not in self.ids:
            self.ids.add(delivery)
            self.take(seen)
        return web.Response(status=204)
