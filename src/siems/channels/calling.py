"""How channels speak HTTP: one connection pool each, short answers, and what a status means for the message.

Nothing that is raised here tells an address or a token: both may be secret, so only the provider's name is said.
"""

from __future__ import annotations

import json
import logging
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx

from siems.channels import Refused, TryLater
from siems.clock import SystemClock

for _name in ("httpx", "httpcore"):  # they write down addresses and headers, and those hold tokens
    logging.getLogger(_name).setLevel(logging.WARNING)

LARGEST_ANSWER = 64 * 1024
TIMEOUT = httpx.Timeout(9.0, connect=5.0)
"""Seconds; whoever asked for the message gives up after 10."""
LONGEST_WAIT = 3_600.0
AGAIN = frozenset({408, 409, 421, 423, 425, 429})
"""Answers that ask to come again, besides all from 500 on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, with no more than 64 KiB of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The object in the body; empty when there is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where it says so: as a number, or as the time of an HTTP date."""
        given = self.headers.get("retry-after", "").strip()
        if not given:
            return None
        try:
            seconds = float(given)
        except ValueError:
            try:
                until = parsedate_to_datetime(given)
            except ValueError:
                return None
            seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now()).total_seconds()
        return min(max(seconds, 0.0), LONGEST_WAIT) if not math.isnan(seconds) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One POST: `form` or `content`; `extensions` are httpx's own."""

    url: str
    content: bytes = b""
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)
    extensions: Mapping[str, Any] = field(default_factory=dict)


class Unreached(TryLater):
    """Nobody took the call: nothing can have been delivered, so another address may be tried."""


class Http:
    """Posts for one provider, whose name it says when it fails."""

    def __init__(self, provider: str, *, direct: bool = False) -> None:
        """With `direct` no proxy is used and no connection is kept: each goes to the address it was checked for."""
        self.provider = provider
        limits = httpx.Limits(max_keepalive_connections=0 if direct else 10, max_connections=100)
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT, limits=limits, follow_redirects=False, trust_env=not direct, verify=_trusted(),
            headers={"User-Agent": "siems", "Accept-Encoding": "identity"},
        )  # fmt: skip

    async def post(self, call: Call) -> Reply:
        """Its answer, whatever the status. Raises TryLater when there is none."""
        failed: TryLater | None = None
        try:
            async with self._client.stream(
                "POST", call.url, content=call.content or None, data=call.form, headers=dict(call.headers),
                auth=call.login, extensions=dict(call.extensions),
            ) as answer:  # fmt: skip
                return Reply(answer.status_code, answer.headers, await _start_of(answer))
        except (httpx.ConnectError, httpx.ConnectTimeout) as why:
            failed = Unreached(f"{self.provider} cannot be reached ({type(why).__name__})")
        except httpx.TimeoutException:
            failed = TryLater(f"{self.provider} did not answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as why:
            failed = TryLater(f"{self.provider} broke off ({type(why).__name__})")
        raise failed  # here, so that it does not carry the request with its headers along

    async def close(self) -> None:
        await self._client.aclose()


async def _start_of(answer: httpx.Response) -> bytes:
    found = bytearray()
    async for part in answer.aiter_raw():
        found += part
        if len(found) >= LARGEST_ANSWER:
            break
    return bytes(found[:LARGEST_ANSWER])


def settle(reply: Reply, provider: str, *, why: str = "") -> None:
    """Nothing for an acceptance (2xx). Raises TryLater, Refused; `why` is the provider's own word for it."""
    if 200 <= reply.status < 300:
        return
    said = f"{provider} answered {reply.status}{f' ({why})' if why else ''}"
    if reply.status in AGAIN or reply.status >= 500:
        raise TryLater(said, reply.retry_after)
    if 300 <= reply.status < 400:
        raise Refused(f"{said}: it redirects, give the address that it leads to")
    raise Refused(said)


def word(text: object, longest: int = 100) -> str:
    """A short word of a provider, fit to be shown: letters, figures and plain signs."""
    shown = "".join(c if c.isascii() and (c.isalnum() or c in " _-.,:/") else " " for c in str(text)[:longest])
    return " ".join(shown.split())


def now() -> datetime:
    """The time as the world outside knows it: what is signed is checked by others' clocks."""
    return SystemClock().now()


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()
