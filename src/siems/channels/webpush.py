"""Push to browsers that have subscribed: encrypted for the browser, signed with the key of this installation (VAPID).

The address is the subscription as the browser gives it: `{"endpoint": ..., "keys": {"p256dh": ..., "auth": ...}}`.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from email.utils import parseaddr
from hashlib import sha256
from typing import Any

import httpx

from siems.channels import Accepted, Destination, Message, Refused
from siems.channels.calling import Call, now, settle
from siems.channels.outward import Outward
from siems.channels.rendering import body_lines, cut, members, one_line, title
from siems.channels.threads import Threads
from siems.config import Settings
from siems.errors import InvalidField, UsageError
from siems.vocabulary import Severity

PROVIDER = "the browser's push service"
KEPT = 4 * 3600
"""Seconds that a message waits for a browser that is closed."""
SIGNED = 12 * 3600
TEXT = 900
"""Characters, so that all of it stays under 4 KB."""
HINT = "what PushManager.subscribe() gives, as JSON"


class Webpush:
    """Options: `allow_private`."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.webpush.private_key.get_secret_value()
        if not self._key:
            raise UsageError(
                "browsers are not pushed to: private_key is not set",
                hint="siems notify browser --new-key | siems config set webpush.private_key --secret-file -"
                "   and start it again",
            )
        public_key(self._key)
        self._contact = _contact(settings)
        self._outward = Outward(settings.webhooks, PROVIDER)
        self._threads = Threads("webpush")

    def check(self, address: str, options: Mapping[str, str]) -> str:
        found = _subscription(address)
        found["endpoint"] = self._outward.check(found["endpoint"], options, field="endpoint")
        return json.dumps(found, sort_keys=True)

    async def send(self, message: Message, to: Destination) -> Accepted:
        try:
            subscription = _subscription(to.address)
        except InvalidField as why:
            raise Refused(f"{PROVIDER}: {why.message}") from None
        endpoint = subscription["endpoint"]
        content, headers = await self._threads.run(self._sealed, subscription, payload(message))
        headers |= {
            "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream", "TTL": str(KEPT),
            "Urgency": _urgency(message),
        }  # fmt: skip
        if message.thread:  # what waits for a closed browser is replaced
            headers["Topic"] = _short(f"{message.company_id} {message.thread}")
        reply = await self._outward.post(Call(url=endpoint, content=content, headers=headers), to.options)
        settle(reply, PROVIDER, why="the subscription is over" if reply.status in (404, 410) else "")
        return Accepted(message_id=reply.headers.get("location", "").rpartition("/")[2][:200])

    def _sealed(self, subscription: dict[str, Any], content: bytes) -> tuple[bytes, dict[str, str]]:
        """The content as only the browser can read it, and who says it. Blocks for some milliseconds."""
        from py_vapid import Vapid02
        from pywebpush import WebPusher

        url = httpx.URL(subscription["endpoint"])
        origin = f"{url.scheme}://{url.netloc.decode()}"
        claims = {"aud": origin, "exp": int(now().timestamp()) + SIGNED, "sub": self._contact}
        signer = Vapid02.from_string(self._key)
        signer.conf["no-strict"] = True  # it takes no page with a path as whom to ask; ours was looked at already
        signed = signer.sign(claims)
        sealed = WebPusher(subscription).encode(content)["body"]
        return bytes(sealed), {"Authorization": str(signed["Authorization"])}

    async def close(self) -> None:
        self._threads.close()
        await self._outward.close()


def _body(message: Message) -> str:
    """What is below the title, which says the subject already; the links are buttons."""
    lines = [line for line in body_lines(message) if line]
    if lines and lines[0] == one_line(message.subject):
        lines = lines[1:]
    return cut("\n".join([*members(message), *lines]), TEXT)


def _contact(settings: Settings) -> str:
    """Whom a push service may ask; they take addresses and pages by https, and nothing else. Raises UsageError."""
    sender = parseaddr(settings.email.sender)[1]
    for found in (settings.webpush.contact.strip().removeprefix("mailto:"), sender, settings.public_url):
        if found.startswith("https://"):
            return found
        if "@" in found and "://" not in found:
            return f"mailto:{found}"
    raise UsageError(
        "browsers are not pushed to: contact is not set, and push services want to know whom to ask",
        hint="siems config set webpush.contact ops@msp.example, then start it again",
    )


def payload(message: Message) -> bytes:
    """What the page's service worker shows."""
    actions = [{"action": a.verb, "title": one_line(a.label, 30), "url": a.url[:500]} for a in message.answers[:2]]
    made = {
        "title": title(message, 120), "body": _body(message), "url": message.url[:500],
        "tag": message.thread[:80], "key": message.key[:200], "severity": message.severity.name,
        "actions": actions, "requireInteraction": message.pages,
    }  # fmt: skip
    return json.dumps(made, ensure_ascii=False).encode("utf-8", "replace")


def public_key(private_key: str) -> str:
    """What a browser needs to subscribe (applicationServerKey). Raises UsageError for what is no key."""
    from cryptography.hazmat.primitives import serialization
    from py_vapid import Vapid02

    failed = False
    try:
        known = Vapid02.from_string(private_key).public_key
        raw = known.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    except Exception:  # the library lets through whatever happens in it, with the key in its frames
        failed = True
    if failed:
        raise UsageError("private_key in [webpush] is no key of VAPID", hint="32 bytes of P-256 in base64url")
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _subscription(text: str) -> dict[str, Any]:
    sizes: list[int] = []
    try:
        found = json.loads(text)
        endpoint, keys = found["endpoint"], found["keys"]
        sizes = [len(_bytes(keys[name])) for name in ("p256dh", "auth")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    if not sizes:  # raised here, so that it does not carry the text along
        raise InvalidField("this is no subscription of a browser", hint=HINT)
    if not isinstance(endpoint, str) or sizes != [65, 16] or _bytes(keys["p256dh"])[0] != 4:
        raise InvalidField("the keys of this subscription are none", hint=HINT)
    return {"endpoint": endpoint, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _short(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode("utf-8", "replace")).digest()[:24]).decode()


def _urgency(message: Message) -> str:
    if message.pages:
        return "high"
    return "low" if message.severity is Severity.LOW else "normal"
