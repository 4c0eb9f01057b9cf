"""Messages of Amazon SNS: whether Amazon has signed them, and the answer to its question whether we want them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from siems.clock import Clock
from siems.daemon.limits import Limiter
from siems.domain import sns
from siems.errors import Unavailable

log = structlog.get_logger()

Fetch = Callable[[str], Awaitable[bytes]]

LARGEST = 65_536
SECONDS = 5.0
CERTIFICATES_KEPT = 64
FETCHES_PER_MINUTE = 30


class Amazon:
    """Knows the certificates that it has seen. It calls addresses of SNS and no others."""

    def __init__(self, clock: Clock, limiter: Limiter, fetch: Fetch | None = None) -> None:
        self._clock = clock
        self._limiter = limiter
        self._fetch = fetch or over_https
        self._certificates: dict[str, bytes] = {}

    async def doubts(self, message: dict[str, Any]) -> str:
        """Why this is no message of Amazon's; "" when it is one. Raises Unavailable when that cannot be found out."""
        url = sns.certificate_url(message)
        if not url:  # nobody is asked for the sake of a foreign address
            return "certificate of another host"
        kind = message.get("Type")
        if not isinstance(message.get("Signature"), str) or not isinstance(kind, str) or kind not in sns.SIGNED:
            return "no signature"
        known = self._certificates.get(url)
        certificate = known or await self._get(url, "the certificate of SNS")
        why = await asyncio.to_thread(sns.verify, message, certificate, now=self._clock.now())
        if why is None and known is None:
            if len(self._certificates) >= CERTIFICATES_KEPT:
                self._certificates.clear()
            self._certificates[url] = certificate
        return why or ""

    async def confirm(self, url: str) -> None:
        """Say yes to a subscription. Raises Unavailable, so that Amazon asks again."""
        if not sns.confirmable(url):
            return
        await self._get(url, "the subscription")
        log.info("sns.confirmed")

    async def _get(self, url: str, what: str) -> bytes:
        bucket = self._limiter.bucket("sns", per_minute=FETCHES_PER_MINUTE, burst=FETCHES_PER_MINUTE)
        if bucket.wait:
            raise Unavailable(f"{what} waits: too many were asked for", retry_after=bucket.wait)
        bucket.tokens -= 1
        try:
            async with asyncio.timeout(2 * SECONDS):
                return await self._fetch(url)
        except (OSError, TimeoutError) as why:
            log.warning("sns.not_reached", what=what, why=str(why) or type(why).__name__)
            raise Unavailable(f"{what} could not be reached", hint="send again", retry_after=30) from why


async def over_https(url: str) -> bytes:
    """What is at an address: no redirects, no more than a few kilobytes. Raises OSError."""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as http, http.stream("GET", url) as got:
            if got.status_code != 200:
                raise OSError(f"it answered {got.status_code}")
            found = bytearray()
            async for part in got.aiter_bytes():
                found += part
                if len(found) > LARGEST:
                    raise OSError("it is too long")
            return bytes(found)
    except httpx.HTTPError as why:
        raise OSError(str(why)) from why


def envelope(body: bytes) -> dict[str, Any] | None:
    """The message of SNS that a body is; None for every other body."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    shown = isinstance(found, dict) and "TopicArn" in found and ("Type" in found or "Message" in found)
    return found if shown else None
