"""How ticket systems are spoken to: JSON over HTTP, with limits; what their answers mean for a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from siems.clock import SystemClock
from siems.errors import InvalidField
from siems.outward import Blocked, Guard, Pinned
from siems.tickets import Refused, TryLater

ANSWER_AT_MOST = 8 << 20
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
SAID_AT_MOST = 300
OPENS_NETWORKS = "siems config set webhooks.allow NETWORK   (several with commas), then  siems daemon restart"


def checked_url(url: str) -> str:
    """The address of a ticket system. Raises InvalidField for what is none; where it leads is looked at when called."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidField(f"{url[:100]!r} is no address", hint="--url https://acme.atlassian.net")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidField("the address holds more than host and path", hint="secrets go with --secret-file F")
    return url.strip().rstrip("/")


class Speaker:
    """One account's way to its system."""

    def __init__(
        self, url: str, *, auth: httpx.Auth | None, headers: Mapping[str, str], guard: Guard | None = None
    ) -> None:  # fmt: skip
        self._http = httpx.AsyncClient(
            base_url=checked_url(url) + "/", auth=auth, timeout=TIMEOUT, follow_redirects=False,
            transport=None if guard is None else Pinned(guard),
            headers={"Accept": "application/json", "User-Agent": "siems", **headers},
        )  # fmt: skip

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None
    ) -> Any:  # fmt: skip
        """What it answers. Raises Refused and TryLater, with what it said."""
        status, headers, content = await self._exchange(method, path, body, query)
        if status < 300:
            return _read(content)
        said = f"{urlsplit(str(self._http.base_url)).hostname} answered {status}: {_reason(content)}"
        match status:
            case 429 | 500 | 502 | 503 | 504 | 408 | 425:
                raise TryLater(said, _retry_after(headers.get("retry-after", "")))
            case 401:  # a token that was replaced works again soon: what waits is not lost for that
                raise TryLater(f"{said} (is the token still valid?  siems ticket account edit ... --secret-file F)")
            case _ if status < 400:
                raise Refused(f"{said}: it sends us elsewhere, to {headers.get('location', '?')[:100]}")
            case _:
                raise Denied(said, status, content)

    async def _exchange(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None
    ) -> tuple[int, httpx.Headers, bytes]:
        try:
            async with self._http.stream(
                method, path.lstrip("/"), params=query, json=body if body is not None else None
            ) as answer:
                content = b""
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > ANSWER_AT_MOST:
                        raise Refused(f"the answer is larger than {ANSWER_AT_MOST >> 20} MiB")
                return answer.status_code, answer.headers, content
        except Blocked as why:
            raise Refused(f"the address leads to {why}, and inner networks are not open", hint=OPENS_NETWORKS) from why
        except httpx.TimeoutException as why:
            raise TryLater(f"no answer in time ({type(why).__name__})") from why
        except httpx.HTTPError as why:
            raise TryLater(f"it cannot be reached ({str(why) or type(why).__name__})") from why


class Denied(Refused):
    """A 4xx: what it said about it, to be looked at by whoever knows that system."""

    def __init__(self, said: str, status: int, content: bytes) -> None:
        super().__init__(said)
        self.status = status
        try:
            self.answer: Any = json.loads(content)
        except ValueError:
            self.answer = {}


def _read(content: bytes) -> Any:
    if not content.strip():
        return {}
    try:
        return json.loads(content)
    except ValueError as why:
        raise TryLater("it answered something that is no JSON: is the address right?") from why


def _reason(content: bytes) -> str:
    """What a system says of an error, in the forms that they have; never more than a line."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    parts: list[str] = []
    if isinstance(found, dict):
        error = found.get("error")
        if isinstance(error, dict):
            parts += [str(error.get("message", "")), str(error.get("detail") or "")]
        parts += [str(text) for text in found.get("errorMessages") or ()]
        errors = found.get("errors")
        parts += [f"{name}: {text}" for name, text in errors.items()] if isinstance(errors, dict) else []
        parts += [str(found["message"])] if isinstance(found.get("message"), str) else []
    said = "; ".join(part for part in parts if part) or "without a reason"
    return " ".join(said.split())[:SAID_AT_MOST]


def _retry_after(text: str) -> float | None:
    """Seconds, from seconds or from a date."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - SystemClock().now()).total_seconds())
    except (ValueError, TypeError):
        return None
