"""How clouds are spoken to by REST: JSON over HTTP with a token, which is taken anew before it ends.

Their own libraries take seconds to import and bring dozens of packages for the handful of calls that siems makes.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from siems.errors import Conflict, Unavailable

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
ANSWER_AT_MOST = 8 << 20
TRIES = 5
KINDS = {"Azure": "azure", "Google Cloud": "gcp"}
"""Clouds as people call them → as commands do."""
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class Denied(Conflict):
    """A cloud has said no. `answered` is its status of HTTP, `error` its own word for it."""

    def __init__(self, said: str, status: int, error: str, *, kind: str) -> None:
        super().__init__(said, hint=f"siems company {kind} check COMPANY tells which right is missing")
        self.answered = status
        self.error = error


class Speaker:
    """One account's way to its cloud. `login` gives a token and for how many seconds it holds."""

    def __init__(
        self, name: str, login: Callable[[httpx.AsyncClient], Awaitable[tuple[str, float]]], *, wait: float = 1.0
    ) -> None:  # fmt: skip
        self._name = name
        self._login = login
        self._wait = wait
        self._token = ""
        self._until = 0.0
        self._lock = asyncio.Lock()
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT, follow_redirects=False, headers={"Accept": "application/json", "User-Agent": "siems"}
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def token(self) -> str:
        """Raises Denied when nobody is let in, Unavailable."""
        async with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._token, seconds = await self._login(self._http)
                except httpx.HTTPError as why:
                    raise Unavailable(f"{self._name} gives no token ({_what(why)})") from why
                self._until = time.monotonic() + max(0.0, seconds - 120)
            return self._token

    async def ask(self, method: str, url: str, body: Any = None, *, query: Mapping[str, str] | None = None) -> Any:
        """What it answers, {} for nothing. Throttling is waited out. Raises Denied, Unavailable."""
        wait = self._wait
        for left in reversed(range(TRIES)):
            headers = {"Authorization": f"Bearer {await self.token()}"}
            try:
                answer = await self._http.request(method, url, params=query or None, json=body, headers=headers)
            except httpx.HTTPError as why:
                if not left or method not in ("GET", "PUT", "DELETE"):  # these may be asked twice
                    raise Unavailable(f"{self._name} does not answer ({_what(why)})") from why
            else:
                if answer.status_code not in _LATER or not left:
                    return read(self._name, answer)
                told = answer.headers.get("retry-after", "")
                wait = min(float(told), 30.0) if told.isdigit() else wait
            await asyncio.sleep(wait)
            wait = min(wait * 2, 10.0)
        raise AssertionError("the last try returns or raises")

    async def pages(self, url: str, key: str, *, query: Mapping[str, str] | None = None) -> list[Any]:
        """All of a list, page after page."""
        found: list[Any] = []
        query, link = dict(query or {}), url
        for _ in range(100):
            said = await self.ask("GET", link, query=query)
            found += said.get(key) or []
            if said.get("nextLink"):
                if httpx.URL(said["nextLink"]).host != httpx.URL(url).host:
                    break  # a token goes nowhere else
                link, query = said["nextLink"], {}
            else:
                break
        return found


def read(name: str, answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises Denied with what it said, Unavailable."""
    content = answer.content[:ANSWER_AT_MOST]
    try:
        found = json.loads(content) if content.strip() else {}
    except ValueError:
        found = {}
    if answer.status_code < 300:
        return found
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, dict):
        word, text = str(error.get("status") or error.get("code") or ""), str(error.get("message", ""))
    else:
        word, text = str(error or ""), str(found.get("error_description", "")) if isinstance(found, dict) else ""
    said = " ".join(f"{name} answered {answer.status_code} {word}: {text}".split()).rstrip(": ")[:400]
    if answer.status_code in _LATER:
        raise Unavailable(said, hint="try again later")
    raise Denied(said, answer.status_code, word, kind=KINDS[name])


def _what(why: Exception) -> str:
    return str(why) or type(why).__name__
