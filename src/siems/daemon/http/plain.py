"""The plainest form of HTTP/1.1 that a webhook comes in, read without a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siems.daemon.http.webhooks import key_of

MAX_HEAD = 16_384
_UNUSUAL = frozenset(["transfer-encoding", "expect", "upgrade", "content-encoding"])
_NAMES: dict[str, str] = {}
"""Names of headers as they are written, in lower case."""


class Plain(dict[str, str]):
    """Headers that came once each, by their names in lower case."""

    def get(self, key: str, default: Any = None) -> Any:
        return _get(self, _NAMES.get(key) or key.lower(), default)

    def getall(self, key: str, default: list[str]) -> Sequence[str]:
        found = _get(self, _NAMES.get(key) or key.lower())
        return default if found is None else [found]


_get = dict[str, str].get


class Head:
    """The head of a webhook, as far as it matters."""

    __slots__ = ("closes", "headers", "key", "length", "source")

    def __init__(self, source: str, key: str, headers: Plain, length: int, *, closes: bool) -> None:
        self.source = source
        self.key = key
        self.headers = headers
        self.length = length
        self.closes = closes


def _named(said: str) -> str:
    """The name of a header in lower case; "" for what is none. Remembered, since the same few come again."""
    if not said.replace("-", "").isalnum() or len(said) > 64:
        return ""
    if len(_NAMES) < 1_000:
        _NAMES[said] = said.lower()
    return said.lower()


def read_head(data: bytes, end: int, largest: int) -> Head | None:
    """The head of a webhook in plain HTTP/1.1; None for whatever else it is, malformed or only unusual."""
    if end > MAX_HEAD or not data.startswith(b"POST /api/webhooks/"):
        return None
    head = data[:end]
    if not head.isascii():
        return None
    first, *lines = head.decode().split("\r\n")
    target, _, version = first[5:].rpartition(" ")
    path, _, query = target.partition("?")
    source = path[14:]
    if version != "HTTP/1.1" or not source.replace("-", "").isalnum():
        return None
    key = ""
    if query:
        name, _, key = query.partition("=")
        if name != "api_key" or not key.replace("_", "").replace("-", "").isalnum():
            return None
    if not "".join(lines).isprintable():
        return None
    headers = Plain()
    for line in lines:
        said, colon, value = line.partition(":")
        name = _NAMES.get(said) or _named(said)
        if not colon or not name or name in headers:
            return None
        headers[name] = value.strip(" ")
    said = _get(headers, "content-length", "")
    connection = _get(headers, "connection", "keep-alive").lower()
    if not said.isdigit() or len(said) > 9 or connection not in ("keep-alive", "close") or "host" not in headers:
        return None
    if not headers.keys().isdisjoint(_UNUSUAL):
        return None
    length = int(said)
    if length > largest:
        return None
    key = key_of(key, _get(headers, "x-api-key", ""), _get(headers, "authorization", ""))
    return Head(source, key, headers, length, closes=connection == "close")
