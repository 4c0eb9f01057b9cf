"""A browser that has subscribed, with its push service: it checks who sends (VAPID) and decrypts."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import Provider, Seen


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_key() -> str:
    """A private key of VAPID."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return encoded(number.to_bytes(32, "big"))


class Browser(Provider):
    """Takes what comes from the holder of the key that it subscribed to; `gone` once the user has left."""

    def __init__(self, server_key: str) -> None:
        super().__init__()
        self.server_key = server_key
        self.gone = False
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def subscription(self) -> str:
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": encoded(point), "auth": encoded(self._auth)}
        return json.dumps({"endpoint": f"{self.url}/push/canary-subscription", "expirationTime": None, "keys": keys})

    def shown(self, seen: Seen) -> Any:
        """What the service worker is given."""
        plain = http_ece.decrypt(seen.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return json.loads(plain)

    async def answer(self, seen: Seen) -> web.Response:
        if self.gone:
            return web.Response(status=410)
        scheme, _, rest = seen.headers.get("Authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "vapid" or parts.get("k") != self.server_key:
            return web.Response(status=403)
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        try:
            claims = jwt.decode(parts["t"], point, algorithms=["ES256"], audience=self.url)
        except jwt.PyJWTError:
            return web.Response(status=403)
        if not claims["sub"].startswith(("mailto:", "https:")) or len(seen.body) > 4_096:
            return web.Response(status=400)
        self.shown(seen)
        return web.Response(status=201, headers={"Location": f"/message/{self.take(seen)}"})
